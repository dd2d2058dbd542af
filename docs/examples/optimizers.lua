--- eoss.optim.sgd
run.optimizer = eoss.optim.sgd{ lr = 0.05 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.momentum
run.optimizer = eoss.optim.momentum{ lr = 0.01, beta = 0.9 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.nesterov
run.optimizer = eoss.optim.nesterov{ lr = 0.01 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.rmsprop
run.optimizer = eoss.optim.rmsprop{ lr = 0.001 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.scalar_rmsprop
run.optimizer = eoss.optim.scalar_rmsprop{ lr = 0.001 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.adagrad
run.optimizer = eoss.optim.adagrad{ lr = 0.01 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.adam
run.optimizer = eoss.optim.adam{ lr = 0.001, beta2 = 0.99 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.adamw
run.optimizer = eoss.optim.adamw{ lr = 0.001, weight_decay = 0.1 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.sign
run.optimizer = eoss.optim.sign{ lr = 0.001 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.lion
run.optimizer = eoss.optim.lion{ lr = 0.0003 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.muon
run.optimizer = eoss.optim.muon{ lr = 0.02 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.extra_adam
run.optimizer = eoss.optim.extra_adam{ lr = 0.001 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.sde
run.batch_size = "full"
run.optimizer = eoss.optim.sde{ lr = 0.05, h = 0.01, noise_batch = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.sam
run.optimizer = eoss.optim.sam{ lr = 0.05, rho = 0.05 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.sam_unnormalised
run.optimizer = eoss.optim.sam_unnormalised{ lr = 0.05, rho = 0.05 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.extrap
run.optimizer = eoss.optim.extrap{ lr = 0.05, gamma = 0.05, chunks = 2 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.extragradient
run.optimizer = eoss.optim.extragradient{ lr = 0.05, gamma = 0.05 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.extrap_previous
run.optimizer = eoss.optim.extrap_previous{ lr = 0.05, gamma = 0.05, chunks = 2 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.extrap_noise
run.optimizer = eoss.optim.extrap_noise{ lr = 0.05, gamma = 0.05, chunks = 2 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.gradient_penalty
run.optimizer = eoss.optim.gradient_penalty{ lr = 0.05, penalty = 0.01 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.label_noise
run.optimizer = eoss.optim.label_noise{ lr = 0.05, sigma = 0.1 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.noisy_sgd
run.batch_size = "full"
run.optimizer = eoss.optim.noisy_sgd{ lr = 0.05, noise_batch = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.noisy_diag
run.batch_size = "full"
run.optimizer = eoss.optim.noisy_diag{ lr = 0.05, noise_batch = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.noisy_iso
run.batch_size = "full"
run.optimizer = eoss.optim.noisy_iso{ lr = 0.05, noise_batch = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.noisy_const
run.batch_size = "full"
run.optimizer = eoss.optim.noisy_const{ lr = 0.05, noise_batch = 4, noise_scale = 0.1 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.top_subspace
run.optimizer = eoss.optim.top_subspace{ lr = 0.05, k = 2 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.bulk_subspace
run.optimizer = eoss.optim.bulk_subspace{ lr = 0.05, k = 2 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.saf
local data = eoss.data.gaussian_mixture{ n = 20, classes = 3, d = 2 }
local net = eoss.nn.mlp{ inputs = 2, hidden = { 8 }, outputs = 3 }
local run = eoss.run{ name = "saf", model = net, data = data, loss = "ce", optimizer = eoss.optim.saf{ lr = 0.05, weight = 0.3 }, batch_size = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.mesa
run.optimizer = eoss.optim.mesa{ lr = 0.05, weight = 0.8 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.optim.custom
run.optimizer = eoss.optim.custom{ name = "heavy ball", lr = 0.01,
  init = function(params) return { v = 0 * params } end,
  step = function(state, context)
    state.v = 0.9 * state.v + context:gradient()
    return context.params - context.lr * state.v
  end,
  edge = function(quantity, lr) if quantity == "lambda_max" then return 2 * (1 + 0.9) / lr end end }
run:train{ steps = 5 }
print(run.edge)

--- eoss.field.sam
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.sam{ rho = 0.05 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.sam_unnormalised
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.sam_unnormalised{ rho = 0.05 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.extrap
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.extrap{ gamma = 0.05, chunks = 2 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.extragradient
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.extragradient{ gamma = 0.05 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.extrap_previous
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.extrap_previous{ gamma = 0.05, chunks = 2 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.extrap_noise
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.extrap_noise{ gamma = 0.05, chunks = 2 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.gradient_penalty
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.gradient_penalty{ penalty = 0.01 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.label_noise
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.label_noise{ sigma = 0.1 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.noisy_sgd
run.batch_size = "full"
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.noisy_sgd{ noise_batch = 4 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.noisy_diag
run.batch_size = "full"
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.noisy_diag{ noise_batch = 4 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.noisy_iso
run.batch_size = "full"
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.noisy_iso{ noise_batch = 4 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.noisy_const
run.batch_size = "full"
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.noisy_const{ noise_batch = 4, noise_scale = 0.1 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.top_subspace
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.top_subspace{ k = 2 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.bulk_subspace
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.bulk_subspace{ k = 2 } }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.saf
local data = eoss.data.gaussian_mixture{ n = 20, classes = 3, d = 2 }
local net = eoss.nn.mlp{ inputs = 2, hidden = { 8 }, outputs = 3 }
local run = eoss.run{ name = "saf", model = net, data = data, loss = "ce", optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.saf{ weight = 0.3 } }, batch_size = 4 }
run:train{ steps = 5 }
print(run.loss)

--- eoss.field.mesa
run.optimizer = eoss.optim.momentum{ lr = 0.01, field = eoss.field.mesa{ weight = 0.8 } }
run:train{ steps = 5 }
print(run.loss)
