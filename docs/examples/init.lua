--- eoss.init.zeros
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.zeros() }) })

--- eoss.init.ones
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.ones() }) })

--- eoss.init.constant
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.constant(0.1) }) })

--- eoss.init.normal
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.normal{ std = 0.1 } }) })

--- eoss.init.truncated_normal
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.truncated_normal{ std = 0.02 } }) })

--- eoss.init.uniform
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.uniform{ from = -0.1, to = 0.1 } }) })

--- eoss.init.pytorch
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.pytorch() }) })

--- eoss.init.kaiming_normal
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.kaiming_normal{ scale = 0.5 } }) })

--- eoss.init.kaiming_uniform
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.kaiming_uniform() }) })

--- eoss.init.xavier_normal
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.xavier_normal() }) })

--- eoss.init.xavier_uniform
print(eoss.nn.sequential{ eoss.nn.linear(4, 2, { init = eoss.init.xavier_uniform{ gain = 2 } }) })

