-- A batch size that is switched down, then up, at one learning rate. Down: a catapult, and batch sharpness settles at 2/lr again, with a
-- lower lambda_max. Up: batch sharpness falls below 2/lr at once, and progressive sharpening resumes as far as there is loss left.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ batches = { 16, 8, 16 }, steps = { 6000, 2000, 8000 }, lr = 0.05, n = 2048, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "batch_switch", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batches[1], seed = p.seed }
run:track({ "loss", "edge", "batch_sharpness", "lambda_max" }, { every = 100 })

local rows = {}
for i, batch in ipairs(p.batches) do
  run.batch_size = batch
  local from = run.step
  run:train{ steps = p.steps[i] }
  local third = p.steps[i] // 3
  local function level(name, first, last) -- of 2/lr
    return run:series(name, { from = first + 1, to = last }):over(run:series("edge")):mean()
  end
  rows[i] = string.format("%8d %12s %17.3f %11.3f %11.3f", batch, i == 1 and "to 1" or batch < p.batches[i - 1] and "1" or "< 1, rising",
    level("batch_sharpness", from, from + third), level("batch_sharpness", run.step - third, run.step),
    level("lambda_max", run.step - third, run.step))
end
run:plot("batch_switch.svg", { "loss", "batch_sharpness", "lambda_max" })

print("of 2/lr:              batch sharpness                lambda_max")
print("   batch    predicted       first third  last third  last third")
print(table.concat(rows, "\n"))
