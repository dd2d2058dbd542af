-- A sharpness that rescaling the weights before a batch norm does not change, the change of the loss along the sharpest direction over a diameter
-- tied to the norms of the weights, says which networks generalise, and descending it makes them better. Yi, Zhang, Chen, Ma & Liu, "BN-invariant
-- Sharpness Regularizes the Training Model to Better Generalization", arXiv 2101.02944. See docs/papers/bn_sharpness.md.
local claims, papers, sharpness, rank = require "claims", require "papers", require "sharpness", require("numerics").rank_correlation
local p = eoss.params({ data = "fashion_mnist", n = 1000, test_n = 10000, noise = 0.2, hidden = { 64, 64 }, eps = 1e-12, epochs = 40, batch = 50,
                        lr = 0.1, weight = 1, delta = 1, batches = { 10, 25, 50, 100 }, lrs = { 0.05, 0.1, 0.2, 0.4, 0.8 }, seeds = 5, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 50000, hidden = { 512, 512 }, batches = { 32, 64, 128, 256 }, batch = 128 } } })
local nn, found, all, curves, normed, lines = eoss.nn, {}, {}, {}, {}, {}
for i in ipairs(p.hidden) do normed[i] = 3 * i - 3 .. ".weight" end
local function start(seed, noise, batch, lr, weight, name)
  local data, layers = papers.data(p.data, { n = p.n, test_n = p.test_n, seed = seed, label_noise = noise }), { seed = seed, dtype = "f64" }
  for i, width in ipairs(p.hidden) do
    local linear, norm = nn.linear(p.hidden[i - 1] or data.inputs, width, { bias = false }), nn.batchnorm(width, { eps = p.eps })
    table.move({ linear, norm, nn.activation("relu") }, 1, 3, #layers + 1, layers)
  end
  layers[#layers + 1] = nn.linear(p.hidden[#p.hidden], data.outputs)
  local net, rate = nn.sequential(layers), eoss.schedule.cosine{ from = lr, to = lr / 1000, steps = p.epochs * (p.n // batch) }
  local rule = weight > 0 and sharpness.descent{ model = net, lr = rate, weight = weight, delta = p.delta } or eoss.optim.sgd{ lr = rate }
  return eoss.run{ name = name, model = net, data = data, loss = "ce", optimizer = rule, batch_size = batch, seed = seed, file = name ~= nil }
end
papers.expect(start(p.seed, p.noise, p.batches[1], p.lr, 0), { epochs = p.epochs, times = p.seeds * #p.batches * #p.lrs })
for seed = p.seed, p.seed + p.seeds - 1 do
  local here, runs = {}, {}
  for i = 1, #p.batches * #p.lrs do runs[i] = start(seed, p.noise, p.batches[(i - 1) // #p.lrs + 1], p.lrs[(i - 1) % #p.lrs + 1], 0) end
  eoss.parallel(runs, { epochs = p.epochs })
  for _, run in ipairs(runs) do
    local at, test, top = sharpness.rescaled(run, normed, seed), run:evaluate{ data = "test" }, run:measure("lambda_max").value
    local S, same = sharpness.measure(run, { delta = p.delta }).value, sharpness.measure(run, { delta = p.delta, at = at }).value
    claims.gather({ here = here, all = all }, { "here", "all" }, { S = S, top = top, loss = run.loss, test = 100 * test.accuracy,
      same = same / S, factor = run:hessian{ at = at }:top(1).values[1] / top })
  end
  claims.gather(found, { "rank" }, { S = rank(here.S, here.test), loss = rank(here.loss, here.test), top = rank(here.top, here.test) })
  for _, noise in ipairs{ p.noise, 0 } do
    local now, shown = {}, seed == p.seed and noise == p.noise
    for i, name in ipairs{ "sgd", "regularised" } do
      local run = start(seed, noise, p.batch, p.lr, (i - 1) * p.weight, shown and name or nil)
      run:track("test_accuracy", { every = 2 * (p.n // p.batch) })
      run:train{ epochs = p.epochs }
      now[i] = { run = run, test = 100 * run:measure("test_accuracy").value, sharpness = sharpness.measure(run, { delta = p.delta }) }
      if shown then curves[i], lines[i] = run, { x = now[i].sharpness.slice.x, y = now[i].sharpness.slice.losses, name = name } end
    end
    claims.gather(found, { noise > 0 and "noisy" or "clean" }, { more = now[2].test - now[1].test, over_best = now[2].test - eoss.max(here.test),
      S = now[2].sharpness.value / now[1].sharpness.value, cost = now[2].run:costs().training.operations / now[1].run:costs().training.operations })
  end
end
claims.report(curves, {
  { "units before batch norm rescaled: same S", "|S′/S − 1|, most", predicted = 0, measured = claims.distance(all.same, 1), band = { 0, 0.001 } },
  { "not the same λ_max", "over it before, mean", predicted = "> 1", measured = all.factor, band = { 2, math.huge } },
  { "S says who generalises", "rank corr., accuracy", predicted = "< 0", measured = found.rank.S, band = { -0.95, -0.34 }, from = "seeds" },
  { "low training loss does not", "rank corr., accuracy", predicted = "≥ 0", measured = found.rank.loss, band = { 0.23, 1 }, from = "seeds" },
  { "nor does low λ_max", "rank corr., accuracy", predicted = "≥ 0", measured = found.rank.top, band = { 0.47, 0.85 }, from = "seeds" },
  { "descending S lowers it", "S over SGD's", predicted = "< 1", measured = found.noisy.S, band = { 0, 1 } },
  { "and is better than SGD", "accuracy, points", predicted = "> 0", measured = found.noisy.more, band = { 0, math.huge } },
  { "than SGD at any rate and batch", "the same, over the best", predicted = "> 0", measured = found.noisy.over_best, band = { 0, math.huge } },
  { "and with right labels", "accuracy, points", predicted = "> 0", measured = found.clean.more, band = { 0, math.huge } },
  { "at the cost of three gradients", "operations over SGD's", predicted = 3, measured = found.noisy.cost, band = { 2.8, 3.2 } },
}, { from = "theory" })
eoss.plot("bn_sharpness.svg", curves, { { { x = all.S, y = all.test, style = "points" }, title = "test accuracy over S" },
  { { x = all.top, y = all.test, style = "points" }, log_x = true, title = "test accuracy over λ_max" }, "test_accuracy",
  { lines[1], lines[2], title = "loss along the sharpest direction" } }, { columns = 2 })
