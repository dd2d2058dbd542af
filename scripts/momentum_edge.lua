-- Momentum moves the edge of full-batch descent: lambda_max goes to (2 + 2 beta)/lr under Polyak's momentum and to
-- (2 + 2 beta)/(lr (1 + 2 beta)) under Nesterov's.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local levels = require "levels"
local p = eoss.params{ beta = 0.9, steps = 3000, n = 500, seed = 1 }
-- Rates at which the three edges lie alike.
local rules = {
  { name = "sgd", optimizer = eoss.optim.sgd{ lr = 0.05 } },
  { name = "momentum", optimizer = eoss.optim.momentum{ lr = 0.05 * (1 + p.beta) / 2, beta = p.beta } },
  { name = "nesterov", optimizer = eoss.optim.nesterov{ lr = 0.05 * (1 + p.beta) / (1 + 2 * p.beta), beta = p.beta } },
}

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local runs = {}
for i, rule in ipairs(rules) do
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "tanh", init_scale = 0.2, seed = p.seed }
  local run = eoss.run{ name = "momentum_edge-" .. rule.name, model = net, data = data, loss = "half_mse",
                        optimizer = rule.optimizer, batch_size = "full", seed = p.seed }
  run:track({ "loss", "edge", "lambda_max" }, { every = 20 })
  run:train{ to = p.steps }
  runs[i] = run
end
eoss.plot("momentum_edge.svg", runs, { "lambda_max" }, { over_edge = true })

print("lambda_max, last third of the steps:")
print("rule             lr  predicted  measured   ratio")
for i, run in ipairs(runs) do
  local level = levels.last_third(run, "lambda_max", 0, p.steps).mean
  print(string.format("%-10s %8.4f %10.2f %9.2f %7.3f", rules[i].name, run.lr, run.edge, level * run.edge, level))
end
