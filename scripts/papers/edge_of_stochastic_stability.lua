-- Mini-batch SGD holds batch sharpness, the curvature of a batch along its own gradient, at 2/η; λ_max of all samples stays below, the
-- lower the smaller the batch. The gradient–noise interaction is at 2/η long before. Rates and batches that are switched: a catapult.
-- Andreyev & Beneventano, "Edge of Stochastic Stability", arXiv 2412.20553. See docs/papers/edge_of_stochastic_stability.md.
local claims, papers, levels = require "claims", require "papers", require "levels"
local p = eoss.params({ data = "fashion_mnist", n = 512, noise = 0.3, width = 50, init_scale = 0.5, lrs = { 0.04, 0.06, 0.09 },
                        batches = { 8, 16, 32 }, steps = 12000, every = 200, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 8192, noise = 0, width = 512, init_scale = 0.2, steps = 100000, every = 500 } } })
local switch, early, count, shown, found = p.steps // 4, { from = p.every, to = p.steps // 8 }, #p.batches, {}, {}
local switches = { { "rate-up", "up", { lr = p.lrs[3] } }, { "batch-down", "up", { batch_size = p.batches[1] } },
                   { "rate-down", "down", { lr = p.lrs[1] } }, { "batch-up", "down", { batch_size = p.batches[3] } } }
local function start(lr, b, seed)
  local data = papers.data(p.data, { n = p.n, label_noise = p.noise, test_n = 1000, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = { p.width, p.width }, outputs = data.outputs, init_scale = p.init_scale, seed = seed }
  local run = eoss.run{ name = string.format("sgd-lr%g-b%d", lr, b), model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = lr },
                        batch_size = b, seed = seed, file = seed == p.seed and lr == p.lrs[2] }
  run:track({ "edge", "loss", "lambda_max", "batch_sharpness" }, { every = p.every, rel_error = 0.02 })
  return run
end
papers.expect(start(p.lrs[2], p.batches[2], p.seed), { to = p.steps, times = p.seeds * (#p.lrs * count + 3) })
for seed = p.seed, p.seed + p.seeds - 1 do
  local all = {}
  for i = 0, #p.lrs * count - 1 do all[i + 1] = start(p.lrs[i // count + 1], p.batches[i % count + 1], seed) end
  local points, main, edge = #all, all[count + 2], 2 / p.lrs[2]
  main:track("loss", { every = p.every // 10, as = "loss nearby" })
  main:track("gni", { every = p.every, max_samples = 100 })
  eoss.parallel(all, { to = switch, max_loss = 100 })
  for i, s in ipairs(switches) do all[points + i] = main:fork{ name = s[1], lr = s[3].lr, batch_size = s[3].batch_size } end
  for i, s in ipairs(switches) do s.jump = all[points + i]:measure("batch_sharpness").value * all[points + i].lr / 2 end
  eoss.parallel(all, { to = p.steps, max_loss = 100 })
  local function level(i, name, from) return levels.last_third(all[i], name, from or 0, p.steps).mean end
  for i = 1, points do
    local b, lr, sharpness, share = all[i].batch_size, all[i].lr, level(i, "batch_sharpness"), level(i, "lambda_max")
    claims.gather(found, { "all", "b " .. b, "η " .. lr .. ", b " .. b }, { level = sharpness, share = share, below = share / sharpness })
    if i % count ~= 1 then claims.gather(found, { "all" }, { smaller = level(i - 1, "lambda_max") / share }) end
    if i > points - count then claims.gather(found, { "all" }, { larger = share / level(i - points + count, "lambda_max") }) end
  end
  local function peak(run) return eoss.max(run:series("loss nearby", { from = switch + 1, to = switch + switch // 3 }).values) end
  for i, s in ipairs(switches) do
    local after = level(points + i, "batch_sharpness", switch)
    claims.gather(found, { s[1], s[2] }, { jump = s.jump, peak = peak(all[points + i]) / peak(main), level = after, rise = after - s.jump })
  end
  claims.gather(found, { "main" }, { gni = main:series("gni", early):median() / edge, low = main:series("batch_sharpness", early):median() / edge })
  if seed == p.seed then shown = { all[count + 1], main, all[count + 3], table.unpack(all, points + 1) } end
end
claims.report(shown, {
  { "batch sharpness settles at 2/η", "over it, mean over η, b", predicted = 1, measured = found.all.level, band = { 0.97, 1.09 }, from = "seeds" },
  { "at each η and b", "farthest from 1", predicted = 0, measured = claims.distance(found.all.level, 1), band = { 0, 0.2 }, from = "seeds" },
  { "λ_max lies below it", "λ_max over it, largest", predicted = "< 1", measured = eoss.max(found.all.below), band = { 0, 1 } },
  { "lower for smaller b", "λ_max at b over 2b, largest", predicted = "< 1", measured = eoss.max(found.all.smaller), band = { 0, 1 } },
  { "and larger η, as part of 2/η", "largest over smallest η", predicted = "< 1", measured = found.all.larger, band = { 0, 1 } },
  { "gni is at 2/η early", "over it, first eighth", predicted = 1, measured = found.main.gni, band = { 0.93, 1.15 }, from = "seeds" },
  { "batch sharpness is not", "over 2/η, the same steps", predicted = "< 1", measured = found.main.low, band = { 0.56, 0.66 }, from = "seeds" },
  { "η up or b down: a catapult", "peak of loss over without", predicted = "> 1", measured = found.up.peak, band = { 1, math.huge } },
  { "and back to the new 2/η", "over it, last third", predicted = 1, measured = found.up.level, band = { 1.02, 1.1 }, from = "seeds" },
  { "η down or b up: it rises anew", "rise over 2/η", predicted = "> 0", measured = found.down.rise, band = { 0, math.huge } },
}, { from = "theory" })
local function over(i, name) return claims.points(found, "η " .. p.lrs[i] .. ", b ", p.batches, name) end
eoss.plot("edge_of_stochastic_stability.svg", shown, { { "batch_sharpness", title = "batch sharpness over 2/η", ylim = { 0, 1.6 } },
  { over(1, "level"), over(2, "level"), over(3, "level"), title = "its level over b", log_x = true }, { "lambda_max", title = "λ_max over 2/η" },
  { over(1, "share"), over(2, "share"), over(3, "share"), title = "its level over b", log_x = true }, "loss" }, { over_edge = true, columns = 2 })
