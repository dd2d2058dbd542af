-- Batch sharpness settles at 2/lr, and follows when the learning rate is switched.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ lr = 0.05, lr2 = 0.08, batch = 16, switch = 8000, steps = 12000, seed = 1 }

local data = eoss.data.fashion_mnist{ n = 2048, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "quickstart", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }

run:track({ "loss", "edge" }, { every = 50 })
run:track("batch_sharpness", { every = 50 })
run:track("lambda_max", { every = 100 })
run:at(p.switch, function(r) r.lr = p.lr2 end)
run:train{ to = p.steps }
run:plot("edge.svg", { "batch_sharpness", "lambda_max" })

-- The last third of each phase, over 2/lr.
local levels = require "levels"
print("phase        lr   batch sharpness   lambda_max   (mean of the last third, over 2/lr)")
for _, phase in ipairs{ { "first", p.lr, 0, p.switch }, { "second", p.lr2, p.switch, p.steps } } do
  local name, lr, from, to = table.unpack(phase)
  print(string.format("%-8s %6g %17.2f %12.2f", name, lr, levels.last_third(run, "batch_sharpness", from, to).mean,
                      levels.last_third(run, "lambda_max", from, to).mean))
end
