-- A small EoSS convolutional network on Fashion-MNIST: batch sharpness rises to 2/lr and stays there, λ_max a little below.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ lr = 0.05, batch = 16, steps = 4000, n = 512, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.cnn{ inputs = data.shape, channels = {8, 8, 16}, hidden = 64, outputs = data.outputs,
                         init_scale = 0.6, seed = p.seed }
print(net)
local run = eoss.run{ name = "cnn_edge", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }

run:track({ "loss", "edge" }, { every = 50 })
run:track("batch_sharpness", { every = 50, rel_error = 0.03, max_samples = 200 })
run:track("lambda_max", { every = 200 })
run:train{ to = p.steps }
run:plot("cnn_edge.svg", { "batch_sharpness", "lambda_max" })

local function level(name) return run:series(name, { from = p.steps * 3 // 4 }):mean() * p.lr / 2 end
print(string.format("over the last quarter, over 2/lr: batch sharpness %.2f, lambda_max %.2f",
                    level("batch_sharpness"), level("lambda_max")))
