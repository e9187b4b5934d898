-- The part of Quarto's dialect that the book uses, for Pandoc: numbered
-- chapters, sections, figures, tables and equations, references to them,
-- callouts and folded code. The metadata `target` is html, epub or typst;
-- every chapter is a level 1 heading with its `file` and its `kind`.
local words, target
local labels = {}   -- id -> the text of a reference to it
local file          -- of the chapter that is being read

local function html() return target ~= "typst" end
local function str(s) return pandoc.utils.stringify(s) end
local function raw(s) return pandoc.RawBlock(html() and "html" or target, s) end
local function inline(s) return pandoc.RawInline(target, s) end

-- Callouts, folded cells and text for one format ---------------------------

local function folded(title, blocks)
  local head = pandoc.Plain(title)
  if html() then
    local open = raw("<details><summary>")
    return pandoc.List{open, head, raw("</summary>")} .. blocks
      .. {raw("</details>")}
  end
  return pandoc.List{pandoc.Plain{inline("#block(sticky: true)["),
    pandoc.Strong(title), inline("]")}} .. blocks
end

local function callout(div, kind)
  local title, first = nil, div.content[1]
  if first and first.t == "Header" then
    title = first.content
    div.content:remove(1)
  else
    title = pandoc.Inlines(words["callout-" .. kind])
  end
  if not html() then
    local open = pandoc.Plain(pandoc.List{inline('#callout("' .. kind .. '")[')}
      .. title .. {inline("][")})
    return pandoc.List{open} .. div.content .. {raw("]")}
  end
  div.classes:insert("callout")
  if div.attributes.collapse == "true" then
    div.attributes.collapse = nil
    div.content = folded(title, div.content)
  else
    div.content:insert(1, pandoc.Div(pandoc.Para(title), {class = "callout-title"}))
  end
  return div
end

local function special(div)
  local kind = table.concat(div.classes, " "):match("callout%-(%w+)")
  if kind then return callout(div, kind) end
  if div.attributes.summary then
    return folded(pandoc.Inlines(div.attributes.summary), div.content)
  end
  local format = div.attributes["when-format"]
  if format then   -- "html:js": HTML that runs scripts, so not the epub
    return format:match("^%w+") == target and div.content or {}
  end
end

-- Numbers ------------------------------------------------------------------

local count = {chapter = 0, appendix = 0}
local chapter, section, subsection = nil, 0, 0   -- chapter: its number

local function label(id, kind, number)
  if id == "" then return end
  if labels[id] then error(file .. ": the id " .. id .. " is used twice", 0) end
  labels[id] = words[kind] .. "\u{a0}" .. number
end

local function next_number(kind)
  count[kind] = (count[kind] or 0) + 1
  return chapter and chapter .. "." .. count[kind] or tostring(count[kind])
end

local function number_header(header)
  local number, kind
  if header.level == 1 then
    file, kind = header.attributes.file, header.attributes.kind
    section, count.fig, count.tbl, count.eq = 0, 0, 0, 0
    chapter = nil
    if not header.classes:includes("unnumbered") then
      count[kind] = count[kind] + 1
      chapter = kind == "appendix" and string.char(64 + count[kind])
        or tostring(count[kind])
    end
    number = chapter
  elseif header.level == 2 then
    section, subsection = section + 1, 0
    number, kind = chapter and chapter .. "." .. section, "sec"
  elseif header.level == 3 then
    subsection = subsection + 1
    number, kind = chapter and chapter .. "." .. section .. "." .. subsection, "sec"
  end
  if not number then return end
  label(header.identifier, kind, number)
  header.content = pandoc.List{
    pandoc.Span(number, {class = "header-section-number"}), pandoc.Space()}
    .. header.content
  return header
end

local function number_caption(block, kind)
  if not block.identifier:match("^" .. kind .. "%-") then return end
  label(block.identifier, kind, next_number(kind))
  local first = block.caption.long[1]
  first.content = pandoc.List{pandoc.Str(labels[block.identifier] .. ":"),
    pandoc.Space()} .. first.content
  return block
end

local function equation(math, id)
  local number = next_number("eq")
  label(id, "eq", number)
  number = "(" .. number .. ")"
  if html() then
    return {pandoc.Span({math, pandoc.Span(number, {class = "equation-number"})},
      {id = id, class = "equation"})}
  end
  return {inline('#numbered("' .. number .. '")['), math,
    inline("] <" .. id .. ">")}
end

local function number_equations(para)   -- $$ ... $$ {#eq-id}
  local out = pandoc.List{}
  for _, piece in ipairs(para.content) do
    local id = piece.t == "Str" and piece.text:match("^{#(eq%-[%w_-]+)}$")
    if id then
      if out[#out].t ~= "Math" then out:remove() end   -- the space between
      out:extend(equation(out:remove(), id))
    else
      out:insert(piece)
    end
  end
  para.content = out
  return para
end

-- References ---------------------------------------------------------------

local function reference(cite)
  local links = pandoc.List{}
  for _, citation in ipairs(cite.citations) do
    local id = citation.id
    if not id:match("^fig%-") and not id:match("^tbl%-")
      and not id:match("^eq%-") and not id:match("^sec%-") then return end
    if not labels[id] then
      error(file .. ": unresolved reference @" .. id, 0)
    end
    if #links > 0 then links:extend{pandoc.Str(","), pandoc.Space()} end
    links:insert(pandoc.Link(labels[id], "#" .. id, "", {class = "crossref"}))
  end
  return links
end

local function scrolling(tbl)   -- a wide table scrolls, not the page
  if html() then return pandoc.Div(tbl, {class = "table", tabindex = "0"}) end
end

function Pandoc(doc)
  words, target = doc.meta.words, str(doc.meta.target)
  for key, value in pairs(words) do words[key] = str(value) end
  doc = doc:walk{Div = special}
  doc = doc:walk{traverse = "topdown", Header = number_header,
    Para = number_equations,
    Figure = function(figure) return number_caption(figure, "fig") end,
    Table = function(tbl) return number_caption(tbl, "tbl") end}
  for i, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 1 then
      file = block.attributes.file
    end
    doc.blocks[i] = pandoc.Div({block}):walk{Cite = reference}.content[1]
  end
  return doc:walk{Table = scrolling}
end
