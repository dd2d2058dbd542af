-- Small numerical work that scripts share: the path of a flow, all orders of a list, the power of a power law, where a curve is least or
-- crosses, rank correlations, orthonormal vectors, principal components.
--
--   local numerics = require "numerics"
--   local ended = numerics.flow(function(at) return -run:gradient{ at = at } end, run.params, 0.5, 20)
--   for _, order in ipairs(numerics.orders{ 1, 2, 3 }) do print(table.concat(order, " ")) end
--   print(numerics.power({ 1, 2, 4 }, { 3, 12, 48 }))     -- 2
--   print(numerics.least{ 4, 1, 0, 1, 4 })                 -- 3   3.0
--   print(numerics.crossing({ 1, 2, 4 }, { 9, 5, 1 }, 3))  -- 3.0
--   print(numerics.rank_correlation({ 1, 2, 3 }, { 5, 8, 7 }))     -- 0.5
--   local pair = numerics.orthonormal{ eoss.vector{ 3, 4 }, eoss.vector{ 1, 0 } }    -- (0.6, 0.8) and (0.8, -0.6)
--   local features = numerics.principal(pair, 1)                                     -- { { 1 }, { -1 } }, or both with the other sign
local numerics = {}

--- Where dx/dt = field(x) leads from a point, a vector or a number, in a time, by so many steps of the classical Runge-Kutta method.
function numerics.flow(field, point, time, steps)
  local h = time / steps
  for _ = 1, steps do
    local a = field(point)
    local b = field(point + h / 2 * a)
    local c = field(point + h / 2 * b)
    point = point + h / 6 * (a + 2 * b + 2 * c + field(point + h * c))
  end
  return point
end

--- All orders of a list, of n elements n·(n - 1)·…·1 lists.
function numerics.orders(list)
  if #list < 2 then return { list } end
  local all = {}
  for i = 1, #list do
    local rest = table.move(list, 1, #list, 1, {})
    local first = table.remove(rest, i)
    for _, order in ipairs(numerics.orders(rest)) do all[#all + 1] = { first, table.unpack(order) } end
  end
  return all
end

--- The power k of y ∝ x^k: the slope of the line of least squares through the logarithms.
function numerics.power(x, y)
  local n, meanX, meanY, xx, xy = #x, 0, 0, 0, 0
  for i = 1, n do meanX, meanY = meanX + math.log(x[i]) / n, meanY + math.log(y[i]) / n end
  for i = 1, n do
    local d = math.log(x[i]) - meanX
    xx, xy = xx + d * d, xy + d * (math.log(y[i]) - meanY)
  end
  return xy / xx
end

--- The place of the least of a list of numbers, and that of the vertex of the parabola through it and its neighbours: a place between them, the
--- same place at an end of the list.
function numerics.least(list)
  local i = 1
  for k, value in ipairs(list) do i = value < list[i] and k or i end
  local before, after = list[i - 1], list[i + 1]
  local bend = before and after and before - 2 * list[i] + after or 0
  return i, bend > 0 and i + (before - after) / (2 * bend) or i
end

--- Where y over x first passes a number, on the line between two neighbours; nan where it does not.
function numerics.crossing(x, y, number)
  for i = 2, #y do
    if (y[i - 1] - number) * (y[i] - number) <= 0 and y[i - 1] ~= y[i] then
      return x[i] + (x[i - 1] - x[i]) * (y[i] - number) / (y[i] - y[i - 1])
    end
  end
  return 0 / 0
end

--- The rank of each number of a list, 1 for the smallest; equal numbers share the mean of their ranks.
local function ranks(list)
  local result = {}
  for i, x in ipairs(list) do
    local below, equal = 0, 0
    for _, y in ipairs(list) do
      if y < x then below = below + 1 elseif y == x then equal = equal + 1 end
    end
    result[i] = below + (equal + 1) / 2
  end
  return result
end

--- Spearman's rank correlation of two lists: that of their ranks, 1 where one rises with the other; nan where all of a list are equal.
function numerics.rank_correlation(x, y)
  local a, b, middle, aa, bb, ab = ranks(x), ranks(y), (#x + 1) / 2, 0, 0, 0
  for i = 1, #x do
    local da, db = a[i] - middle, b[i] - middle
    aa, bb, ab = aa + da * da, bb + db * db, ab + da * db
  end
  return ab / math.sqrt(aa * bb)
end

--- A list of vectors made orthonormal in their order: of each what is left without its parts along those before it, at length 1. The parts are
--- taken away twice, after which vectors are orthogonal to rounding.
function numerics.orthonormal(vectors)
  local basis = {}
  for i, v in ipairs(vectors) do
    for _ = 1, 2 do
      local length = v:norm()
      for k = 1, i - 1 do v = v - v:dot(basis[k]) * basis[k] end
      if not (v:norm() > 1e-12 * length) then error(string.format("vector %d lies in the span of those before it", i), 2) end
      v = v / v:norm()
    end
    basis[i] = v
  end
  return basis
end

--- The coordinates of vectors along their first d principal components, a list of d numbers for each, of mean 0 and mean square 1: d is at most the
--- number of vectors less one. By orthogonal iteration, so many turns of it.
function numerics.principal(vectors, d, turns)
  local centred, mean = {}, vectors[1] / #vectors
  for i = 2, #vectors do mean = mean + vectors[i] / #vectors end
  for i, x in ipairs(vectors) do centred[i] = x - mean end
  if d >= #vectors then error(string.format("%d vectors have %d principal components, not %d", #vectors, #vectors - 1, d), 2) end
  local basis, features = numerics.orthonormal(table.move(centred, 1, d, 1, {})), {}
  for _ = 1, turns or 100 do
    for k, direction in ipairs(basis) do
      local image = 0 * direction
      for _, x in ipairs(centred) do image = image + x:dot(direction) * x end
      basis[k] = image
    end
    basis = numerics.orthonormal(basis)
  end
  for i = 1, #vectors do features[i] = {} end
  for k, direction in ipairs(basis) do
    local square = 0
    for i, x in ipairs(centred) do
      features[i][k] = x:dot(direction)
      square = square + features[i][k] ^ 2 / #vectors
    end
    for i = 1, #vectors do features[i][k] = features[i][k] / math.sqrt(square) end
  end
  return features
end

return numerics
