-- A learning rate that is switched up, then down: batch sharpness goes to 2/lr of the rate of the moment, at once where that falls, by
-- progressive sharpening where it rises; lambda_max stays below.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local levels = require "levels"
local p = eoss.params{ lrs = { 0.05, 0.08, 0.05 }, steps = { 8000, 3000, 5000 }, batch = 16, n = 2048, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "lr_switch", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lrs[1] }, batch_size = p.batch, seed = p.seed }
run:track({ "loss", "edge", "batch_sharpness" }, { every = 50 })
run:track("lambda_max", { every = 100 })

local rows = {}
for i, lr in ipairs(p.lrs) do
  run.lr = lr
  local from = run.step
  run:train{ steps = p.steps[i] }
  rows[i] = { lr = lr, sharpness = levels.last_third(run, "batch_sharpness", from, run.step).mean,
              lambda = levels.last_third(run, "lambda_max", from, run.step).mean }
end
run:plot("lr_switch.svg", { "loss", "batch_sharpness", "lambda_max" })

print("last third of each phase:")
print("      lr  predicted (2/lr)  batch sharpness   ratio  lambda_max's")
for _, row in ipairs(rows) do
  print(string.format("%8g %17.2f %16.2f %7.3f %13.3f",
    row.lr, 2 / row.lr, row.sharpness * 2 / row.lr, row.sharpness, row.lambda))
end
