-- Fresh noise on the labels regularises: SGD stays where the loss is nearly zero and walks on there to flatter minima, as the flow of L + λR does,
-- λ = ησ²/b for half the squared error, R = -tr log(1 - ηH/2)/2η, a quarter of tr H at small rates. Damian, Ma & Lee,
-- "Label Noise SGD Provably Prefers Flat Global Minimizers", arXiv 2106.06530. See docs/papers/label_noise.md.
local claims, papers, found, shown = require "claims", require "papers", {}, {}
local p = eoss.params({ data = "fashion_mnist", n = 12, d = 5, width = 16, flat = 1, sharp = 2, lambda = 0.005, lr = 0.02, edge = 0.75, beta = 0.9,
                        batch = 6, warm = 20000, time = 50, seeds = 30, seed = 1 },
                      { scales = { paper = { n = 64, d = 20, width = 128, warm = 100000, time = 500 } } })
-- Descent on L + λR of a rate η, in small steps. ∇R is the mean of ∇(yᵀHz)/4 over normal z, y = z/(1 - ηH/2) as a series; one z each step.
local function regularised(eta, terms) return eoss.optim.custom{ name = "regularised", lr = 0.05, step = function(state, context)
  local z, h = context:randn(), 1e-3
  local y = z
  for _ = 1, terms do y = z + eta / 2 * context:hvp(y) end
  local slope = (context:hvp(y, { at = context.params + h * z }) - context:hvp(y, { at = context.params - h * z })) / (2 * h)
  return context.params - context.lr * (context:gradient() + p.lambda / 4 * slope)
end } end
local function noise(eta, b, beta) -- of the size that has the same λ at any rate η/(1 - β)
  return eoss.optim.label_noise{ lr = eta * (1 - beta), beta = beta, sigma = math.sqrt(p.lambda * b / eta) }
end
-- How much lower tr H is, in the mean over a time, and the loss over what noise around a minimum keeps up, λ/4 tr H/(1 - ηH/2).
local function fall(base, name, rule, eta, batch)
  local run, steps, at = base:fork{ name = name, optimizer = rule, batch_size = batch or p.batch }, math.floor(p.time / eta + 0.5), {}
  for k = 0, 20 do at[k + 1] = base.step + k * steps // 20 end
  run:track("hessian_trace", { at = at, min_samples = #run.params, max_samples = #run.params }) -- so many vectors are exact
  run:track("loss", { every = math.max(1, steps // 1000) })
  run:track("kept up", { at = at, fn = function(r)
    local values = r:hessian():top(p.n).values
    return p.lambda / 4 * eoss.sum(values / (1 - eta / 2 * values))
  end })
  run:train{ steps = steps }
  local trace, late = run:series("hessian_trace"), { from = base.step + steps // 2 }
  return trace.values[1] - trace:mean(), run:series("loss", late):mean() / run:series("kept up", late):mean(), run
end
for seed = p.seed, p.seed + p.seeds - 1 do for _, start in ipairs{ "flat", "sharp" } do
  local data = papers.components(p.data, { n = p.n, d = p.d, seed = seed })
  local net = eoss.nn.mlp{ inputs = p.d, hidden = { p.width }, outputs = 1, activation = "tanh", init_scale = p[start], seed = seed, dtype = "f64" }
  local base = eoss.run{ name = start, model = net, data = data, loss = "half_mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                         seed = seed, file = seed == p.seed }
  if not found.all then papers.expect(base, { to = p.warm + 1000 * p.time + 252 * #net.params, times = 2 * p.seeds }) end -- in gradients
  base:train{ steps = p.warm }
  local large = p.time / 20 / math.ceil(p.time / 20 / (p.edge * 2 / base:measure("lambda_max").value))
  local flow, _, a = fall(base, "flow", regularised(p.lr, 2), 0.05, "full")
  local steep, _, b = fall(base, "flow-large", regularised(large, 12), 0.05, "full")
  local sgd, kept, c = fall(base, "sgd", noise(p.lr, p.batch, 0), p.lr)
  local beyond, above, d = fall(base, "large", noise(large, p.n, 0), large, "full")
  local momentum, none = fall(base, "momentum", noise(p.lr, p.batch, p.beta), p.lr), fall(base, "none", eoss.optim.sgd{ lr = p.lr }, p.lr)
  claims.gather(found, { "all", start }, { sgd = sgd / flow, momentum = momentum / flow, large = beyond / steep, beyond = beyond / sgd,
    predicted = steep / flow, none = none / sgd, kept = kept, above = above })
  if seed == p.seed then shown = { a, b, c, d } end
end end
local faster = (claims.mean(found.all.predicted))
claims.report(shown, {
  { "from a flat start tr H falls as along L + λR", "over the flow's fall", predicted = 1, measured = found.flat.sgd, band = { 0.9, 1.1 } },
  { "from a sharp start", "over the flow's fall", predicted = 1, measured = found.sharp.sgd, band = { 0.9, 1.1 } },
  { "momentum: λ/(1 − β), at η/(1 − β)", "over the flow's fall", predicted = 1, measured = found.all.momentum, band = { 0.9, 1.1 } },
  { "a large rate: L + λR of that rate", "over the flow's fall", predicted = 1, measured = found.all.large, band = { 0.9, 1.1 } },
  { "faster than small η with that λ", "over its fall", predicted = faster, measured = found.all.beyond, band = { 0.9 * faster, 1.1 * faster } },
  { "loss: λ/4 tr H/(1 − ηH/2)", "loss over this", predicted = 1, measured = found.all.kept, band = { 0.9, 1.1 } },
  { "at the large rate, too", "loss over this", predicted = 1, measured = found.all.above, band = { 0.9, 1.1 } },
  { "without noise tr H stays", "fall over SGD's", predicted = 0, measured = found.all.none, band = { -0.001, 0.001 } } }, { from = "theory" })
eoss.plot("label_noise.svg", shown, { "hessian_trace", "loss" }, { x = "time" })
