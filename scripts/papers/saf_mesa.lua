-- SAF and MESA draw the outputs of a network to those of some epochs ago, or of an average of its weights: minima as flat as those of SAM, and test
-- accuracies as good, without its second gradient.
-- Du, Zhou, Feng, Tan & Zhou, "Sharpness-Aware Training for Free", arXiv 2205.14083. See docs/papers/saf_mesa.md.
local claims, papers = require "claims", require "papers"
local p = eoss.params({ data = "fashion_mnist", n = 1000, hidden = { 64, 64 }, lr = 0.02, beta = 0.9, batch = 50, epochs = { 20, 60 },
                        noise = 0.2, rho = 0.05, saf = 0.3, mesa = 0.8, decay = 0.99, seeds = 10, seed = 1 },
                      { scales = { paper = { data = "cifar10", n = 50000, hidden = { 512 }, batch = 128, epochs = { 50, 200 }, decay = 0.9998 } } })
local fields = { sam = eoss.field.sam{ rho = p.rho }, saf = eoss.field.saf{ weight = p.saf },
                 mesa = eoss.field.mesa{ weight = p.mesa, decay = p.decay } }
local kinds, curves, found, list = { "sgd", "sam", "saf", "mesa" }, {}, {}, {}

local function start(kind, seed, shown)
  local data = papers.data(p.data, { n = p.n, test_n = 2000, seed = seed, label_noise = p.noise })
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", seed = seed }
  local run = eoss.run{ name = "saf_mesa-" .. kind, model = net, data = data, loss = "ce", batch_size = p.batch, seed = seed, file = shown,
                        optimizer = eoss.optim.momentum{ lr = p.lr, beta = p.beta, field = fields[kind] } }
  if shown then run:track({ "loss", "lambda_max", "test_accuracy" }, { every = math.max(1, p.epochs[#p.epochs] * p.n // p.batch // 40) }) end
  return run
end
papers.expect(start("mesa", p.seed, false), { epochs = p.epochs[#p.epochs], times = p.seeds * #kinds })
for seed = p.seed, p.seed + p.seeds - 1 do
  local sgd = {}
  for _, kind in ipairs(kinds) do
    local run = start(kind, seed, seed == p.seed)
    if seed == p.seed then curves[#curves + 1] = run end
    for _, epochs in ipairs(p.epochs) do
      run:train{ epochs = epochs - run.epoch }
      local function value(name) return run:measure(name, { rel_error = name ~= "lambda_max" and 0.03 or nil }).value end
      local now = { test = 100 * run:evaluate{ data = "test" }.accuracy, cost = run:costs().training.operations, loss = run.loss,
                    lambda = value("lambda_max"), trace = value("hessian_trace"), sharpness = value("batch_sharpness") }
      sgd[epochs] = sgd[epochs] or now
      -- Beside SGD of the same seed: points of accuracy more, and ratios of the rest.
      local ratios = { test = now.test - sgd[epochs].test }
      for _, name in ipairs{ "cost", "loss", "lambda", "trace", "sharpness" } do ratios[name] = now[name] / sgd[epochs][name] end
      claims.gather(found, { kind .. " " .. epochs }, ratios)
    end
  end
end

local function claim(text, quantity, predicted, measured, low, high)
  list[#list + 1] = { text, quantity, predicted = predicted, measured = measured, band = { low, high } }
end
for _, epochs in ipairs(p.epochs) do
  for _, kind in ipairs{ "sam", "saf", "mesa" } do
    local of, name = found[kind .. " " .. epochs], kind:upper() .. ", " .. epochs .. " epochs: "
    claim(name .. "better", "test accuracy, points", "> 0", of.test, 0, math.huge)
    claim(name .. "flatter", "λ_max over SGD's", "< 1", of.lambda, 0, 1)
    if kind ~= "sam" then
      claim("by the trace", "tr H over SGD's", "< 1", of.trace, 0, 1)
      claim("by batch sharpness", "its over SGD's", "< 1", of.sharpness, 0, 1)
    end
  end
end
local function cost(kind) return found[kind .. " " .. p.epochs[#p.epochs]].cost end
claim("SAF costs next to nothing", "operations over SGD's", 1, cost("saf"), 1, 1.1)
claim("MESA less than SAM", "operations over SAM's", "< 1", (claims.mean(cost("mesa"))) / (claims.mean(cost("sam"))), 0, 1)
claims.report(curves, list, { from = "theory" })
eoss.plot("saf_mesa.svg", curves, { "loss", { "lambda_max", log = true }, "test_accuracy" }, { labels = kinds })
