-- Label noise regularises: SGD on targets with fresh noise at each step stays at zero loss and walks on there to flatter minima, as the flow of
-- L + λR does, R = tr H/4 for small rates, λ = lr·σ²/b for half_mse. With momentum λ/(1 − β), at the rate lr/(1 − β).
-- Damian, Ma & Lee, "Label Noise SGD Provably Prefers Flat Global Minimizers", NeurIPS 2021.
local p = eoss.params{ lr = 0.02, sigma = 1, batch = 4, beta = 0.9, warm = 8000, steps = 20000, n = 12, seed = 1 }

local data = eoss.data.chebyshev{ degree = 3, n = p.n }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {16}, outputs = data.outputs, activation = "tanh", seed = p.seed, dtype = "f64" }
local base = eoss.run{ name = "label_noise", model = net, data = data, loss = "half_mse",
                       optimizer = eoss.optim.sgd{ lr = 5 * p.lr }, batch_size = p.batch, seed = p.seed }
base:track({ "loss", "hessian_trace" }, { every = p.steps // 16 })
base:train{ to = p.warm }

-- The flow of L + λR in steps of lr: the gradient of tr H is the mean of ∇(zᵀHz) over normal z, one a step, here by central differences.
local function regularised(lambda)
  return eoss.optim.custom{ name = "regularised", lr = p.lr, step = function(state, context)
    local z, h = context:randn(), 1e-3
    local slope = (context:hvp(z, { at = context.params + h * z }) - context:hvp(z, { at = context.params - h * z })) / (2 * h)
    return context.params - context.lr * (context:gradient() + lambda / 4 * slope)
  end }
end

local lambda, slow = p.lr * p.sigma ^ 2 / p.batch, (1 - p.beta) * p.lr
local noisy = {
  -- Its name, the rule, and its λ; momentum takes the rate at which its own λ, λ/(1 − β), and its time are those of the first.
  { "sgd", eoss.optim.label_noise{ lr = p.lr, sigma = p.sigma }, lambda },
  { "momentum", eoss.optim.momentum{ lr = slow, beta = p.beta, field = eoss.field.label_noise{ sigma = p.sigma } },
    slow * p.sigma ^ 2 / p.batch / (1 - p.beta) },
  { "twice-the-noise", eoss.optim.label_noise{ lr = p.lr, sigma = math.sqrt(2) * p.sigma }, 2 * lambda },
  { "none", eoss.optim.sgd{ lr = p.lr }, 0 },
}
local runs, flows = {}, {}
for i, row in ipairs(noisy) do
  runs[i] = base:fork{ name = "label_noise-" .. row[1], optimizer = row[2] }
  runs[i]:train{ steps = p.steps }
  if row[3] > 0 then
    flows[i] = base:fork{ name = "label_noise-" .. row[1] .. "-flow", optimizer = regularised(row[3]), batch_size = "full" }
    flows[i]:train{ steps = p.steps }
  end
end
eoss.plot("label_noise.svg", { runs[1], flows[1], runs[3], flows[3], runs[4] }, { "hessian_trace", "loss" })

print(string.format("trace of the Hessian, from %.2f, mean of an eighth of the steps; predicted: by the flow of L + λR", base:measure("hessian_trace").value))
print("                   λ     half-way  predicted        end  predicted")
for i, row in ipairs(noisy) do
  local function level(run, part)
    local share = { from = p.warm + (part - 1) * p.steps // 8, to = p.warm + part * p.steps // 8 }
    return run and string.format("%.2f", run:series("hessian_trace", share):mean()) or "-"
  end
  print(string.format("%-16s %.5f %10s %10s %10s %10s", row[1], row[3], level(runs[i], 4), level(flows[i], 4), level(runs[i], 8), level(flows[i], 8)))
end
