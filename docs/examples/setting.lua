--- setting
data = eoss.data.chebyshev{ degree = 3, n = 20 }
net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.05 }, batch_size = 4 }
