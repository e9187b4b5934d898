-- The book's boxes, and what unfolds, in the same form for both renderers.
-- `target` is html, epub or typst.
local boxes = {}

local function raw(target, text)
  return pandoc.RawBlock(target == "typst" and "typst" or "html", text)
end

function boxes.folded(target, title, blocks)
  if target == "typst" then
    return pandoc.List{pandoc.Plain{pandoc.RawInline("typst", "#block(sticky: true)["),
      pandoc.Strong(title), pandoc.RawInline("typst", "]")}} .. blocks
  end
  return pandoc.List{raw(target, "<details><summary>"), pandoc.Plain(title),
    raw(target, "</summary>")} .. blocks .. {raw(target, "</details>")}
end

-- The blocks of a callout, or nil if `div` is none; `names` are those of
-- the kinds, for callouts without a title.
function boxes.callout(target, div, names)
  local kind = table.concat(div.classes, " "):match("callout%-(%w+)")
  if not kind then return end
  local title, blocks = pandoc.Inlines(names["callout-" .. kind]), div.content
  if blocks[1] and blocks[1].t == "Header" then
    title = blocks[1].content
    blocks:remove(1)
  end
  if target == "typst" then
    local open = pandoc.Plain(pandoc.List{
      pandoc.RawInline("typst", '#callout("' .. kind .. '")[')} .. title
      .. {pandoc.RawInline("typst", "][")})
    return pandoc.List{open} .. blocks .. {raw(target, "]")}
  end
  if div.attributes.collapse == "true" then
    blocks = boxes.folded(target, title, blocks)
  else
    blocks:insert(1, pandoc.Div(pandoc.Para(title), {class = "callout-title"}))
  end
  -- As text: Quarto would make its own callout of a division.
  local id = div.identifier ~= "" and ' id="' .. div.identifier .. '"' or ""
  return pandoc.List{raw(target, '<div' .. id .. ' class="callout callout-'
    .. kind .. '">')} .. blocks .. {raw(target, "</div>")}
end

return boxes
