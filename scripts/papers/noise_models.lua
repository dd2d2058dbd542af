-- What models SGD at its edge? From one state with batch sharpness at 2/η: SGD; descent on all samples with noise of SGD's covariance, of its
-- diagonal, of its trace, of constant size; the stochastic differential equation; SGD on the quadratic expansion of the loss.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553. See docs/papers/noise_models.md.
local claims, papers, levels = require "claims", require "papers", require "levels"
local p = eoss.params({ data = "fashion_mnist", n = 512, noise = 0.3, width = 50, init_scale = 0.5, lr = 0.06, batch = 16,
                        warm = 6000, steps = 1000, every = 40, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 8192, noise = 0, width = 512, init_scale = 0.2, lr = 0.02, warm = 50000 } } })
local function start(seed)
  local data = papers.data(p.data, { n = p.n, label_noise = p.noise, test_n = 1000, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = { p.width, p.width }, outputs = data.outputs, init_scale = p.init_scale, seed = seed }
  return eoss.run{ name = "start", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr }, batch_size = p.batch, seed = seed,
                   file = seed == p.seed }
end
-- Names, and what forks have of their own. c of the constant noise is that of the isotropic one at the state where they begin.
local function models(run)
  local lr, b, spread = p.lr, p.batch, run:measure("gradient_norm_mc").value - run:measure("gradient_norm").value ^ 2
  return {
    { "SGD", {} }, { "no noise", { optimizer = eoss.optim.sgd{ lr = lr } } },
    { "covariance", { optimizer = eoss.optim.noisy_sgd{ lr = lr, noise_batch = b } } },
    { "diagonal", { optimizer = eoss.optim.noisy_diag{ lr = lr, noise_batch = b } } },
    { "trace", { optimizer = eoss.optim.noisy_iso{ lr = lr, noise_batch = b } } },
    { "constant", { optimizer = eoss.optim.noisy_const{ lr = lr, noise_batch = b, noise_scale = math.sqrt(b * spread / #run.params) } } },
    { "SDE", { optimizer = eoss.optim.sde{ lr = lr, h = lr / 4, noise_batch = b } } },
    { "quadratic", { expansion = "gauss_newton" } }, { "quadratic, slow", { expansion = "gauss_newton", lr = lr / 2 } },
    { "quadratic, fast", { expansion = "gauss_newton", lr = 1.5 * lr } }, { "SGD, fast", { lr = 1.5 * lr } },
  }
end
local same = { diagonal = "alike", trace = "alike", constant = "alike" }
local shown, found = {}, {}
papers.expect(start(p.seed), { to = p.warm + p.steps, times = p.seeds * 25 })
for seed = p.seed, p.seed + p.seeds - 1 do
  local run, forks, names = start(seed), {}, {}
  run:train{ to = p.warm }
  run:track({ "edge", "loss", "lambda_max", "batch_sharpness" }, { every = p.every, rel_error = 0.02, batch_size = p.batch })
  for i, model in ipairs(models(run)) do
    model[2].name, model[2].batch_size, names[i] = model[1], model[2].optimizer and "full" or nil, model[1]
    forks[i] = run:fork(model[2])
  end
  local reached = eoss.parallel(forks, { steps = p.steps, max_loss = 100 })
  for i, fork in ipairs(forks) do
    local function level(name, of) return (of or fork):series(name, { from = p.warm + p.steps // 3, to = p.warm + p.steps }):mean() end
    claims.gather(found, { names[i], same[names[i]] }, { level = level("batch_sharpness") * fork.lr / 2,
      ratio = level("lambda_max") / level("lambda_max", forks[1]), diverged = reached[i] == "max_loss" and 1 or 0 })
  end
  shown = seed == p.seed and forks or shown
end
claims.report(shown, {
  { "SGD stays at 2/η", "batch sharpness over it", predicted = 1, measured = found.SGD.level, band = { 0.9, 1.08 } },
  { "noise of its covariance, too", "the same", predicted = 1, measured = found.covariance.level, band = { 0.89, 1.1 } },
  { "diagonal, trace, constant do not", "the same, mean of three", predicted = "< 1", measured = found.alike.level, band = { 0.26, 0.54 } },
  { "nor does descent without noise", "the same", predicted = "< 1", measured = found["no noise"].level, band = { 0.26, 0.5 } },
  { "nor the SDE", "the same", predicted = "< 1", measured = found.SDE.level, band = { 0.67, 0.86 } },
  { "λ_max: covariance", "over that of SGD", predicted = 1, measured = found.covariance.ratio, band = { 0.91, 1.03 } },
  { "diagonal, trace, constant", "over that of SGD", predicted = "> 1", measured = found.alike.ratio, band = { 0.99, 1.11 } },
  { "SDE", "over that of SGD", predicted = "> 1", measured = found.SDE.ratio, band = { 0.97, 1.1 } },
  { "1.5η: the quadratic diverges", "share of runs", predicted = 1, measured = found["quadratic, fast"].diverged, band = { 1, 1 }, from = "theory" },
  { "at η/2 it does not", "share of runs", predicted = 0, measured = found["quadratic, slow"].diverged, band = { 0, 0 }, from = "theory" },
  { "1.5η: the network settles anew", "batch sharpness", predicted = 1, measured = found["SGD, fast"].level, band = { 0.87, 1.19 } },
}, { from = "seeds" })
eoss.plot("noise_models.svg", { shown[1], shown[3], shown[5], shown[7] }, { { "batch_sharpness" }, { "lambda_max" } }, { lines = { 2 / p.lr } })
