-- With large batches SGD takes larger rates, and fewer steps, where each chunk's gradient is taken a small step ahead: extrapolation smooths the
-- loss. Lin, Kong, Stich & Jaggi, "Extrapolation for Large-batch Training in Deep Learning", arXiv 2006.05720.
-- See docs/papers/extrapolation.md.
local claims, papers, found, shown = require "claims", require "papers", {}, {}
local p = eoss.params({ data = "fashion_mnist", n = 1024, batch = 512, hidden = { 100, 100 }, chunks = 8, gamma = 0.02,
                        rates = { 0.1, 0.2, 0.3, 0.4 }, loss = 0.1, steps = 400, seeds = 3, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 49152, batch = 8192, hidden = { 512, 512 }, chunks = 32, steps = 5000 } } })
local optim, rules = eoss.optim, { "sgd", "extrap", "extragradient", "extrap_previous", "extrap_noise" }

-- Steps until the loss over all samples is reached, looked at every fourth; all steps where it is not, or where the training diverges.
local function steps(name, lr, seed)
  local data = papers.data(p.data, { n = p.n, test_n = 1000, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", init_scale = 1, seed = seed }
  local rule = name == "sgd" and optim.sgd{ lr = lr } or optim[name]{ lr = lr, gamma = p.gamma, chunks = p.chunks }
  local run = eoss.run{ name = name .. "-" .. lr, model = net, data = data, loss = "ce", batch_size = p.batch, seed = seed, optimizer = rule,
                        file = seed == p.seed }
  run:track("loss", { every = 4 })
  run:track("lambda_max", { every = p.steps // 10 })
  if seed == p.seed then papers.expect(run, { to = p.steps, times = p.seeds * #rules * #p.rates }) end
  local fine, reached = pcall(run.train, run, { to = p.steps, stop_loss = p.loss, check_every = 4, max_loss = 20 })
  return fine and reached == "loss" and run.step or p.steps, run
end
for seed = p.seed, p.seed + p.seeds - 1 do
  local best = {}
  for _, name in ipairs(rules) do
    best[name] = { steps = math.huge }
    for _, lr in ipairs(p.rates) do
      local taken, run = steps(name, lr, seed)
      claims.gather(found, { name .. " " .. lr }, { steps = taken })
      if taken < best[name].steps then best[name] = { steps = taken, lr = lr, run = run } end
    end
    if seed == p.seed then shown[#shown + 1] = best[name].run end
    local share = best[name].steps / best.sgd.steps
    claims.gather(found, { name }, { steps = share, cost = 2 * share })
  end
end
claims.report(shown, {
  { "EXTRAP needs fewer steps than SGD", "steps over SGD's", predicted = "< 1", measured = found.extrap.steps, band = { 0, 1 }, from = "theory" },
  { "extragradient, too", "steps over SGD's", predicted = "< 1", measured = found.extragradient.steps, band = { 0, 1 }, from = "theory" },
  { "at twice the gradients: EXTRAP", "cost over SGD's", measured = found.extrap.cost, band = { 1.05, 1.31 } },
  { "ahead by the step before", "steps over SGD's", measured = found.extrap_previous.steps, band = { 0.93, 1.36 } },
  { "ahead by noise", "steps over SGD's", measured = found.extrap_noise.steps, band = { 0.94, 1.28 } },
}, { from = "seeds" })
local curves = {}
for i, name in ipairs(rules) do
  curves[i] = { x = p.rates, y = claims.points(found, name .. " ", p.rates, "steps").y, name = name }
end
curves.title = "steps to the loss, over the rate"
eoss.plot("extrapolation.svg", shown, { "loss", "lambda_max", curves })
