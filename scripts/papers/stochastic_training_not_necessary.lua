-- Full batches generalise as well as SGD where they get by other means what its noise does: with clipping, and a penalty on the gradients of chunks
-- of the data, exact or by a forward difference. Geiping, Goldblum, Pope, Moeller & Goldstein, "Stochastic Training Is Not Necessary for
-- Generalization", arXiv 2109.14119. See docs/papers/stochastic_training_not_necessary.md.
local claims, papers, found, shown = require "claims", require "papers", {}, {}
local p = eoss.params({ data = "fashion_mnist", n = 512, test_n = 10000, hidden = { 100, 100 }, chunk = 32, batch = 32, lr = 0.02, epochs = 60,
                        full_lr = 0.2, warmup = 30, steps = 300, clip = 0.25, tau = 4, decay = 5e-4, seeds = 8, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 49920, hidden = { 512, 512 }, chunk = 128, batch = 128, lr = 0.1, epochs = 300,
                                             full_lr = 0.8, warmup = 400, steps = 3000, tau = 0.5 } } })
local chunks = {}
for k = 1, p.n // p.chunk do
  chunks[k] = {}
  for i = 1, p.chunk do chunks[k][i] = (k - 1) * p.chunk + i end
end
local function train(name, seed, options)
  local steps, lr = p.steps, p.full_lr
  if options.batch then steps, lr = p.epochs * (p.n // p.batch), p.lr end
  local data = papers.data(p.data, { n = p.n, test_n = p.test_n, seed = seed })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", init_scale = 1, seed = seed }
  local warmup = steps * p.warmup // p.steps
  local cosine = eoss.schedule.cosine{ from = lr, to = lr / 100, steps = steps - warmup }
  local rate = eoss.schedule.warmup{ from = lr / 100, steps = warmup, after = cosine }
  local run = eoss.run{ name = name, model = net, data = data, loss = "ce", batch_size = options.batch or "full", seed = seed, file = seed == p.seed,
    optimizer = eoss.optim.nesterov{ lr = rate, beta = 0.9, weight_decay = p.decay, clip = options.clip, field = options.field } }
  if seed == p.seed then
    run:track({ "test_accuracy", "lambda_max" }, { every = steps // 30 })
    run:track("batch_sharpness", { every = steps // 30, batches = chunks })
    -- A full-batch step is that of all samples, and the four rules together take about seven gradients each.
    if name == "sgd" then papers.expect(run, { to = steps, times = math.ceil(p.seeds * (1 + 7 * p.steps / p.epochs)) }) end
    shown[#shown + 1] = run
  end
  run:train{ to = steps }
  claims.gather(found, { name }, { test = 100 * run:measure("test_accuracy").value, fitted = run.accuracy, top = run:measure("lambda_max").value,
    chunks = run:measure("batch_sharpness", { batches = chunks }).value })
end
local function penalty(difference) return eoss.field.gradient_penalty{ penalty_per_lr = p.tau / 8, chunks = #chunks, difference = difference } end
for seed = p.seed, p.seed + p.seeds - 1 do
  train("sgd", seed, { batch = p.batch })
  train("full", seed, {})
  train("clip", seed, { clip = p.clip })
  train("penalty", seed, { clip = p.clip, field = penalty(0) })
  train("difference", seed, { clip = p.clip, field = penalty(0.01) })
end
-- A quantity of two rules at the same seeds: the differences, or the quotients.
local function against(quantity, a, b, quotient)
  local list = {}
  for i, x in ipairs(found[a][quantity]) do list[i] = quotient and x / found[b][quantity][i] or x - found[b][quantity][i] end
  return list
end
claims.report(shown, {
  { "full batch alone: worse than SGD", "% more", predicted = "< 0", measured = against("test", "full", "sgd"), band = { -math.huge, 0 } },
  { "clipping helps", "% more", predicted = "> 0", measured = against("test", "clip", "full"), band = { 0, math.huge } },
  { "with the penalty as good as SGD", "% more", predicted = 0, measured = against("test", "penalty", "sgd"), band = { -0.1, 0.86 }, from = "seeds" },
  { "by forward difference", "% more", predicted = 0, measured = against("test", "difference", "sgd"), band = { 0.11, 0.62 }, from = "seeds" },
  { "full batch fits all", "accuracy", predicted = 1, measured = found.full.fitted, band = { 0.99, 1 } },
  { "the penalty lowers λ_max", "over clipping's", predicted = "< 1", measured = against("top", "penalty", "clip", true), band = { 0, 1 } },
  { "and batch sharpness of chunks", "over clipping's", predicted = "< 1", measured = against("chunks", "penalty", "clip", true), band = { 0, 1 } },
  { "yet full batch alone is flatter", "λ_max, of SGD's", measured = against("top", "full", "sgd", true), band = { 0.44, 0.81 }, from = "seeds" },
}, { from = "theory" })
eoss.plot("stochastic_training_not_necessary.svg", shown, { "test_accuracy", "batch_sharpness", "lambda_max" }, { x = "epoch" })
