-- The noise of mini-batches along the top eigenvector u keeps λ_max of SGD below 2/η, by ηβσ²/(4α): α the rate of progressive sharpening,
-- β the strength of self-stabilisation, σ² the variance of u·g over batches; all along gradient descent from the same state.
-- Liao, Kolomvaki & Kyrillidis, "SGD at the Edge of Stability: The Stochastic Sharpness Gap", arXiv 2604.21016. See docs/papers/sharpness_level.md.
local claims, numerics, papers = require "claims", require "numerics", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 500, hidden = { 50, 50 }, lrs = { 0.015, 0.02, 0.03 }, batches = { 16, 32, 64, 125, 250 },
                        fork = 12, settle = 6, time = 18, points = 45, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 2000, hidden = { 200, 200 }, fork = 40, settle = 20, time = 60, points = 150 } } })
local found, shown, dots, middle = {}, {}, {}, p.lrs[(#p.lrs + 1) // 2]
for seed = p.seed, p.seed + p.seeds - 1 do
  local data, one = papers.data(p.data, { n = p.n, seed = seed }), {}
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "tanh", init_scale = 0.5, seed = seed }
  for j, lr in ipairs(p.lrs) do
    dots[j] = dots[j] or { x = {}, y = {}, name = "η " .. lr, style = "points" }
    local edge, every, keep, sgd, along = 2 / lr, math.floor(p.time / lr / p.points), seed == p.seed and lr == middle, {}, {}
    local full = eoss.run{ name = "all samples", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = lr },
                           seed = seed, file = keep }
    full:track({ "edge", "lambda_max" }, { every = every })
    if not shown and j == 1 then papers.expect(full, { steps = (p.fork + p.settle + p.time) // lr, times = p.seeds * #p.lrs * (1 + #p.batches) }) end
    full:train{ time = p.fork }
    for i, b in ipairs(p.batches) do
      sgd[i] = full:fork{ name = "b " .. b, batch_size = b }
      sgd[i]:track("projected_noise", { every = 5 * every })
    end
    local path, from = full:midpoint(), full.step + math.floor(p.settle / lr)
    full:train{ to = from }
    for _ = 1, p.points do
      full:train{ steps = every }
      claims.gather(along, { "path" }, { alpha = path:measure("progressive_sharpening").value, beta = path:measure("self_stabilization").value,
        noise = path:measure("projected_noise", { batch_size = 1 }).value })
    end
    eoss.parallel(sgd, { to = full.step })
    local alpha, beta, noise = eoss.mean(along.path.alpha), eoss.mean(along.path.beta), eoss.mean(along.path.noise)
    local function level(run) return run:series("lambda_max", { from = from + 1 }):mean() / edge end
    for i, b in ipairs(p.batches) do
      for _, v in ipairs(sgd[i]:series("lambda_max_predicted").values) do claims.gather(one, { "all" }, { sharpens = v == v and 1 or 0 }) end
      local gap, guess = level(full) - level(sgd[i]), lr * beta * noise * (p.n - b) / (p.n - 1) / b / (4 * alpha) / edge
      claims.gather(one, { "all", "b" .. i }, { guess = guess, gap = gap, full = level(full), level = level(sgd[i]),
        sharpness = i == 1 and sgd[i]:measure("batch_sharpness", { rel_error = 0.02 }).value / edge or nil })
      claims.gather(dots, { j }, { x = guess, y = gap })
    end
    if keep then shown = { full, table.unpack(sgd) } end
  end
  local x, y = eoss.vector(one.all.guess), eoss.vector(one.all.gap)
  local function of(key, name) return (claims.mean(one[key][name])) end
  local function three(name) return { of("b1", name), of("b2", name), of("b3", name) } end
  claims.gather(found, { "all" }, { full = of("all", "full"), slope = x:dot(y) / x:dot(x), cosine = x:dot(y) / x:norm() / y:norm(),
    power = numerics.power(three("guess"), three("gap")), sharpens = of("all", "sharpens"), sharpness = of("all", "sharpness"),
    lower = of("b1", "level") / of("b" .. #p.batches, "level") })
end
claims.report(shown, {
  { "all samples: λ_max at 2/η", "λ_max over it", predicted = 1, measured = found.all.full, band = { 1.005, 1.042 }, from = "seeds" },
  { "smaller batches: lower", "smallest b over largest", predicted = "< 1", measured = found.all.lower, band = { 0, 1 } },
  { "by ηβσ²/(4α)", "gap over this, slope", predicted = 1, measured = found.all.slope, band = { 0.72, 1.47 }, from = "seeds" },
  { "over η and b alike", "cosine of the two", predicted = 1, measured = found.all.cosine, band = { 0.964, 1 }, from = "seeds" },
  { "the gap is as (n − b)/((n − 1)b)", "power of this", predicted = 1, measured = found.all.power, band = { 0.76, 1.15 }, from = "seeds" },
  { "α > 0 where SGD is, too", "share of the points", predicted = 1, measured = found.all.sharpens, band = { 0.95, 1 } },
  { "batch sharpness is at 2/η", "over it", predicted = 1, measured = found.all.sharpness, band = { 0.9, 1.1 } },
}, { from = "theory" })
eoss.plot("sharpness_level.svg", shown, { { "lambda_max", title = "λ_max over 2/η" }, { title = "gap over 2/η, over the predicted one",
  { x = { 0, 0.35 }, y = { 0, 0.35 }, name = "as predicted" }, table.unpack(dots) } }, { over_edge = true })
