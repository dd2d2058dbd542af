-- Training at the edge of stability oscillates around a smooth path, the central flow, made of the third derivative of the loss: it predicts
-- the loss and the squared gradient on average, of descent and of RMSProp, and stays beside them where the flow without it leaves. Cohen,
-- Damian, Talwalkar, Kolter & Lee, "Understanding Optimization in Deep Learning with Central Flows", arXiv 2410.24206; docs/papers/central_flows.md.
local claims, papers = require "claims", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 100, hidden = { 32, 32 }, lr = 0.08, scalar_lr = 0.02, rmsprop_lr = 0.0002, beta2 = 0.95,
                        eps = 1e-4, warm = 300, steps = 150, rmsprop_steps = 50, every = 10, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 1000, hidden = { 256, 256 }, steps = 2000, rmsprop_steps = 2000 } } })
local panels, found, list, first = {}, {}, {}
local function rms(lr) return { lr = lr, beta2 = p.beta2, eps = p.eps } end
local rules = {
  { name = "GD", rule = eoss.optim.sgd{ lr = p.lr }, steps = p.steps },
  { name = "scalar RMSProp", rule = eoss.optim.scalar_rmsprop(rms(p.scalar_lr)), steps = p.steps },
  { name = "RMSProp", rule = eoss.optim.rmsprop(rms(p.rmsprop_lr)), steps = p.rmsprop_steps } }
for seed = p.seed, p.seed + p.seeds - 1 do
  local data, here = papers.data(p.data, { n = p.n, seed = seed }), { from = p.warm }
  local function mean(run, name) return run:series(name, here):mean() end
  local function line(run, what, as) return { x = run:series(what, here).steps, y = run:series(what, here).values, name = as } end
  for _, r in ipairs(rules) do
    local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "tanh", init_scale = 0.2, seed = seed }
    local real = eoss.run{ name = "central_flows-" .. r.name:gsub(" ", "-"):lower(), model = net, data = data, loss = "half_mse", optimizer = r.rule,
                           batch_size = "full", seed = seed, file = seed == p.seed }
    local gd, flows = r.name == "GD", { real = real }
    local sharp, edge = gd and "lambda_max" or "effective_sharpness", gd and 2 / p.lr or 2
    if gd and not first then papers.expect(real:fork{ optimizer = eoss.flow.central{ of = r.rule } }, { steps = r.steps, times = 3 * p.seeds }) end
    real:train{ to = p.warm }
    real:track({ "loss", "gradient_norm", sharp }, { every = 1 })
    for _, kind in ipairs(gd and { "central", "stable" } or { "central" }) do
      flows[kind] = real:fork{ name = real.name .. "-" .. kind, optimizer = eoss.flow[kind]{ of = real.optimizer } }
    end
    local central, begin = flows.central, real.params
    central:track({ "predicted_loss", "predicted_squared_gradient_norm" }, { every = 1 })
    local lockstep = eoss.lockstep(flows, { steps = r.steps, every = p.every, distance = "midpoints" })
    local function away(kind) return lockstep:series("midpoints", "real", kind):last() end
    local norms, losses, falls = real:series("gradient_norm", here).values, central:series("loss", here).values, 0
    for i = 2, #losses do falls = falls + (losses[i] < losses[i - 1] and 1 or 0) end
    claims.gather(found, { r.name, "all" }, { loss = mean(central, "predicted_loss") / mean(real, "loss"), level = mean(central, sharp) / edge,
      squares = mean(central, "predicted_squared_gradient_norm") / eoss.mean(norms * norms), own = mean(central, "loss") / mean(real, "loss"),
      path = away("central") / (real.params - begin):norm(), falls = falls / (#losses - 1),
      stable = gd and mean(flows.stable, sharp) / edge, further = gd and away("stable") / away("central") })
    if seed == p.seed then
      panels[#panels + 1] = { line(real, "loss", r.name), line(central, "predicted_loss", "predicted"), line(central, "loss", "L of the flow") }
      if gd then first, panels[2] = real, { line(real, sharp, "GD"), line(central, sharp, "central"), line(flows.stable, sharp, "stable") } end
    end
  end
end
local function claim(text, what, guess, measured, band)
  list[#list + 1] = { text, what, predicted = guess, measured = measured, band = band }
end
for _, r in ipairs(rules) do
  claim(r.name .. ": mean loss", "predicted over real", 1, found[r.name].loss, { 0.95, 1.05 })
  claim(r.name .. ": mean ‖∇L‖²", "predicted over real", 1, found[r.name].squares, { 0.9, 1.1 })
  claim(r.name .. ": midpoints are on the flow", "distance over the way", 0, found[r.name].path, { 0, 0.1 })
end
claim("the flows stay at the edge", "curvature over edge", 1, found.all.level, { 0.95, 1.05 })
claim("their own L is below the mean loss", "L over mean loss", "< 1", found.all.own, { 0, 1 })
claim("and falls at each step", "share of the steps", 1, found.all.falls, { 1, 1 })
claim("GD: the stable flow leaves the edge", "λ_max over 2/η", "> 1", found.GD.stable, { 1, math.huge })
claim("and the path", "distance over the central flow's", "> 1", found.GD.further, { 1, math.huge })
claims.report({ first }, list, { from = "theory" })
eoss.plot("central_flows.svg", { first }, panels)
