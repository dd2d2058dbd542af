-- Full-batch descent sharpens the loss until λ_max is 2/η, and stays there: the loss goes up and down, and falls over long times. So with
-- momentum, at its own edge, with other activations, with preconditioners; with cross-entropy λ_max falls late. Cohen, Kaur, Li, Kolter & Talwalkar,
-- "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", arXiv 2103.00065. See docs/papers/edge_of_stability.md.
local claims, papers, levels = require "claims", require "papers", require "levels"
local p = eoss.params({ data = "fashion_mnist", n = 200, width = 50, lrs = { 0.024, 0.029, 0.035 }, steps = 2500, time = 30, every = 20, seeds = 3,
                        seed = 1 }, { scales = { paper = { data = "cifar10", n = 5000, width = 200, steps = 20000, time = 100, every = 50 } } })
local function start(name, optimizer, seed, activation, loss)
  local data = papers.data(p.data, { n = p.n, test_n = 1000, seed = seed })
  local net = eoss.nn.fc{ inputs = data.inputs, hidden = { p.width, p.width }, outputs = data.outputs, activation = activation, seed = seed }
  local run = eoss.run{ name = name, model = net, data = data, loss = loss or "half_mse", optimizer = optimizer, seed = seed, file = seed == p.seed }
  run:track("edge", { every = p.every })
  run:track((name == "RMSProp" or name == "Adam") and "preconditioned_lambda_max" or "lambda_max", { every = p.every, as = "curvature" })
  run:track("batch_loss") -- of the full batch: the loss before each step
  return run
end
local others = { { "Polyak", eoss.optim.momentum{ lr = 0.045, beta = 0.5 } }, { "Nesterov", eoss.optim.nesterov{ lr = 0.017 } },
  { "relu", eoss.optim.sgd{ lr = 0.04 }, "relu" }, { "elu", eoss.optim.sgd{ lr = 0.03 }, "elu" }, { "ce", eoss.optim.sgd{ lr = 0.15 }, "tanh", "ce" },
  { "RMSProp", eoss.optim.rmsprop{ lr = 2e-5, eps = 1e-7 } }, { "Adam", eoss.optim.adam{ lr = 3e-4, beta2 = 0.99, eps = 1e-7 } } }
local shown, curves, found, gds, flows = {}, {}, {}, { x = {}, y = {}, name = "descent" }, { x = {}, y = {}, name = "flow" }
papers.expect(start("gd", eoss.optim.sgd{ lr = p.lrs[1] }, p.seed), { to = p.steps, times = p.seeds * 14 })
for seed = p.seed, p.seed + p.seeds - 1 do
  local all, within, top = {}, 0
  for i, lr in ipairs(p.lrs) do all[i] = start("gd-" .. lr, eoss.optim.sgd{ lr = lr }, seed) end
  for _, o in ipairs(others) do all[#all + 1] = start(o[1], o[2], seed, o[3], o[4]) end
  local gd, flow, first = all[1], all[1]:fork{ name = "flow", optimizer = eoss.flow.gradient{} }, all[1].params
  for i = 1, 16 do -- both in the time of the flow: how far apart they are, over the way that it has gone
    for _, run in ipairs{ gd, flow } do run:train{ time = p.time / 16 } end
    if not gd:first("curvature", ">", "edge") then within = math.max(within, gd:distance(flow) / (flow.params - first):norm()) end
    top = flow:measure("lambda_max").value / gd.edge
    if seed == p.seed then gds.x[i], flows.x[i], gds.y[i], flows.y[i] = gd.time, gd.time, gd:measure("lambda_max").value / gd.edge, top end
  end
  claims.gather(found, { "flow" }, { within = within, top = top })
  eoss.parallel(all, { to = p.steps, max_loss = 100 })
  for i, run in ipairs(all) do
    local name, losses, ratios = run.name:match("gd") or run.name, run:series("batch_loss").values, run:series("curvature"):over(run:series("edge"))
    local met, up = math.max(2, run:first("curvature", ">", "edge") or p.steps), { [true] = 0, [false] = 0 }
    for t = 2, p.steps do up[t <= met] = up[t <= met] + (losses:get(t) > losses:get(t - 1) and 1 or 0) end
    claims.gather(found, { name, name:match("elu") and "activations" }, { level = levels.last_third(run, "curvature", 0, p.steps).mean,
      top = eoss.max(ratios.values), before = up[true] / met, after = up[false] / (p.steps + 1 - met), fall = losses:get(p.steps) / losses:get(met) })
    if seed == p.seed then shown[i], curves[i] = run, { x = ratios.steps, y = ratios.values, name = run.name } end
  end
end
claims.report(shown, {
  { "λ_max stays at 2/η, three η", "λ_max over it", predicted = 1, measured = found.gd.level, band = { 1, 1.02 } },
  { "before it the loss falls always", "share of steps up", predicted = 0, measured = found.gd.before, band = { 0, 0 }, from = "theory" },
  { "at 2/η it goes up and down", "share of steps up", predicted = "> 0", measured = found.gd.after, band = { 0.13, 0.46 } },
  { "and falls over long times", "end over where 2/η is met", predicted = "< 1", measured = found.gd.fall, band = { 0, 0.13 } },
  { "descent follows gradient flow", "distance over way, till 2/η", predicted = 0, measured = found.flow.within, band = { 0, 0.017 } },
  { "where the flow goes on", "λ_max over the 2/η", predicted = "> 1", measured = found.flow.top, band = { 1, math.huge }, from = "theory" },
  { "Polyak: (2 + 2β)/η", "λ_max over it", predicted = 1, measured = found.Polyak.level, band = { 0.98, 1.02 } },
  { "Nesterov: (2 + 2β)/(η(1 + 2β))", "λ_max over it", predicted = 1, measured = found.Nesterov.level, band = { 0.97, 1.01 } },
  { "relu, elu: 2/η", "λ_max over it", predicted = 1, measured = found.activations.level, band = { 1, 1.02 } },
  { "cross-entropy comes to 2/η", "largest λ_max over it", predicted = "> 1", measured = found.ce.top, band = { 1, math.huge }, from = "theory" },
  { "and falls late", "last third", predicted = "< 1", measured = found.ce.level, band = { 0.017, 0.035 } },
  { "RMSProp: 2/η", "preconditioned λ_max over it", predicted = 1, measured = found.RMSProp.level, band = { 1.01, 1.07 } },
  { "Adam: (2 + 2β₁)/((1 − β₁)η)", "preconditioned λ_max over it", predicted = 1, measured = found.Adam.level, band = { 0.96, 1.01 } },
}, { from = "seeds" })
eoss.plot("edge_of_stability.svg", { shown[1], shown[2], shown[3] }, { { title = "λ_max over 2/η", table.unpack(curves, 1, 3) }, "batch_loss",
  { title = "other rules, activations, losses, over their edges", ylim = { 0, 1.6 }, table.unpack(curves, 4) },
  { gds, flows, title = "λ_max over 2/η, over the time of the flow", lines = { 1 } } }, { from = 1, columns = 2 })
