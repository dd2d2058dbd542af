-- What a paper claims, beside what was measured: a table, and verdicts that stay in the run files.
--
--   local claims = require "claims"
--   local slope, error = claims.mean{ 0.49, 0.52, 0.50 }             -- over seeds: mean and standard error
--   claims.report({ run }, {
--     { "the loss falls as 1/t", "slope", predicted = -1, measured = -0.98, error = 0.01, band = { -1.05, -0.95 }, from = "theory" },
--     { "and for every seed", "slope", predicted = -1, measured = { -0.97, -0.99, -1.01 }, band = { -1.1, -0.9 }, from = "seeds" } })
--   claims.of(eoss.open("run.eoss"))[1].holds
local claims = {}

--- Mean of a list of numbers, one a seed, and its standard error: nan of a single number, or none.
function claims.mean(values)
  local sum, squares = 0, 0
  for _, value in ipairs(values) do sum = sum + value end
  local mean = sum / #values
  for _, value in ipairs(values) do squares = squares + (value - mean) ^ 2 end
  return mean, math.sqrt(squares / (#values - 1) / #values)
end

--- How far a list of numbers is from one number at most: nan where one of them is nan.
function claims.distance(values, number)
  local largest = 0
  for _, value in ipairs(values) do
    local distance = math.abs(value - number)
    if not (distance <= largest) then largest = distance end
  end
  return largest
end

--- Appends numbers by their names to lists in groups: after gather(groups, { "all", "small b" }, { loss = 0.1 }) the last element of
--- groups.all.loss, and of groups["small b"].loss, is 0.1.
function claims.gather(groups, keys, values)
  for _, key in ipairs(keys) do
    local group = groups[key] or {}
    groups[key] = group
    for name, value in pairs(values) do
      group[name] = group[name] or {}
      table.insert(group[name], value)
    end
  end
end

--- What a quantity of one group of gather has more than another's, over `scale`: a list, one number a seed.
function claims.differences(groups, quantity, one, other, scale)
  local list = {}
  for i, value in ipairs(groups[one][quantity]) do list[i] = (value - groups[other][quantity][i]) / (scale or 1) end
  return list
end

--- A list for eoss.plot: over the numbers `x` the mean of a quantity in the groups `prefix .. x` of gather, with its standard error; called
--- `name`, or as the groups begin.
function claims.points(groups, prefix, x, quantity, name)
  local list = { x = x, y = {}, error = {}, name = name or prefix, style = "points" }
  for i, number in ipairs(x) do list.y[i], list.error[i] = claims.mean(groups[prefix .. number][quantity]) end
  return list
end

-- Where a band comes from: the paper's formulas, or the spread over seeds that are not those shown.
local origins = { theory = true, seeds = true }

local function check(condition, number, text, ...)
  if not condition then error(string.format("claim %d: " .. text, number, ...), 4) end
end

--- What a claim comes to: its fields as given, measured as a number with its error, and whether it lies in the band.
local function judge(claim, number, origin)
  local text, quantity = claim[1], claim[2]
  check(type(text) == "string" and type(quantity) == "string", number, "expected two texts first, the claim and the quantity")
  local band = claim.band
  check(type(band) == "table" and type(band[1]) == "number" and type(band[2]) == "number" and band[1] <= band[2], number,
    "band: expected { low, high }, two numbers; math.huge for no limit")
  local from = claim.from or origin
  check(origins[from], number, 'from: where the band comes from, "theory" or "seeds"')
  local measured, error = claim.measured, claim.error
  if type(measured) == "table" then measured, error = claims.mean(measured) end
  check(type(measured) == "number", number, "measured: expected a number, or a list of numbers, one a seed")
  if error ~= error then error = nil end
  return { claim = text, quantity = quantity, predicted = claim.predicted, measured = measured, error = error, low = band[1],
           high = band[2], from = from, holds = measured >= band[1] and measured <= band[2] }
end

--- A number with so many digits, without an exponent where there is a shorter way; the text of anything else.
local function short(value, digits)
  if value == nil then return "-" end
  if type(value) ~= "number" then return tostring(value) end
  if value ~= value then return "nan" end
  if math.abs(value) == math.huge then return value > 0 and "∞" or "-∞" end
  return (string.format("%." .. (digits or 4) .. "g", value):gsub("e([+-])0+", "e%1"):gsub("e%+", "e"))
end

--- Measured and its error, both to the second digit of the error, and at most to the sixth of the value.
local function withError(value, error)
  if not error or error == 0 or error == math.huge then return short(value, 4) .. (error == 0 and " ± 0" or "") end
  local digits = math.floor(math.log(math.max(math.abs(value), error), 10)) - math.floor(math.log(error, 10)) + 2
  return short(value, math.max(2, math.min(6, digits))) .. " ± " .. short(error, 2)
end

--- The words of a text in lines of at most so many letters; a longer word has a line of its own.
local function wrapped(text, width)
  local lines = { "" }
  for word in text:gmatch("%S+") do
    local line = lines[#lines]
    if line ~= "" and utf8.len(line) + 1 + utf8.len(word) > width then lines[#lines + 1] = word
    else lines[#lines] = line == "" and word or line .. " " .. word end
  end
  return lines
end

local function padded(text, width) return text .. string.rep(" ", width - utf8.len(text)) end

-- The widest a table may be. Claims and quantities are broken into lines: they get what the other columns leave, quantities at most so much.
local mostLetters, mostOfQuantity = 100, 22

--- The table of verdicts as a text of aligned lines.
function claims.table(verdicts)
  local titles = { "claim", "quantity", "predicted", "measured", "band", "from", "holds" }
  local rows = {}
  for i, v in ipairs(verdicts) do
    rows[i] = { v.claim, v.quantity, short(v.predicted), withError(v.measured, v.error),
                string.format("[%s, %s]", short(v.low, 5), short(v.high, 5)), v.from, v.holds and "yes" or "NO" }
  end
  local widths, left = {}, mostLetters
  for column = #titles, 1, -1 do
    local width = utf8.len(titles[column])
    for _, row in ipairs(rows) do width = math.max(width, utf8.len(row[column])) end
    if column == 2 then width = math.min(width, mostOfQuantity, math.max(10, left // 2)) end
    if column == 1 then width = math.min(width, math.max(10, left)) end
    widths[column] = width
    left = left - width - 2
  end
  local lines = {}
  local function add(cells)
    local broken, height = {}, 1
    for column, cell in ipairs(cells) do
      broken[column] = wrapped(cell, widths[column])
      height = math.max(height, #broken[column])
    end
    for line = 1, height do
      local parts = {}
      for column in ipairs(cells) do parts[column] = padded(broken[column][line] or "", widths[column]) end
      lines[#lines + 1] = (table.concat(parts, "  "):gsub("%s+$", ""))
    end
  end
  add(titles)
  lines[2] = string.rep("-", mostLetters - left - 2)
  for _, row in ipairs(rows) do add(row) end
  return table.concat(lines, "\n")
end

--- Judges claims, prints their table, and keeps the verdicts in the files of the runs. A claim is { claim, quantity, predicted =, measured =,
--- error =, band = { low, high }, from = "theory" or "seeds" }: it holds where what was measured lies in the band; `measured` may be a list,
--- one number a seed, of which mean and standard error are taken; `from` may be given once, in a third table. Whatever the verdicts are,
--- the script has done its work.
function claims.report(runs, list, options)
  local verdicts, held = {}, 0
  for i, claim in ipairs(list) do
    verdicts[i] = judge(claim, i, options and options.from)
    if verdicts[i].holds then held = held + 1 end
  end
  local text = claims.table(verdicts)
  print(text)
  local title = string.format("claims: %d of %d hold", held, #verdicts)
  for _, run in ipairs(runs) do run:note(title .. "\n" .. text, { claims = verdicts }) end
  return verdicts
end

--- The verdicts that a run file keeps, from eoss.open: those of the last report; none where there is none.
function claims.of(file)
  local verdicts = {}
  for _, event in ipairs(file.events) do
    if event.kind == "note" and event.data and event.data.claims then verdicts = event.data.claims end
  end
  return verdicts
end

return claims
