-- Gives the pages and the EPUB of Quarto the same boxes as the others, and
-- takes from what is not a page the links to its other forms.
local boxes = dofile(quarto.utils.resolve_path("../boxes.lua"))
local target = FORMAT:match("^%a+")

local function without_links(div)
  if div.classes:includes("page-links") then return {} end
end

function Pandoc(doc)
  if target ~= "html" then doc = doc:walk{Div = without_links} end
  if target == "typst" then return doc end    -- it has boxes of its own
  local names = {}
  for key, value in pairs(doc.meta.cnnbook.words) do
    names[key] = pandoc.utils.stringify(value)
  end
  return doc:walk{Div = function(div)
    return boxes.callout(target, div, names)
  end}
end
