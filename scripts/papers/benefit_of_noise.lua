-- The best rate of SGD grows with the batch while noise limits it, then stays where curvature does; at one number of steps smaller batches
-- generalise better, at the same training loss, too. New: the bend is near where batch sharpness stops falling with b, and beyond it is near 2/η.
-- Smith, Elsen & De, "On the Generalization Benefit of Noise in SGD", arXiv 2006.15081. See docs/papers/benefit_of_noise.md.
local claims, papers, numerics, found, shown, log, bs = require "claims", require "papers", require "numerics", {}, {}, math.log, "batch_sharpness"
local p = eoss.params({ data = "fashion_mnist", n = 1024, test_n = 10000, hidden = { 50, 50 }, beta = 0.9, bend = 32, low = -8, high = 0, seeds = 4,
  sgd = { 2, 4, 8, 16, 32, 64, 128, 256, 512 }, momentum = { 8, 32, 128, 512 }, epochs = 40, same = { 2, 8, 32, 128, 1024 }, steps = 800, seed = 1 },
  { scales = { paper = { data = "cifar10", n = 49152, hidden = { 512, 512 }, steps = 9750, epochs = 200 } } })
local small, noisy, curved, large, full, less = p.sgd[1], p.momentum[1], 2 * p.bend, p.sgd[#p.sgd], p.same[#p.same], { -math.huge, 0 }
-- A training at the rate 2^e, constant for half of the steps, then falling on a line; with momentum 2^e is η/(1 − β).
local function start(kind, b, e, data, seed)
  local steps, beta = kind == "same" and p.steps or p.epochs * p.n // b, kind == "momentum" and p.beta or 0
  local rate, half, keep = (1 - beta) * 2.0 ^ e, steps // 2, kind == "same" and seed == p.seed and b >= p.bend and e == -3
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", init_scale = 1, seed = seed }
  local lr = eoss.schedule.piecewise({ [0] = rate, [half] = rate, [steps] = rate / 1000 }, { linear = true })
  local run = eoss.run{ name = "noise-b" .. b, model = net, data = data, loss = "ce", batch_size = b, seed = seed, file = keep,
                        optimizer = eoss.optim.momentum{ lr = lr, beta = beta } }
  run:track({ bs, "lambda_max" }, { at = { half }, rel_error = 0.1 })
  for _, c in ipairs(b == p.bend and p.sgd or {}) do run:track(bs, { at = { half }, batch_size = c, as = "of " .. c, rel_error = 0.1 }) end
  shown[#shown + 1] = keep and run or nil
  return { run = run, to = steps, max_loss = 100 }
end
for seed = p.seed, p.seed + p.seeds - 1 do
  local data, octave, level, ends = papers.data(p.data, { n = p.n, test_n = p.test_n, seed = seed }), {}, {}, {}
  for _, kind in ipairs{ "sgd", "momentum", "same" } do
    for _, b in ipairs(p[kind]) do
      local goals = {}
      for e = p.low, p.high do goals[#goals + 1] = start(kind, b, e, data, seed) end
      if kind == "sgd" and b == small and seed == p.seed then papers.expect(goals[1].run, { to = goals[1].to, times = 3 * #goals * p.seeds }) end
      local one = papers.compare(goals, function(run)
        return { loss = log(math.min(run.loss, log(10)), 2), wrong = 100 - 100 * run:measure("test_accuracy").value } end)
      local function over_edge(name) return one.loss.run:series(name):last() * 2.0 ^ (one.loss.index + p.low - 2) end
      claims.gather(found, { kind .. " " .. b, kind .. (b > p.bend and " large" or "") }, { rate = one.loss.place + p.low - 1, loss = one.loss.least,
        accuracy = 100 - one.wrong.least, sharpness = over_edge(bs), top = over_edge("lambda_max") })
      ends[kind .. b] = one
    end
  end
  for i, b in ipairs(p.sgd) do
    octave[i], level[i] = log(b, 2), log(ends["sgd" .. p.bend].loss.run:series("of " .. b):last(), 2)
    claims.gather(found, { "edge " .. b }, { rate = 1 - level[i] })
  end
  local one, all, bend = ends["same" .. p.bend], ends["same" .. full], ends["sgd" .. large].loss.place - ends["sgd" .. small].loss.place + octave[1]
  claims.gather(found, { "all" }, { bend = bend - numerics.crossing(octave, level, level[#level] + 1),
    more = one.wrong.least - numerics.crossing(all.wrong.list, all.loss.list, one.loss.list[one.wrong.index]) })
end
local function more(name, kind, b, than, other) return claims.differences(found, name, kind .. " " .. b, (other or kind) .. " " .. than) end
claims.report(shown, {
  { "small b: η* ∝ b", "log₂ η* at 4b over b", predicted = 2, measured = more("rate", "sgd", noisy, small), band = { 1.62, 2.26 } },
  { "large b: η* stays", "log₂ η* at 8b over b", predicted = 0, measured = more("rate", "sgd", large, curved), band = { -0.54, 1.03 } },
  { "momentum: one η/(b(1 − β))", "log₂ over SGD", predicted = 0, measured = more("rate", "momentum", noisy, noisy, "sgd"), band = { -0.38, 0.42 } },
  { "same steps: large b fit better", "log₂ loss", predicted = "< 0", measured = more("loss", "same", full, p.bend), band = less, from = "theory" },
  { "and generalise worse", "% over the bend's", predicted = "< 0", measured = more("accuracy", "same", full, p.bend), band = less, from = "theory" },
  { "at the same loss, too", "% over the bend's", predicted = "< 0", measured = found.all.more, band = less, from = "theory" },
  { "batch sharpness at η*, smallest b", "over 2/η", predicted = "< 1", measured = found["sgd " .. small].sharpness, band = { 0.13, 0.48 } },
  { "and beyond the bend", "over 2/η, mean", predicted = 1, measured = found["sgd large"].sharpness, band = { 0.79, 1.31 } },
  { "the bend is where it stops falling", "log₂ b over there", predicted = 0, measured = found.all.bend, band = { -1, 1 }, from = "theory" },
}, { from = "seeds" })
local function over(kind, name, label) return claims.points(found, kind .. " ", kind == "edge" and p.sgd or p[kind], name, label) end
eoss.plot("benefit_of_noise.svg", shown, { { over("sgd", "rate"), over("momentum", "rate"), over("same", "rate"), over("edge", "rate"), log_x = true,
  title = "log₂ of the best rate" }, { over("sgd", "sharpness", "batch sharpness"), over("sgd", "top", "λ_max"), log_x = true, title = "over 2/η" },
  { over("sgd", "accuracy"), over("momentum", "accuracy"), over("same", "accuracy"), log_x = true, title = "test accuracy at the best rate" } })
