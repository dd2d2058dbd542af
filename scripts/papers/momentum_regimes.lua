-- Momentum has two regimes. Batch sharpness of SGD with Polyak's momentum settles at 2(1 − β)/η with small batches, where momentum is a larger
-- rate, η/(1 − β), and at 2(1 + β)/η with all samples, where it damps: at one rate the same momentum lowers the edge, or raises it.
-- arXiv 2604.14108. See docs/papers/momentum_regimes.md.
local claims, papers, levels = require "claims", require "papers", require "levels"
local p = eoss.params({ data = "fashion_mnist", n = 512, noise = 0.3, width = 50, init_scale = 0.5, lr = 0.04, betas = { 0, 0.25, 0.5 },
                        batches = { 8, 64, 512 }, steps = { 10000, 5000, 3000 }, points = 50, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 8192, noise = 0, width = 512, init_scale = 0.2, betas = { 0, 0.5, 0.9 },
                                             batches = { 16, 512, 8192 }, steps = { 100000, 50000, 20000 } } } })
local function start(beta, i, seed)
  local data = papers.data(p.data, { n = p.n, label_noise = p.noise, test_n = 1000, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = { p.width, p.width }, outputs = data.outputs, init_scale = p.init_scale, seed = seed }
  local run = eoss.run{ name = string.format("beta%g-b%d", beta, p.batches[i]), model = net, data = data, loss = "mse", seed = seed,
                        optimizer = eoss.optim.momentum{ lr = p.lr, beta = beta }, batch_size = p.batches[i],
                        file = seed == p.seed and beta == p.betas[#p.betas] }
  run:track({ "edge", "loss", "lambda_max", "batch_sharpness" }, { every = p.steps[i] // p.points, rel_error = 0.02 })
  return run
end

local shown, found, three = {}, {}, #p.batches
papers.expect(start(p.betas[1], three, p.seed), { to = p.steps[three], times = 2 * p.seeds * #p.betas })
for seed = p.seed, p.seed + p.seeds - 1 do
  local goals = {}
  for _, beta in ipairs(p.betas) do
    for i in ipairs(p.batches) do goals[#goals + 1] = { run = start(beta, i, seed), to = p.steps[i], max_loss = 100 } end
  end
  eoss.parallel(goals)
  for k, goal in ipairs(goals) do
    local i, beta = (k - 1) % three + 1, p.betas[(k - 1) // three + 1]
    local function level(run, name) return run:series(name, { from = 2 * goal.to // 3 }):mean() * p.lr / 2 end
    local mine = level(goal.run, "batch_sharpness")
    claims.gather(found, { i, "b " .. p.batches[i] .. ", β " .. beta }, { level = mine, share = level(goal.run, "lambda_max") / mine,
      off = mine / (i == 1 and 1 - beta or 1 + beta), ratio = mine / level(goals[i].run, "batch_sharpness") })
    if seed == p.seed and beta == p.betas[#p.betas] then shown[i] = goal.run end
  end
end

local beta = p.betas[#p.betas]
local function at(i) return found["b " .. p.batches[i] .. ", β " .. beta] end
claims.report(shown, {
  { "small batches: 2(1 − β)/η", "over it, mean over β", predicted = 1, measured = found[1].off, band = { 0.92, 1.05 } },
  { "all samples: 2(1 + β)/η", "over it, mean over β", predicted = 1, measured = found[three].off, band = { 0.96, 1.06 } },
  { "so the largest β lowers the edge", "over that of β = 0, small b", predicted = 1 - beta, measured = at(1).ratio, band = { 0.43, 0.67 } },
  { "or raises it", "the same, all samples", predicted = 1 + beta, measured = at(three).ratio, band = { 1.44, 1.51 } },
  { "in between it is in between", "over 2/η, middle b", predicted = string.format("%g … %g", 1 - beta, 1 + beta), measured = at(2).level,
    band = { 1 - beta, 1 + beta }, from = "theory" },
  { "small batches: λ_max below", "over batch sharpness", predicted = "< 1", measured = at(1).share, band = { 0.37, 0.56 } },
}, { from = "seeds" })
local function over(i) return claims.points(found, "b " .. p.batches[i] .. ", β ", p.betas, "level") end
local function line(sign) return { x = { 0, beta }, y = { 1, 1 + sign * beta }, name = sign > 0 and "1 + β" or "1 − β" } end
eoss.plot("momentum_regimes.svg", shown, { { "batch_sharpness" }, { "lambda_max" },
  { over(1), over(2), over(3), line(-1), line(1), title = "batch sharpness over 2/η, over β" } })
