-- Where a measured quantity settles, over the edge of stability.
--
--   local levels = require "levels"
--   levels.last_third(run, "lambda_max", 0, 8000).mean
local levels = {}

--- Mean, lowest and highest value of a series over the last third of the steps `from` to `to`, each value divided by the edge of
--- its moment (2/lr, or what the update rule's is). The run must track "edge", too.
function levels.last_third(run, name, from, to)
  local series = run:series(name, { from = to - (to - from) // 3 + 1, to = to }):over(run:series("edge"))
  local lowest, highest = math.huge, -math.huge
  for _, value in ipairs(series.values) do
    lowest, highest = math.min(lowest, value), math.max(highest, value)
  end
  return { mean = series:mean(), lowest = lowest, highest = highest }
end

return levels
