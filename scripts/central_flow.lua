-- The central flow: a smooth path, by the third derivative of the loss, that gradient descent at the edge of stability oscillates around.
-- It predicts descent's loss averaged over its oscillations, and stays near it where gradient flow leaves.
-- Cohen, Damian, Talwalkar, Kolter & Lee, "Understanding Optimization in Deep Learning with Central Flows", arXiv 2410.24206.
local p = eoss.params{ lr = 0.05, warm = 300, steps = 600, n = 200, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {50, 50}, outputs = data.outputs,
                         activation = "tanh", init_scale = 0.2, seed = p.seed }
local gd = eoss.run{ name = "central_flow-gd", model = net, data = data, loss = "half_mse",
                     optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = "full", seed = p.seed }
gd:track("loss", { every = 1 })
gd:track({ "lambda_max", "predicted_loss" }, { every = 10 })
gd:train{ to = p.warm }
local central = gd:fork{ name = "central_flow", optimizer = eoss.flow.central{ of = eoss.optim.sgd{ lr = p.lr } } }
local stable = gd:fork{ name = "central_flow-stable", optimizer = eoss.flow.stable{ of = eoss.optim.sgd{ lr = p.lr } } }
local l = eoss.lockstep({ gd = gd, central = central, stable = stable }, { steps = p.steps, every = p.steps // 4 })
eoss.plot("central_flow.svg", { gd, central, stable }, { "loss", "lambda_max", "predicted_loss" })

print("steps  loss, 25 steps' mean  predicted   ratio | lambda_max of 2/lr: descent  central  stable | distance: central  stable")
for i = 1, 4 do
  local step = p.warm + i * p.steps // 4
  local here = { from = step - 12, to = step + 12 }
  local loss = gd:series("loss", here):mean()
  local predicted = central:series("predicted_loss", here):mean()
  local function edge(run) return run:series("lambda_max", here):mean() * p.lr / 2 end
  local function distance(name) return l:series("params", "gd", name).values[i + 1] end
  print(string.format("%5d %20.5f %10.5f %7.3f | %27.3f %8.3f %7.3f | %17.3f %7.3f", step - p.warm, loss, predicted, predicted / loss,
    edge(gd), edge(central), edge(stable), distance("central"), distance("stable")))
end
