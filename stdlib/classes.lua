-- The training samples by their classes: which they are, and how well each class is learnt.
--
--   local classes = require "classes"
--   local sets = classes.samples(run)                         -- sets[1]: the numbers of the samples of class 0
--   local g = run:gradient{ batch = sets[1] }                 -- the gradient of its mean loss
--   local before = classes.losses(run, sets)                  -- the mean loss of each
--   local along = classes.alignment(run, sets)                -- how its gradient lies to the top eigenvector
--   local between = classes.losses(run, sets, run:midpoint().params)
local classes = {}

--- The numbers of the training samples of each class, from 1, in lists: one for each class, in their order. Of samples with one class each.
function classes.samples(run)
  local numbers, sets = {}, {}
  for class = 1, run.data.outputs do numbers[class], sets[class] = class, {} end
  numbers = eoss.vector(numbers)
  -- With y·(1, 2, …) for the loss, y one-hot, the loss of a sample is the number of its class.
  local numbered = eoss.run{ model = run.model, data = run.data, loss = function(_, target) return eoss.dot(target, numbers) end,
                             optimizer = eoss.optim.sgd{ lr = 1 }, file = false }
  for sample, number in ipairs(numbered:evaluate().losses:totable()) do
    local set = sets[math.floor(number + 0.5)]
    set[#set + 1] = sample
  end
  return sets
end

--- The mean loss of the samples of each list, at parameters, those of the run by default; a list. Nan where a list is empty.
function classes.losses(run, sets, at)
  local losses, means = run:evaluate{ at = at }.losses:totable(), {}
  for i, set in ipairs(sets) do
    local sum = 0
    for _, sample in ipairs(set) do sum = sum + losses[sample] end
    means[i] = sum / #set
  end
  return means
end

--- |u·g|/‖g‖ of the gradient g of each list's mean loss, u the top eigenvector of the Hessian, and ‖g‖; at parameters, those of the run by
--- default. Two lists.
function classes.alignment(run, sets, at)
  local u = run:hessian{ at = at }:top(1, { tolerance = 1e-4 }).vectors[1]
  local cosines, norms = {}, {}
  for i, set in ipairs(sets) do
    local g = run:gradient{ batch = set, at = at }
    norms[i] = g:norm()
    cosines[i] = math.abs(u:dot(g)) / norms[i]
  end
  return cosines, norms
end

return classes
