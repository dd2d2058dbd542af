-- Full-batch gradient descent: the largest Hessian eigenvalue rises to 2/lr and stays there.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local p = eoss.params{ lr1 = 0.02, lr2 = 0.04, steps = 3000, n = 500, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local runs = {}
print("    lr     2/lr   mean lambda_max   over 2/lr   (last third)")
for i, lr in ipairs{ p.lr1, p.lr2 } do
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "tanh", init_scale = 1, seed = p.seed }
  local run = eoss.run{ name = "gd-edge-" .. lr, model = net, data = data, loss = "half_mse",
                        optimizer = eoss.optim.sgd{ lr = lr }, batch_size = "full", seed = p.seed }
  run:track({ "loss", "edge" }, { every = 10 })
  run:track("lambda_max", { every = 25 })
  run:train{ to = p.steps }
  local top = run:series("lambda_max", { from = p.steps - p.steps // 3 + 1 })
  print(string.format("%6g %8.1f %17.1f %11.3f", lr, 2 / lr, top:mean(), top:over(run:series("edge")):mean()))
  run:plot("gd-edge-" .. lr .. ".svg", { "lambda_max" })
  runs[i] = run
end
