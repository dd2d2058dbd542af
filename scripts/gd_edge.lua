-- Full-batch gradient descent: the largest Hessian eigenvalue rises to 2/lr and stays there, for every lr.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local levels = require "levels"
local p = eoss.params{ lr1 = 0.05, lr2 = 0.1, steps = 6000, n = 500, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local function train(lr)
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "tanh", init_scale = 0.2, seed = p.seed }
  local run = eoss.run{ name = "gd-edge-" .. lr, model = net, data = data, loss = "half_mse",
                        optimizer = eoss.optim.sgd{ lr = lr }, batch_size = "full", seed = p.seed }
  run:track({ "loss", "edge" }, { every = 20 })
  run:track("lambda_max", { every = 20 })
  run:train{ to = p.steps }
  run:plot("gd-edge-" .. lr .. ".svg", { "lambda_max" })
  return run
end

print("lambda_max over 2/lr, last third of the steps:")
print("    lr     2/lr     mean   lowest  highest")
for _, lr in ipairs{ p.lr1, p.lr2 } do
  local level = levels.last_third(train(lr), "lambda_max", 0, p.steps)
  print(string.format("%6g %8.1f %8.3f %8.3f %8.3f", lr, 2 / lr, level.mean, level.lowest, level.highest))
end
