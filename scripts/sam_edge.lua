-- SAM has an edge of its own, below 2/lr, which falls with the gradient: (4/lr)/(1 + sqrt(1 + 8 rho/(lr |g|))). lambda_max goes to that.
-- Long & Bartlett, "Sharpness-Aware Minimization and the Edge of Stability", arXiv 2309.12488.
local p = eoss.params{ lr = 0.05, rhos = { 0, 0.01, 0.03, 0.1 }, steps = 3000, n = 500, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local runs = {}
for i, rho in ipairs(p.rhos) do
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                           activation = "tanh", init_scale = 0.2, seed = p.seed }
  runs[i] = eoss.run{ name = "sam_edge-" .. rho, model = net, data = data, loss = "half_mse",
                      optimizer = eoss.optim.sam{ lr = p.lr, rho = rho }, batch_size = "full", seed = p.seed }
  runs[i]:track({ "loss", "lambda_max", "gradient_norm" }, { every = 20 })
  runs[i]:track("edge", { every = 20, of = "lambda_max" })
  runs[i]:train{ to = p.steps }
end
eoss.plot("sam_edge.svg", runs, { "lambda_max", "gradient_norm" })

print(string.format("last third of the steps, 2/lr = %g:", 2 / p.lr))
print("     rho  predicted (SAM's edge)  lambda_max   ratio  of 2/lr")
for i, run in ipairs(runs) do
  local range = { from = 2 * p.steps // 3, to = p.steps }
  local lambda = run:series("lambda_max", range)
  local edge = run:series("edge_lambda_max", range)
  print(string.format("%8g %23.2f %11.2f %7.3f %8.3f",
    p.rhos[i], edge:mean(), lambda:mean(), lambda:over(edge):mean(), lambda:mean() * p.lr / 2))
end
