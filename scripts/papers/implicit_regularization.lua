-- SGD follows, in the mean over the orders of its batches, the flow of a modified loss, L + η/4 of the mean squared gradient of a batch, up to
-- the third power of an epoch's time mη; and with that as a penalty small rates reach a higher test accuracy. Smith, Dherin, Barrett & De,
-- "On the Origin of Implicit Regularization in Stochastic Gradient Descent", arXiv 2101.12176. See docs/papers/implicit_regularization.md.
local claims, numerics, papers, found, curves = require "claims", require "numerics", require "papers", {}, {}
local p = eoss.params({ rates = { 0.008, 0.004, 0.002, 0.001 }, m = 4, data = "fashion_mnist", n = 1000, test_n = 10000, hidden = { 100, 100 },
                        lr = 0.1, small = 0.02, batch = 16, epochs = 20, seeds = 10, seed = 1 }, { scales = { paper = {
                        m = 6, data = "cifar10", n = 50000, hidden = { 512, 512 }, small = 0.01, epochs = 50 } } })
local function epoch(seed) -- of a small network in f64: m batches of two samples, in all their orders
  local data, batches, twos, errors = eoss.data.teacher_student{ n = 2 * p.m, inputs = 3, seed = seed }, {}, {}, { one = {}, mean = {}, plain = {} }
  local net = eoss.nn.mlp{ inputs = 3, hidden = { 8 }, outputs = 1, activation = "tanh", init_scale = 1, seed = seed, dtype = "f64" }
  local function sgd(list, lr) return eoss.run{ model = net, data = data, loss = "half_mse", sampling = list, file = false,
                                                optimizer = eoss.optim.sgd{ lr = lr } } end
  for i = 1, #data do batches[i // 2 + i % 2] = { i + i % 2 - 1, i + i % 2 }; for j = 1, i - 1 do twos[#twos + 1] = { j, i } end end
  local base, orders, N = sgd(batches, 1), numerics.orders(batches), #data
  local function flow(lr, penalty) return numerics.flow(function(x) -- of L + penalty·mean‖∇L_k‖² over the batches, for the time mη
    local slope = -base:gradient{ at = x }
    for _, b in ipairs(batches) do slope = slope - 2 * penalty / p.m * base:hvp(base:gradient{ batch = b, at = x }, { batch = b, at = x }) end
    return slope
  end, net.params, p.m * lr, 20) end
  for i, lr in ipairs(p.rates) do
    local mean, modified = 0 * net.params, flow(lr, lr / 4)
    for _, order in ipairs(orders) do
      local run = sgd(order, lr)
      run:train{ steps = p.m }
      mean, errors.one[i] = mean + run.params / #orders, (run.params - modified):norm()
    end
    errors.mean[i], errors.plain[i] = (mean - modified):norm(), (mean - flow(lr, 0)):norm()
    for name, list in pairs(errors) do claims.gather(found, { name .. " " .. lr }, { error = list[i] }) end
  end
  local predicted = base:gradient():norm() ^ 2 * (1 + (N - 2) / (N - 1) / 2 * base:measure("gradient_noise_scale").value)
  claims.gather(found, { "noise" }, { error = base:measure("gradient_norm_mc", { batches = twos }).value / predicted - 1 })
  for name, list in pairs(errors) do claims.gather(found, { name }, { power = numerics.power(p.rates, list) }) end
end
local function test(seed, name, lr, penalty) -- accuracy in percent, once the rate has fallen to zero
  local data, steps = papers.data(p.data, { n = p.n, test_n = p.test_n, seed = seed }), math.floor(p.epochs * p.lr / lr * (p.n // p.batch))
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = p.hidden, outputs = data.outputs, activation = "relu", init_scale = 1, seed = seed }
  local function falling(from) return eoss.schedule.cosine{ from = from, steps = steps + 1 } end
  local run = eoss.run{ name = name, model = net, data = data, loss = "ce", batch_size = p.batch, seed = seed, file = seed == p.seed,
                        optimizer = eoss.optim.gradient_penalty{ lr = falling(lr), penalty = falling(penalty), penalty_per_lr = 0 } }
  if seed == p.seed then run:track({ "test_accuracy", "loss" }, { every = steps // 40 }); curves[#curves + 1] = run end
  if seed == p.seed and name == "large" then papers.expect(run, { to = steps, times = p.seeds * math.ceil(1 + 4 * p.lr / p.small) }) end
  run:train{ to = steps }
  return 100 * run:measure("test_accuracy").value
end
for seed = p.seed, p.seed + p.seeds - 1 do
  local large, small, penalty = test(seed, "large", p.lr, 0), test(seed, "small", p.small, 0), test(seed, "penalty", p.small, p.lr / 4)
  claims.gather(found, { "test" }, { large = large - small, penalty = penalty - small, rest = penalty - large })
  epoch(seed)
end
claims.report(curves, {
  { "mean over orders: the modified flow to (mη)³", "power of η", predicted = 3, measured = found.mean.power, band = { 2.9, 3.1 } },
  { "the flow of L to (mη)² only", "power of η", predicted = 2, measured = found.plain.power, band = { 1.9, 2.1 } },
  { "so a single order", "power of η", predicted = 2, measured = found.one.power, band = { 1.9, 2.1 } },
  { "mean ‖∇L_B‖²: (N − B)/(N − 1)·Γ/B more", "relative error", predicted = 0, measured = found.noise.error, band = { -1e-9, 1e-9 } },
  { "a large rate generalises better", "% of tests", predicted = "> 0", measured = found.test.large, band = { 0, math.huge } },
  { "so a small one with the penalty", "% of tests", predicted = "> 0", measured = found.test.penalty, band = { 0, math.huge } },
  { "as well as the large", "% of tests", predicted = 0, measured = found.test.rest, band = { -0.27, 0.39 }, from = "seeds" } }, { from = "theory" })
eoss.plot("implicit_regularization.svg", curves, { { "test_accuracy", xlim = { 2, math.huge } },
  { claims.points(found, "one ", p.rates, "error"), claims.points(found, "mean ", p.rates, "error"),
    claims.points(found, "plain ", p.rates, "error"), log = true, log_x = true, title = "distance from the flow, over η" } }, { x = "time" })
