-- Gives Quarto's pages the same boxes as the others.
local boxes = dofile(quarto.utils.resolve_path("../boxes.lua"))
local target = FORMAT:match("^%a+")

function Pandoc(doc)
  local names = {}
  for key, value in pairs(doc.meta.cnnbook.words) do
    names[key] = pandoc.utils.stringify(value)
  end
  return doc:walk{Div = function(div)
    return boxes.callout(target, div, names)
  end}
end
