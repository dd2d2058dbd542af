--- eoss.nn.mlp
print(eoss.nn.mlp{ inputs = { 1, 28, 28 }, hidden = { 200, 200 }, outputs = 10, activation = "relu", seed = 1 })

--- eoss.nn.fc
print(eoss.nn.fc{ inputs = 12, hidden = { 8 }, outputs = 2, activation = "tanh" })

--- eoss.nn.deep_linear
print(eoss.nn.deep_linear{ width = 5, layers = 3 })

--- eoss.nn.chebyshev_net
print(eoss.nn.chebyshev_net{ hidden = 8 })

--- eoss.nn.autoencoder
print(eoss.nn.autoencoder{ inputs = 784 })

--- eoss.nn.cnn
print(eoss.nn.cnn{ inputs = { 3, 32, 32 }, hidden = 16, outputs = 10 })

--- eoss.nn.convnet
print(eoss.nn.convnet{ inputs = { 3, 8, 8 }, channels = { 4, 4 }, outputs = 10 })

--- eoss.nn.cnn_central_flows
print(eoss.nn.cnn_central_flows{ inputs = { 3, 16, 16 }, width = 4 })

--- eoss.nn.vgg11
print(eoss.nn.vgg11{ width = 4 })

--- eoss.nn.resnet
print(eoss.nn.resnet{ depth = 8, width = 4 })

--- eoss.nn.wide_resnet
print(eoss.nn.wide_resnet{ depth = 10, widen = 1, base = 4 })

--- eoss.nn.vit
print(eoss.nn.vit{ inputs = { 3, 8, 8 }, patch = 4, width = 8, depth = 1, heads = 2, hidden = 16 })

--- eoss.nn.transformer
print(eoss.nn.transformer{ vocabulary = 8, length = 4, width = 8, layers = 1, heads = 2 })

--- eoss.nn.lstm
print(eoss.nn.lstm{ vocabulary = 8, length = 4, width = 8, hidden = 8 })

--- eoss.nn.mamba
print(eoss.nn.mamba{ vocabulary = 8, length = 4, width = 8, layers = 1 })

--- eoss.nn.sequential
print(eoss.nn.sequential{ eoss.nn.linear(12, 10), eoss.nn.activation("tanh"), eoss.nn.linear(10, 4), dtype = "f64" })

--- eoss.nn.block
print(eoss.nn.sequential{ eoss.nn.block{ eoss.nn.linear(4, 4), eoss.nn.activation("relu") }, eoss.nn.linear(4, 1) })

--- eoss.nn.residual
print(eoss.nn.sequential{ eoss.nn.residual{ eoss.nn.linear(4, 4), eoss.nn.activation("relu") }, eoss.nn.linear(4, 1) })

--- eoss.nn.linear
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { bias = false, init = eoss.init.normal{ std = 0.1 } }) })

--- eoss.nn.embedding
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.flatten(), eoss.nn.linear(12, 2), inputs = { 3 } })

--- eoss.nn.positions
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.positions(3, 4), eoss.nn.flatten(), eoss.nn.linear(12, 2), inputs = { 3 } })

--- eoss.nn.sinusoidal_positions
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.sinusoidal_positions(), eoss.nn.flatten(), eoss.nn.linear(12, 2), inputs = { 3 } })

--- eoss.nn.conv1d
print(eoss.nn.sequential{ eoss.nn.conv1d(2, 4, 3), eoss.nn.flatten(), eoss.nn.linear(24, 1), inputs = { 2, 8 } })

--- eoss.nn.conv2d
print(eoss.nn.sequential{ eoss.nn.conv2d(3, 4, 3, { padding = 1 }), eoss.nn.global_avg_pool(), eoss.nn.linear(4, 2), inputs = { 3, 8, 8 } })

--- eoss.nn.conv_transpose2d
print(eoss.nn.sequential{ eoss.nn.conv_transpose2d(2, 1, 2, { stride = 2 }), inputs = { 2, 4, 4 } })

--- eoss.nn.max_pool2d
print(eoss.nn.sequential{ eoss.nn.max_pool2d(2), eoss.nn.flatten(), eoss.nn.linear(16, 2), inputs = { 1, 8, 8 } })

--- eoss.nn.avg_pool2d
print(eoss.nn.sequential{ eoss.nn.avg_pool2d(2), eoss.nn.flatten(), eoss.nn.linear(16, 2), inputs = { 1, 8, 8 } })

--- eoss.nn.global_avg_pool
print(eoss.nn.sequential{ eoss.nn.global_avg_pool(), eoss.nn.linear(3, 2), inputs = { 3, 8, 8 } })

--- eoss.nn.batchnorm
print(eoss.nn.sequential{ eoss.nn.linear(4, 8), eoss.nn.batchnorm(8), eoss.nn.activation("relu"), eoss.nn.linear(8, 1) })

--- eoss.nn.layernorm
print(eoss.nn.sequential{ eoss.nn.linear(4, 8), eoss.nn.layernorm(8), eoss.nn.linear(8, 1) })

--- eoss.nn.groupnorm
print(eoss.nn.sequential{ eoss.nn.conv2d(3, 4, 3), eoss.nn.groupnorm(2, 4), eoss.nn.global_avg_pool(), eoss.nn.linear(4, 2), inputs = { 3, 8, 8 } })

--- eoss.nn.rmsnorm
print(eoss.nn.sequential{ eoss.nn.linear(4, 8), eoss.nn.rmsnorm(8), eoss.nn.linear(8, 1) })

--- eoss.nn.activation
print(eoss.nn.sequential{ eoss.nn.linear(4, 8), eoss.nn.activation("gelu"), eoss.nn.linear(8, 1) })

--- eoss.nn.flatten
print(eoss.nn.sequential{ eoss.nn.flatten(), eoss.nn.linear(12, 2), inputs = { 3, 2, 2 } })

--- eoss.nn.reshape
print(eoss.nn.sequential{ eoss.nn.reshape{ 3, 2, 2 }, eoss.nn.global_avg_pool(), eoss.nn.linear(3, 2), inputs = { 12 } })

--- eoss.nn.sequence_mean
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.sequence_mean(), eoss.nn.linear(4, 2), inputs = { 3 } })

--- eoss.nn.attention
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.attention(4, 2), eoss.nn.sequence_mean(), eoss.nn.linear(4, 2), inputs = { 3 } })

--- eoss.nn.lstm_layer
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.lstm_layer(4, 8), eoss.nn.sequence_mean(), eoss.nn.linear(8, 2), inputs = { 3 } })

--- eoss.nn.mamba_layer
print(eoss.nn.sequential{ eoss.nn.embedding(10, 4), eoss.nn.mamba_layer(4), eoss.nn.sequence_mean(), eoss.nn.linear(4, 2), inputs = { 3 } })

--- eoss.nn.module
local net = eoss.nn.module{ seed = 1, inputs = 8, params = { w = { shape = { 8 }, init = eoss.init.normal{ std = 0.1 } } },
  forward = function(x, p) return eoss.relu(eoss.dot(p.w, x)) * p.w end }
print(net)

--- eoss.nn.layer
local scale = eoss.nn.layer{ name = "scale", params = function(shape) return { s = { shape = shape, init = eoss.init.ones() } } end,
  forward = function(x, p) return p.s * x end }
print(eoss.nn.sequential{ eoss.nn.linear(4, 4), scale, eoss.nn.linear(4, 1) })

