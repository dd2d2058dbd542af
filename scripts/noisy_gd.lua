-- Which noise makes full-batch descent like SGD? Gaussian noise with the covariance of SGD's, with its diagonal, with its trace alone, of
-- constant size, and the stochastic differential equation, all from one state, beside SGD itself: which of them hold batch sharpness at 2/lr?
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local levels = require "levels"
local p = eoss.params{ lr = 0.05, batch = 16, warm = 3000, steps = 1500, n = 256, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {50, 50}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.5, seed = p.seed }
local sgd = eoss.run{ name = "noisy_gd", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }
sgd:track("loss", { every = 20 })
sgd:track("batch_sharpness", { every = 20, batch_size = p.batch })
sgd:track("lambda_max", { every = 20 })
sgd:train{ to = p.warm }

local lr, b = p.lr, p.batch
local g = sgd:measure("gradient_norm_mc").value - sgd:measure("gradient_norm").value ^ 2
local rules = {
  { "noise of SGD", eoss.optim.noisy_sgd{ lr = lr, noise_batch = b } },
  { "its trace", eoss.optim.noisy_iso{ lr = lr, noise_batch = b } },
  { "constant", eoss.optim.noisy_const{ lr = lr, noise_batch = b, noise_scale = math.sqrt(b * g / #sgd.params) } },
  { "the SDE", eoss.optim.sde{ lr = lr, h = lr / 2, noise_batch = b } },
  { "none", eoss.optim.sgd{ lr = lr } },
}
local runs, names = { sgd }, { "SGD" }
for i, rule in ipairs(rules) do
  runs[i + 1] = sgd:fork{ name = "noisy_gd-" .. rule[2].name:gsub("sgd%+", ""), optimizer = rule[2], batch_size = "full" }
  names[i + 1] = rule[1]
end
for _, run in ipairs(runs) do run:train{ steps = p.steps } end
eoss.plot("noisy_gd.svg", runs, { "batch_sharpness", "lambda_max" })

print(string.format("of 2/lr, mean of the last third of %d steps from one state:", p.steps))
print("               predicted  batch sharpness  lambda_max")
for i, run in ipairs(runs) do
  local function level(name) return run:series(name, { from = p.warm + 2 * p.steps // 3 }):mean() * lr / 2 end
  print(string.format("%-14s %9s %16.3f %11.3f", names[i], i == 1 and "1" or "-", level("batch_sharpness"), level("lambda_max")))
end
