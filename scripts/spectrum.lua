-- The Hessian at the edge, all of it: its largest eigenvalues on their way to 2/lr, its trace, what holds the largest one there
-- (Damian, Nichani & Lee, "Self-Stabilization", ICLR 2023), and in the end the whole spectrum. Probes take half of the work at most.
local p = eoss.params{ lr = 0.1, steps = 3000, n = 200, k = 4, seed = 1, budget = 0.5 }
local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {100, 100}, outputs = data.outputs,
                         activation = "tanh", init_scale = 0.2, seed = p.seed }
local run = eoss.run{ name = "spectrum", model = net, data = data, loss = "half_mse",
                      optimizer = eoss.optim.sgd{ lr = p.lr }, seed = p.seed } -- full batch

run:track("lambda_max", { k = p.k, every = { first = 10, growth = 1.1, max = 100 } })
run:track({ "loss", "edge", "progressive_sharpening", "self_stabilization", "hessian_trace" }, { every = 10, budget = p.budget })
run:train{ to = p.steps }

local names = { "lambda_max" }
for i = 2, p.k do names[i] = "lambda_max_" .. i end
run:plot("eigenvalues.svg", names)
run:plot_spectrum("spectrum.svg", { k = p.k })

local H, g = run:hessian(), run:gradient()
local top, trace, held = H:top(p.k), H:trace{ method = "hutch++", max_samples = 120 }, 0
for i = 1, p.k do held = held + top.values[i] end
print(string.format("lambda_max %.3f of 2/lr; the top %d eigenvalues are %.0f %% of the trace", top.value * p.lr / 2, p.k, 100 * held / trace.value))
print(string.format("along the gradient: Hessian %.2f, Gauss-Newton %.2f", H:quadratic(g) / g:dot(g), run:ggn():quadratic(g) / g:dot(g)))
print(run:costs())
