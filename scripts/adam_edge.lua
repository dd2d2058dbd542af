-- Adaptive rules at their edge: the largest eigenvalue of the preconditioned Hessian goes to (2 + 2 beta1)/((1 - beta1) lr) under Adam
-- and to 2/lr under RMSProp, over all samples.
-- Cohen, Ghorbani, Krishnan et al., "Adaptive Gradient Methods at the Edge of Stability", arXiv 2207.14484.
local levels = require "levels"
local p = eoss.params{ steps = 2000, n = 500, seed = 1 }
local rules = {
  eoss.optim.adam{ lr = 3e-4, beta1 = 0.9, beta2 = 0.99, eps = 1e-7 },
  eoss.optim.rmsprop{ lr = 2e-5, beta2 = 0.99, eps = 1e-7 },
}

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local runs = {}
for i, rule in ipairs(rules) do
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "tanh", init_scale = 0.2, seed = p.seed }
  local run = eoss.run{ name = "adam_edge-" .. rule.name, model = net, data = data, loss = "half_mse",
                        optimizer = rule, batch_size = "full", seed = p.seed }
  run:track({ "loss", "edge", "preconditioned_lambda_max" }, { every = 20 })
  run:train{ to = p.steps }
  runs[i] = run
end
eoss.plot("adam_edge.svg", runs, { "loss", "preconditioned_lambda_max" }, { over_edge = true })

print("preconditioned lambda_max, last third of the steps:")
print("rule            lr  predicted  measured   ratio")
for i, run in ipairs(runs) do
  local level = levels.last_third(run, "preconditioned_lambda_max", 0, p.steps).mean
  print(string.format("%-10s %7g %10.0f %9.0f %7.3f", rules[i].name, run.lr, run.edge, level * run.edge, level))
end
