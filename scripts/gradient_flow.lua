-- Gradient flow beside gradient descent: in the time of the equation descent follows it until lambda_max reaches 2/lr, and leaves it there.
-- Along the flow lambda_max goes on rising.
-- Cohen, Kaur, Li, Kolter & Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability", ICLR 2021.
local p = eoss.params{ lr = 0.05, time = 60, n = 200, seed = 1 }

local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local function make(name, optimizer)
  local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {50, 50}, outputs = data.outputs,
                           activation = "tanh", init_scale = 0.2, seed = p.seed }
  return eoss.run{ name = "gradient_flow-" .. name, model = net, data = data, loss = "half_mse",
                   optimizer = optimizer, batch_size = "full", seed = p.seed }
end
local gd, flow = make("gd", eoss.optim.sgd{ lr = p.lr }), make("flow", eoss.flow.gradient{ alpha = 1 })

print("  time  lambda_max of 2/lr: descent    flow | loss: descent     flow | distance / way of the flow")
local start = flow.params
for i = 1, 8 do
  local time = p.time * i / 8
  gd:train{ time = time - gd.time }
  flow:train{ time = time - flow.time }
  local function edge(run) return run:measure("lambda_max").value * p.lr / 2 end
  print(string.format("%6.1f %27.3f %7.3f | %13.4f %8.4f | %22.4f", time, edge(gd), edge(flow), gd.loss, flow.loss,
    gd:distance(flow) / (flow.params - start):norm()))
end
