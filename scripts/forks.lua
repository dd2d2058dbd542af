-- Forks: one run of full-batch gradient descent goes on from the same state with several learning rates, and lambda_max goes to 2/lr of
-- each: down at once where the rate grows, up where it falls.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local p = eoss.params{ lr = 0.05, lrs = { 0.04, 0.05, 0.1 }, fork = 2000, steps = 2000, n = 500, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                         activation = "tanh", init_scale = 0.2, seed = p.seed }
local run = eoss.run{ name = "forks", model = net, data = data, loss = "half_mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = "full", seed = p.seed }
run:track({ "loss", "edge", "lambda_max" }, { every = 20 })
run:train{ to = p.fork }

local branches = {}
for i, lr in ipairs(p.lrs) do branches[i] = run:fork{ name = "forks-" .. lr, lr = lr } end
eoss.parallel(branches, { steps = p.steps })
eoss.plot("forks.svg", branches, { "lambda_max" })

local levels = require "levels"
print(string.format("lambda_max after the fork at step %d, mean of the last third:", p.fork))
print("      lr  predicted (2/lr)  measured   ratio")
for i, branch in ipairs(branches) do
  local level = levels.last_third(branch, "lambda_max", p.fork, p.fork + p.steps).mean
  print(string.format("%8g %17.2f %9.2f %7.3f", p.lrs[i], 2 / p.lrs[i], level * 2 / p.lrs[i], level))
end
