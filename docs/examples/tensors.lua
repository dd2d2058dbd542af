--- eoss.relu
print(eoss.relu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.leaky_relu
print(eoss.leaky_relu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.elu
print(eoss.elu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.selu
print(eoss.selu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.silu
print(eoss.silu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.gelu
print(eoss.gelu(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.gelu_tanh
print(eoss.gelu_tanh(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.tanh
print(eoss.tanh(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.hardtanh
print(eoss.hardtanh(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.sigmoid
print(eoss.sigmoid(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.softplus
print(eoss.softplus(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.square
print(eoss.square(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.relu6
print(eoss.relu6(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.mish
print(eoss.mish(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.softsign
print(eoss.softsign(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.log_sigmoid
print(eoss.log_sigmoid(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.hard_sigmoid
print(eoss.hard_sigmoid(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.hard_swish
print(eoss.hard_swish(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.exp
print(eoss.exp(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.abs
print(eoss.abs(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.erf
print(eoss.erf(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.sign
print(eoss.sign(eoss.arrays.from{ -2, 0.5, 3 }))

--- eoss.log
print(eoss.log(eoss.arrays.from{ 0.5, 1, 3 }))

--- eoss.log1p
print(eoss.log1p(eoss.arrays.from{ 0.5, 1, 3 }))

--- eoss.sqrt
print(eoss.sqrt(eoss.arrays.from{ 0.5, 1, 3 }))

--- eoss.detach
-- the loss of a network whose own output, held fixed, is part of the target
local run = eoss.run{ name = "held", model = net, data = data, optimizer = eoss.optim.sgd{ lr = 0.05 },
  loss = function(output, target) return eoss.sum((output - 0.5 * (target + eoss.detach(output))) ^ 2) end }
run:train{ steps = 5 }

--- eoss.batch_mean
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 } } },
  forward = function(x, p)
    local y = p.w * x
    return y - eoss.batch_mean(y)
  end }

--- eoss.maximum
print(eoss.maximum(eoss.arrays.from{ 1, 5 }, eoss.arrays.from{ 3, 2 }))

--- eoss.minimum
print(eoss.minimum(eoss.arrays.from{ 1, 5 }, eoss.arrays.from{ 3, 2 }))

--- eoss.gt
print(eoss.gt(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.ge
print(eoss.ge(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.lt
print(eoss.lt(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.le
print(eoss.le(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.eq
print(eoss.eq(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.ne
print(eoss.ne(eoss.arrays.from{ 1, 2, 3 }, eoss.arrays.from{ 2, 2, 2 }))

--- eoss.clamp
print(eoss.clamp(eoss.arrays.from{ -2, 0.5, 3 }, 0, 1))

--- eoss.where
local x = eoss.arrays.from{ -2, 0.5, 3 }
print(eoss.where(eoss.gt(x, 0), x, 0 * x))

--- eoss.sum
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.sum(x), eoss.sum(x, 1))

--- eoss.prod
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.prod(x), eoss.prod(x, 1))

--- eoss.mean
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.mean(x), eoss.mean(x, 1))

--- eoss.max
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.max(x), eoss.max(x, 1))

--- eoss.min
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.min(x), eoss.min(x, 1))

--- eoss.median
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.median(x), eoss.median(x, 1))

--- eoss.var
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.var(x), eoss.var(x, 1))

--- eoss.std
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.std(x), eoss.std(x, 1))

--- eoss.norm
local x = eoss.arrays.from{ { 1, 2, 3 }, { 4, 5, 9 } }
print(eoss.norm(x), eoss.norm(x, 1))

--- eoss.logsumexp
print(eoss.logsumexp(eoss.arrays.from{ 1, 2, 3 }))

--- eoss.softmax
print(eoss.softmax(eoss.arrays.from{ 1, 2, 3 }))

--- eoss.log_softmax
print(eoss.log_softmax(eoss.arrays.from{ 1, 2, 3 }))

--- eoss.dot
print(eoss.dot(eoss.arrays.from{ 1, 2 }, eoss.arrays.from{ 3, 4 }))

--- eoss.reshape
local net = eoss.nn.module{ inputs = 6, params = { w = { shape = { 3, 2 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.matmul(eoss.reshape(x, { 2, 3 }), p.w)) end }
print(net)

--- eoss.transpose
local net = eoss.nn.module{ inputs = { 2, 3 }, params = { w = { shape = { 2, 2 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.matmul(eoss.transpose(x), p.w)) end }
print(net)

--- eoss.slice
local net = eoss.nn.module{ inputs = 6, params = { w = { shape = { 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return p.w * eoss.slice(x, 1, 2, 4) end }
print(net)

--- eoss.at
local net = eoss.nn.module{ inputs = { 2, 3 }, params = { w = { shape = { 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return p.w * eoss.at(x, 1) end }
print(net)

--- eoss.concat
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.concat({ p.w * x, x }, 1) end }
print(net)

--- eoss.stack
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.stack{ p.w * x, x }) end }
print(net)

--- eoss.pad
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 5 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return p.w * eoss.pad(x, { 1 }, { 1 }) end }
print(net)

--- eoss.flatten
local net = eoss.nn.module{ inputs = { 2, 3 }, params = { w = { shape = { 6 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return p.w * eoss.flatten(x) end }
print(net)

--- eoss.embedding
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 10, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.embedding(p.w, x)) end }
print(net)

--- eoss.one_hot
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 10, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.matmul(eoss.one_hot(x, 10), p.w)) end }
print(net)

--- eoss.scatter_add
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 3, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.scatter_add(p.w, x, 10)) end }
print(net)

--- eoss.matmul
local net = eoss.nn.module{ inputs = { 2, 3 }, params = { w = { shape = { 3, 2 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.matmul(x, p.w)) end }
print(net)

--- eoss.linear
local net = eoss.nn.module{ inputs = 3, params = { w = { shape = { 2, 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(x, p.w) end }
print(net)

--- eoss.conv1d
local net = eoss.nn.module{ inputs = { 2, 8 }, params = { w = { shape = { 4, 2, 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.conv1d(x, p.w, { padding = 1 }) end }
print(net)

--- eoss.conv2d
local net = eoss.nn.module{ inputs = { 3, 8, 8 }, params = { w = { shape = { 4, 3, 3, 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.global_avg_pool(eoss.conv2d(x, p.w, { padding = 1 })) end }
print(net)

--- eoss.conv_transpose2d
local net = eoss.nn.module{ inputs = { 3, 4, 4 }, params = { w = { shape = { 3, 2, 2, 2 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.conv_transpose2d(x, p.w, { stride = 2 }) end }
print(net)

--- eoss.max_pool2d
local net = eoss.nn.module{ inputs = { 1, 8, 8 }, params = { w = { shape = { 2, 16 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.flatten(eoss.max_pool2d(x, 2)), p.w) end }
print(net)

--- eoss.avg_pool2d
local net = eoss.nn.module{ inputs = { 1, 8, 8 }, params = { w = { shape = { 2, 16 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.flatten(eoss.avg_pool2d(x, 2)), p.w) end }
print(net)

--- eoss.global_avg_pool
local net = eoss.nn.module{ inputs = { 3, 8, 8 }, params = { w = { shape = { 2, 3 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.global_avg_pool(x), p.w) end }
print(net)

--- eoss.layer_norm
local net = eoss.nn.module{ inputs = 4, params = { w = { shape = { 2, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.layer_norm(x), p.w) end }
print(net)

--- eoss.group_norm
local net = eoss.nn.module{ inputs = { 4, 3, 3 }, params = { w = { shape = { 2, 36 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.flatten(eoss.group_norm(x, 2)), p.w) end }
print(net)

--- eoss.rms_norm
local net = eoss.nn.module{ inputs = 4, params = { w = { shape = { 2, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.rms_norm(x), p.w) end }
print(net)

--- eoss.batch_norm
local net = eoss.nn.module{ inputs = 4, params = { w = { shape = { 2, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.linear(eoss.batch_norm(x), p.w) end }
print(net)

--- eoss.attention
local net = eoss.nn.module{ inputs = { 3, 4 }, params = { w = { shape = { 4, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.flatten(eoss.attention(eoss.linear(x, p.w), x, x, { causal = true })) end }
print(net)

--- eoss.scan
local net = eoss.nn.module{ inputs = { 5, 4 }, params = { w = { shape = { 4, 4 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.at(eoss.scan(x, x[1], function(h, u) return eoss.tanh(eoss.linear(h, p.w) + u) end), 5) end }
print(net)
