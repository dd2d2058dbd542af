-- The learning rate is switched at the edge, on the network and on the quadratic expansion of its loss about that point. Where batch
-- sharpness then lies above 2/lr, the quadratic diverges, and the network, whose curvature gives way, settles at the new 2/lr. The
-- quadratic is that of Gauss and Newton: along negative curvature, that of the Hessian falls without end at any rate.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553.
local p = eoss.params{ lr = 0.05, factors = { 0.5, 0.7, 1, 1.3, 1.6 }, batch = 16, before = 8000, after = 1500, n = 2048, seed = 1,
                       expansion = "gauss_newton" }

local data = eoss.data.fashion_mnist{ n = p.n, label_noise = 0.3, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {200, 200}, outputs = data.outputs,
                         activation = "relu", init_scale = 0.3, seed = p.seed }
local run = eoss.run{ name = "quadratic_switch", model = net, data = data, loss = "mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = p.seed }
run:train{ to = p.before }
local sharpness = run:measure("batch_sharpness")

local function go_on(name, lr, expansion)
  local fork = run:fork{ name = name, lr = lr, expansion = expansion }
  fork:track("loss", { every = 50 })
  local why = fork:train{ steps = p.after, max_loss = 20 }
  local diverged = why == "max_loss"
  local level = diverged and "" or string.format("%.2f", fork:measure("batch_sharpness") * lr / 2)
  return diverged and "diverges" or string.format("%.3f", fork.loss), level, fork
end

local rows, forks = {}, {}
for i, factor in ipairs(p.factors) do
  local lr = factor * p.lr
  local over = sharpness * lr / 2
  local quadratic, _, a = go_on("quadratic-" .. i, lr, p.expansion)
  local network, level, b = go_on("network-" .. i, lr)
  rows[i] = string.format("%8g %12.2f  %-9s  %-9s %12s %18s", lr, over, over > 1 and "diverges" or "stays",
    quadratic, network, level)
  forks[#forks + 1], forks[#forks + 2] = a, b
end
eoss.plot("quadratic_switch.svg", forks, { "loss" })

print(string.format("loss %.3f at step %d, batch sharpness %.1f", run.loss, run.step, sharpness.value))
print("         batch sharpness  the quadratic                the network")
print("      lr     over 2/lr  predicted  measured      loss after   sharpness over 2/lr")
print(table.concat(rows, "\n"))
