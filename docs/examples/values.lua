--- vector:dot
print(run:gradient():dot(run.params))

--- vector:norm
print(run.params:norm())

--- vector:copy
print(run.params:copy() == run.params)

--- vector:randn
local v = run.params:randn(1)
print(v:norm())

--- vector:part
print(run.params:part("layers.0.weight"):shape())

--- vector:totable
print(#run.params:totable())

--- vector:toarray
print(run.params:toarray())

--- array:shape
print(table.unpack(eoss.arrays.from{ { 1, 2 }, { 3, 4 } }:shape()))

--- array:get
print(eoss.arrays.from{ { 1, 2 }, { 3, 4 } }:get(2, 1))

--- array:totable
print(eoss.arrays.from{ 1, 2 }:totable()[2])

--- array:tovector
print(eoss.arrays.from{ 3, 4 }:tovector():norm())

--- tensor:shape
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 } } },
  forward = function(x, p) return eoss.dot(p.w, x) / x:shape()[1] end }

--- tensor:zeros
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 } } },
  forward = function(x, p) return eoss.sum(eoss.maximum(p.w * x, x:zeros())) end }

--- tensor:full
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 } } },
  forward = function(x, p) return eoss.sum(eoss.minimum(p.w * x, x:full(2))) end }

--- model:vector
print(net:vector(0):norm())
local v = run.params
print(net:vector{ ["layers.0.weight"] = v:part("layers.0.weight"), ["layers.0.bias"] = v:part("layers.0.bias"),
  ["layers.1.weight"] = v:part("layers.1.weight"), ["layers.1.bias"] = v:part("layers.1.bias") } == v)

--- model:save
net:save("weights.safetensors")

--- model:load
net:save("weights.safetensors")
net:load("weights.safetensors")

--- model:freeze
net:freeze("layers.0.*")
local run = eoss.run{ name = "frozen", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.05 } }
run:train{ steps = 5 }

--- dataset:describe
print(data:describe())

--- dataset:arrays
local numbers = data:arrays()
print(numbers.inputs[1], numbers.targets[1])
eoss.arrays.save("data.npz", numbers)

--- dataset:subset
print(#data:subset{ first = 5 })

--- dataset:split
local split = eoss.data.gaussian_mixture{ n = 20, classes = 2, d = 3 }:split{ test_n = 5 }
print(#split)

--- step:gradient
run.optimizer = eoss.optim.custom{ lr = 0.01,
  step = function(state, context) return context.params - context.lr * context:gradient() end }
run:train{ steps = 2 }

--- step:outputs
run.optimizer = eoss.optim.custom{ lr = 0.01,
  step = function(state, context)
    state.first = context:outputs():get(1, 1)
    return context.params - context.lr * context:gradient()
  end }
run:train{ steps = 2 }

--- step:hvp
run.optimizer = eoss.optim.custom{ lr = 0.01,
  step = function(state, context)
    local g = context:gradient()
    return context.params - context.lr * (g - context.lr / 2 * context:hvp(g))
  end }
run:train{ steps = 2 }

--- step:randn
run.optimizer = eoss.optim.custom{ lr = 0.01,
  step = function(state, context)
    return context.params - context.lr * (context:gradient() + 0.1 * context:randn())
  end }
run:train{ steps = 2 }

