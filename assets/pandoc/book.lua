-- The part of Quarto's dialect that the book uses, for Pandoc: numbered
-- chapters, sections, figures, tables and equations, references to them,
-- callouts and folded code. The metadata `target` is html, epub or typst;
-- `numbers` is a file with the number and the name of each id; every chapter
-- is a level 1 heading with its `file`.
local boxes = dofile(pandoc.path.join{
  pandoc.path.directory(PANDOC_SCRIPT_FILE), "..", "boxes.lua"})
local words, target
local numbers       -- id -> {number = "1.2", name = "Figure 1.2"}
local file          -- of the chapter that is being read

local function html() return target ~= "typst" end
local function str(s) return pandoc.utils.stringify(s) end
local function inline(s) return pandoc.RawInline(target, s) end

-- Callouts, folded cells and text for one format ---------------------------

local function special(div)
  local box = boxes.callout(target, div, words)
  if box then return box end
  if div.attributes.summary then
    return boxes.folded(target, pandoc.Inlines(div.attributes.summary), div.content)
  end
  if target == "typst" and div.classes:includes("recorded") then
    return pandoc.Plain(pandoc.List{inline("#recorded[")}
      .. div.content[1].content .. {inline("]")})
  end
  local format = div.attributes["when-format"]
  if format then   -- "html:js": HTML that runs scripts, so not the epub
    return format:match("^%w+") == target and div.content or {}
  end
end

-- Numbers ------------------------------------------------------------------

local function numbered(id)
  return numbers[id] or error("no number for " .. id, 0)
end

local function number_header(header)
  local place = numbers[header.identifier]
  if not place then return end
  header.content = pandoc.List{
    pandoc.Span(place.number, {class = "header-section-number"}),
    pandoc.Space()} .. header.content
  return header
end

-- The list of figures of the PDF has only the first sentence of a caption.
local function mark_rest(inlines)
  for i, piece in ipairs(inlines) do
    if piece.t == "Str" and piece.text:match("[.?]$") and inlines[i + 1] then
      inlines:insert(i + 1, inline("#rest["))
      return inlines:insert(inline("]"))
    end
  end
end

local function number_caption(block)
  if block.identifier == "" then return end
  local first = block.caption.long[1]
  first.content = pandoc.List{
    pandoc.Str(numbered(block.identifier).name .. ":"), pandoc.Space()}
    .. first.content
  if not html() then mark_rest(first.content) end
  if target == "epub" then  -- where Pandoc finds a division, but no figure
    local id = block.identifier
    block.identifier = ""
    return pandoc.Div({block}, {id = id})
  end
  return block
end

local function equation(math, id)
  local number = "(" .. numbered(id).number .. ")"
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
    if not numbers[id] then
      error(file .. ": unresolved reference @" .. id, 0)
    end
    if #links > 0 then links:extend{pandoc.Str(","), pandoc.Space()} end
    links:insert(pandoc.Link(numbers[id].name, "#" .. id, "", {class = "crossref"}))
  end
  return links
end

local function scrolling(tbl)   -- a wide table scrolls, not the page
  if html() then return pandoc.Div(tbl, {class = "table", tabindex = "0"}) end
end

function Pandoc(doc)
  words, target = doc.meta.words, str(doc.meta.target)
  for key, value in pairs(words) do words[key] = str(value) end
  local from = assert(io.open(str(doc.meta.numbers)))
  numbers = pandoc.json.decode(from:read("a"), false)
  from:close()
  doc = doc:walk{Div = special}
  doc = doc:walk{Header = number_header, Para = number_equations,
    Figure = number_caption, Table = number_caption}
  for i, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 1 then
      file = block.attributes.file
    end
    doc.blocks[i] = pandoc.Div({block}):walk{Cite = reference}.content[1]
  end
  return doc:walk{Table = scrolling}
end
