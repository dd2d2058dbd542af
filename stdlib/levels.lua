-- Where a measured quantity settles: means over a stretch of a run.
--
--   local levels = require "levels"
--   levels.last_third(run, "lambda_max", 0, 8000)     --> mean over 2/lr, mean
local levels = {}

--- The mean of a series over the last third of the steps `from` to `to`, divided by the edge (2/lr, or what the update rule's is) at
--- each step, and undivided. The run must track "edge", too.
function levels.last_third(run, name, from, to)
  local series = run:series(name, { from = to - (to - from) // 3 + 1, to = to })
  return series:over(run:series("edge")):mean(), series:mean()
end

return levels
