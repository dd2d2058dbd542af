-- Full-batch gradient descent: the largest Hessian eigenvalue rises to 2/lr and stays there, for every lr.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local p = eoss.params{ lr1 = 0.02, lr2 = 0.04, steps = 3000, n = 500, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local function train(lr)
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "relu", init_scale = 0.3, seed = p.seed }
  local run = eoss.run{ name = "gd-edge-" .. lr, model = net, data = data, loss = "mse",
                        optimizer = eoss.optim.sgd{ lr = lr }, batch_size = "full", seed = p.seed }
  run:track({ "loss", "edge" }, { every = 20 })
  run:track("lambda_max", { every = 20 })
  run:train{ to = p.steps }
  run:plot("gd-edge-" .. lr .. ".svg", { "lambda_max" })
  return run
end

local levels = require "levels"
print("    lr     2/lr   lambda_max, mean of the last third   over 2/lr")
for _, lr in ipairs{ p.lr1, p.lr2 } do
  local run = train(lr)
  local over_edge, top = levels.last_third(run, "lambda_max", 0, p.steps)
  print(string.format("%6g %8.1f %36.1f %11.3f", lr, 2 / lr, top, over_edge))
end
