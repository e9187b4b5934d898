-- Gives the pages and the EPUB of Quarto the same boxes as the others.
local boxes = dofile(quarto.utils.resolve_path("../boxes.lua"))
local target = FORMAT:match("^%a+")

function Pandoc(doc)
  if target == "typst" then return end    -- it has boxes of its own
  local names = {}
  for key, value in pairs(doc.meta.cnnbook.words) do
    names[key] = pandoc.utils.stringify(value)
  end
  return doc:walk{Div = function(div)
    return boxes.callout(target, div, names)
  end}
end
