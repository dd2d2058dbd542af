-- Batch sharpness without extra batches: the curvature of each step's own batch along its gradient, which the step has on the way,
-- averaged over the last steps, beside the Monte-Carlo probe over fresh batches. Both settle at 2/lr.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ lr = 0.2, batch = 16, average = 500, every = 100, steps = 6000, seed = 1 }

local data = eoss.data.fashion_mnist{ n = 2048, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "step_sharpness", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }

run:track("step_sharpness", { average = p.average })
run:track("batch_sharpness", { every = p.every })
run:track("edge", { every = p.every })
run:train{ to = p.steps }
run:plot("step_sharpness.svg", { "batch_sharpness", "step_sharpness_mean" })

local levels = require "levels"
print("                       mean of the last third, over 2/lr")
for _, name in ipairs{ "batch_sharpness", "step_sharpness_mean" } do
  print(string.format("%-22s %.3f", name, levels.last_third(run, name, 0, p.steps).mean))
end
