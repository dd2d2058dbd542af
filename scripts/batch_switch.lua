-- A batch size that is switched up, then down, at one learning rate: batch sharpness stays at 2/lr, while lambda_max rises with the batch
-- and falls with it.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local levels = require "levels"
local p = eoss.params{ batches = { 16, 64, 16 }, steps = { 8000, 3000, 3000 }, lr = 0.05, n = 2048, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "batch_switch", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batches[1], seed = p.seed }
run:track({ "loss", "edge", "batch_sharpness" }, { every = 50 })
run:track("lambda_max", { every = 100 })

local rows = {}
for i, batch in ipairs(p.batches) do
  run.batch_size = batch
  local from = run.step
  run:train{ steps = p.steps[i] }
  rows[i] = { batch = batch, sharpness = levels.last_third(run, "batch_sharpness", from, run.step).mean,
              lambda = levels.last_third(run, "lambda_max", from, run.step).mean }
end
run:plot("batch_switch.svg", { "loss", "batch_sharpness", "lambda_max" })

print("last third of each phase:")
print("   batch  predicted (2/lr)  batch sharpness   ratio  lambda_max's")
for _, row in ipairs(rows) do
  print(string.format("%8d %17.2f %16.2f %7.3f %13.3f",
    row.batch, 2 / p.lr, row.sharpness * 2 / p.lr, row.sharpness, row.lambda))
end
