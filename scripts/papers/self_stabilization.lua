-- At the edge of stability gradient descent follows descent constrained to λ_max ≤ 2/η, but for an oscillation along the top eigenvector, which
-- lowers λ_max where it has grown: all of it is predicted, step by step, from derivatives along the constrained path.
-- Damian, Nichani & Lee, "Self-Stabilization: The Implicit Bias of Gradient Descent at the Edge of Stability", arXiv 2209.15594.
-- See docs/papers/self_stabilization.md.
local claims, papers = require "claims", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 100, hidden = { 32, 32 }, activation = "tanh", lr = 0.03, steps = 200, approach = 0.97,
                        within = 5000, push = 1, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 1000, hidden = { 200, 200 }, lr = 0.01, steps = 500 } } })
local edge = 2 / p.lr
local function off(guess, real) return eoss.norm(guess - real) / eoss.norm(real) end -- relative, in the mean square
local function falling(values)
  local falls = 0
  for i = 2, #values do falls = falls + (values[i] < values[i - 1] and 1 or 0) end
  return falls / (#values - 1)
end

local found, first, panels = {}
for seed = p.seed, p.seed + p.seeds - 1 do
  local data = papers.data(p.data, { n = p.n, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = p.activation, init_scale = 0.2, seed = seed,
                           dtype = "f64" }
  local run = eoss.run{ name = "self_stabilization", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                        batch_size = "full", seed = seed, file = seed == p.seed }
  run:track({ "loss", "lambda_max" }, { every = 1 })
  if not first then first = run, papers.expect(run, { steps = 10 * p.steps, times = p.seeds }) end
  repeat run:train{ steps = 1 } until run:series("lambda_max"):last() > p.approach * edge or run.step == p.within
  local flow = run:fork{ name = "self_stabilization-flow", optimizer = eoss.flow.gradient{} }
  -- In f64 descent comes to the edge without an oscillation: a push by δ gives the one that the theory is of.
  local delta = run:measure("self_stabilization").named.self_stabilization_delta
  run.params = run.params + p.push * delta * run:hessian():top(1, { tolerance = 1e-6 }).vectors[1]
  local forecast = run:self_stabilization{ steps = p.steps }
  local steps = forecast:real("x").steps
  flow:train{ time = (steps[#steps] - run.step) * p.lr }
  local function of(what) return forecast:predicted(what).values, forecast:real(what).values end
  local x, S, loss = { of("x") }, { of("sharpness") }, { of("loss") }
  local bare = loss[1] - x[1] ^ 2 / p.lr -- L(θ†), without the oscillation
  claims.gather(found, { "all" }, { low = eoss.min(S[2]) / edge, mean = eoss.mean(S[2]) / edge, flow = flow:measure("lambda_max").value / edge,
    falls = falling(bare), x = off(x[1], x[2]), S = off(S[1], S[2]), above = off(S[1] - edge, S[2] - edge), loss = off(loss[1], loss[2]),
    bare = off(bare, loss[2]) / off(loss[1], loss[2]), v = forecast:error("deviation") })
  local function panel(title, pair, scale, bare)
    return { { x = steps, y = pair[2] / scale, name = "descent" }, { x = steps, y = pair[1] / scale, name = "predicted" }, bare, title = title }
  end
  panels = panels or { panel("λ_max over 2/η", S, edge), panel("x, along the top eigenvector", x, 1),
    panel("loss", loss, 1, { x = steps, y = bare, name = "L(θ†)" }) }
end

local all = found.all
claims.report({ first }, {
  { "λ_max comes back below 2/η by itself", "lowest λ_max over 2/η", predicted = "< 1", measured = all.low, band = { 0, 1 } },
  { "and is there on average", "mean λ_max over 2/η", predicted = 1, measured = all.mean, band = { 0.99, 1.01 } },
  { "gradient flow over the same time goes on", "its λ_max over 2/η", predicted = "> 1", measured = all.flow, band = { 1, math.huge } },
  { "L(θ†) falls at each step", "share of the steps", predicted = 1, measured = all.falls, band = { 1, 1 } },
  { "x = u·(θ − θ†) is predicted", "relative error", predicted = 0, measured = all.x, band = { 0, 0.195 }, from = "seeds" },
  { "and all of θ − θ†", "relative error", predicted = 0, measured = all.v, band = { 0, 0.329 }, from = "seeds" },
  { "λ_max is predicted", "relative error", predicted = 0, measured = all.S, band = { 0, 0.0117 }, from = "seeds" },
  { "and λ_max − 2/η", "relative error", predicted = 0, measured = all.above, band = { 0, 0.483 }, from = "seeds" },
  { "the loss is L(θ†) + x²/η", "relative error", predicted = 0, measured = all.loss, band = { 0, 0.0398 }, from = "seeds" },
  { "L(θ†) alone is further off", "its error over that", predicted = "> 1", measured = all.bare, band = { 1, math.huge } },
}, { from = "theory" })
eoss.plot("self_stabilization.svg", { first }, panels)
