-- A network and a loss that are not in the library, written in Lua: a gated recurrence down the rows of an image, and
-- cross-entropy with smoothed labels. Gradients, Hessian-vector products, third derivatives and all probes come by themselves.
local p = eoss.params{ lr = 0.1, steps = 500, n = 256, hidden = 24, smoothing = 0.1, seed = 1 }
local data = eoss.data.fashion_mnist{ n = p.n, seed = p.seed }
local nn, init = eoss.nn, eoss.init

-- A layer: h ← (1 − z)·h + z·tanh(…), with a gate z, over the rows of an image; its output is the last state.
local gated = nn.layer{ name = "gated recurrence",
  params = function(shape)
    local width = shape[#shape]
    local function matrix(columns) return { shape = { p.hidden, columns }, init = init.xavier_normal() } end
    return { in_gate = matrix(width), in_state = matrix(width), gate = matrix(p.hidden), state = matrix(p.hidden),
             bias = { shape = { p.hidden }, init = -1 } }
  end,
  forward = function(image, w)
    local rows = image[1] -- the only channel: rows × columns
    -- What does not depend on the state is one product for all rows.
    local inputs = { gate = eoss.linear(rows, w.in_gate, w.bias), state = eoss.linear(rows, w.in_state) }
    local states = eoss.scan(inputs, w.bias:zeros(), function(h, x)
      local z = eoss.sigmoid(x.gate + eoss.dot(w.gate, h))
      return h + z * (eoss.tanh(x.state + eoss.dot(w.state, h)) - h)
    end)
    return states[#states]
  end }

local function smoothed(output, target)
  local goal = (1 - p.smoothing) * target + p.smoothing / #target
  return -eoss.sum(goal * eoss.log_softmax(output))
end

local net = nn.sequential{ inputs = data.shape, seed = p.seed, gated, nn.linear(p.hidden, data.outputs) }
print(net)
local run = eoss.run{ name = "own_network", model = net, data = data, loss = smoothed,
                      optimizer = eoss.optim.sgd{ lr = p.lr }, seed = p.seed } -- full batch

run:track({ "loss", "accuracy", "edge" }, { every = 10 })
run:track("lambda_max", { every = 10 })
run:train{ to = p.steps }
run:plot("own_network.svg", { "lambda_max" })

-- Where it stopped: the gradient of the sharpness is the third derivative along the top eigenvector, twice. Descent along it
-- lowers the sharpness as it says.
local function sharpness() local top = run:hessian():top(1) return top.values[1], top.vectors[1] end
local before, u = sharpness()
local slope = run:D(u, u)
local h = 1e-3 * before / slope:dot(slope)
run.params = run.params - h * slope
print(string.format("sharpness %.4f, %.2f of 2/lr; after a small step against its gradient %.5f lower, predicted %.5f",
                    before, before * p.lr / 2, before - sharpness(), h * slope:dot(slope)))
