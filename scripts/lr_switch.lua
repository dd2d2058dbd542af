-- A learning rate that is switched up, then down. Up: a catapult, and batch sharpness settles at the new 2/lr. Down: it lies below the new
-- 2/lr at once, and progressive sharpening resumes as far as there is loss left. lambda_max stays below all along.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ lrs = { 0.05, 0.08, 0.05 }, steps = { 6000, 2000, 8000 }, batch = 16, n = 2048, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "lr_switch", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lrs[1] }, batch_size = p.batch, seed = p.seed }
run:track({ "loss", "edge", "batch_sharpness", "lambda_max" }, { every = 100 })

local rows = {}
for i, lr in ipairs(p.lrs) do
  run.lr = lr
  local from = run.step
  run:train{ steps = p.steps[i] }
  local third = p.steps[i] // 3
  local function level(name, first, last) -- of 2/lr
    return run:series(name, { from = first + 1, to = last }):over(run:series("edge")):mean()
  end
  rows[i] = string.format("%8g %12s %17.3f %11.3f %11.3f", lr, i == 1 and "to 1" or lr > p.lrs[i - 1] and "1" or "< 1, rising",
    level("batch_sharpness", from, from + third), level("batch_sharpness", run.step - third, run.step),
    level("lambda_max", run.step - third, run.step))
end
run:plot("lr_switch.svg", { "loss", "batch_sharpness", "lambda_max" })

print("of 2/lr:              batch sharpness                lambda_max")
print("      lr    predicted       first third  last third  last third")
print(table.concat(rows, "\n"))
