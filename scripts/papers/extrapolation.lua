-- With large batches SGD takes larger rates, and fewer steps, where each chunk's gradient is taken a small step ahead: extrapolation smooths the
-- loss. Lin, Kong, Stich & Jaggi, "Extrapolation for Large-batch Training in Deep Learning", arXiv 2006.05720.
-- See docs/papers/extrapolation.md.
local claims, papers, found, shown = require "claims", require "papers", {}, {}
local p = eoss.params({ data = "fashion_mnist", n = 1024, batch = 512, hidden = { 100, 100 }, chunks = 8, gamma = 0.02,
                        rates = { 0.1, 0.2, 0.3, 0.4 }, loss = 0.1, steps = 400, beta = 0.9, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 49152, batch = 8192, hidden = { 512, 512 }, chunks = 32, steps = 5000 } } })
-- Each rule is compared with the first of its family. The rates are those of SGD times `scale`, and with momentum γ̂ is a quarter.
local optim, families = eoss.optim, { { "sgd", "extrap", "extragradient", "extrap_previous", "extrap_noise", scale = 1, gamma = 1, beta = 0 },
  { "momentum", "extrap", "extragradient", scale = 0.2, gamma = 0.25, beta = p.beta }, { "adam", "extra_adam", scale = 0.01 } }
-- Steps until the loss over all samples is reached, looked at every fourth; all steps where it is not, or where the training diverges.
local function steps(name, family, rule, lr, seed)
  local data = papers.data(p.data, { n = p.n, test_n = 1000, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", init_scale = 1, seed = seed }
  local options = { lr = lr * family.scale }
  if rule:find("extra[pg]") then options.gamma, options.chunks = p.gamma * family.gamma, p.chunks end
  if not rule:find("adam") and rule ~= "sgd" then options.beta = family.beta end
  local run = eoss.run{ name = name .. "-" .. lr, model = net, data = data, loss = "ce", batch_size = p.batch, seed = seed,
                        optimizer = optim[rule](options), file = seed == p.seed and family == families[1] }
  run:track("loss", { every = 4 })
  run:track("lambda_max", { every = p.steps // 10 })
  if name == "sgd" and seed == p.seed and lr == p.rates[1] then papers.expect(run, { to = p.steps, times = 17 * p.seeds * #p.rates }) end
  local fine, reached = pcall(run.train, run, { to = p.steps, stop_loss = p.loss, check_every = 4, max_loss = 20 })
  return fine and reached == "loss" and run.step or p.steps, run
end
for seed = p.seed, p.seed + p.seeds - 1 do
  for _, family in ipairs(families) do
    local first
    for i, rule in ipairs(family) do
      local best, name = { steps = math.huge }, (family.beta == p.beta and i > 1 and "momentum " or "") .. rule
      for _, lr in ipairs(p.rates) do
        local taken, run = steps(name, family, rule, lr, seed)
        claims.gather(found, { name .. " " .. lr }, { steps = taken })
        if taken < best.steps then best = { steps = taken, lr = lr, run = run } end
      end
      first = first or best
      if seed == p.seed and family == families[1] then shown[i] = best.run end
      local share, top = best.steps / first.steps, eoss.max(best.run:series("lambda_max").values)
      claims.gather(found, { name }, { steps = share, cost = 2 * share, over_edge = top * best.lr / 2, top = top * p.gamma })
    end
  end
end
claims.report(shown, {
  { "EXTRAP needs fewer steps than SGD", "steps over SGD's", predicted = "< 1", measured = found.extrap.steps, band = { 0, 1 }, from = "theory" },
  { "extragradient, too", "steps over SGD's", predicted = "< 1", measured = found.extragradient.steps, band = { 0, 1 }, from = "theory" },
  { "at twice the gradients: EXTRAP", "cost over SGD's", measured = found.extrap.cost, band = { 1.05, 1.31 } },
  { "ahead by the step before", "steps over SGD's", measured = found.extrap_previous.steps, band = { 0.93, 1.36 } },
  { "ahead by noise", "steps over SGD's", measured = found.extrap_noise.steps, band = { 0.94, 1.28 } },
  { "EXTRAP with momentum", "steps over momentum's", measured = found["momentum extrap"].steps, band = { 0.75, 0.99 } },
  { "extragradient with momentum", "steps over momentum's", measured = found["momentum extragradient"].steps, band = { 0.65, 1.1 } },
  { "ExtraAdam: fewer than Adam", "steps over Adam's", predicted = "< 1", measured = found.extra_adam.steps, band = { 0, 1 }, from = "theory" },
  { "at twice the gradients", "cost over Adam's", measured = found.extra_adam.cost, band = { 1.03, 1.49 } },
  { "EXTRAP's edge is 1/γ̂", "λ_max over it", predicted = "1/2 … 1", measured = found.extrap.top, band = { 0.5, 1 }, from = "theory" },
  { "far beyond SGD's", "λ_max over 2/η", predicted = "> 1", measured = found.extrap.over_edge, band = { 1, math.huge }, from = "theory" },
}, { from = "seeds" })
local curves = { title = "steps to the loss, over the rate; that of momentum times 0.2, of Adam times 0.01" }
for i, name in ipairs{ "sgd", "extrap", "extragradient", "momentum", "momentum extrap", "momentum extragradient", "adam", "extra_adam" } do
  curves[i] = { x = p.rates, y = claims.points(found, name .. " ", p.rates, "steps").y, name = name }
end
eoss.plot("extrapolation.svg", shown, { "loss", "lambda_max", curves })
