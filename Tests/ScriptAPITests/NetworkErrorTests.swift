import Testing

@testable import ScriptAPI

/// Networks and data that cannot be, as a script may ask for them: each is one message with the place and the remedy.
@Suite struct NetworkErrorTests {
    @Test(arguments: [
        (
            "net(function(x, p) return eoss.conv2d(eoss.reshape(x, {1, 2, 2}), p.kernel, { padding = 1e12 }) end)",
            "a padding of 1000000000000 in a convolution: it is 0 to 1048576"
        ),
        (
            "net(function(x, p) return eoss.concat{ x, p.w } end)",
            "concatenation of tensors of shapes [4] and [3, 4]: all axes but axis 1 (counted from 1) must agree"
        ),
        (
            "net(function(x, p) return eoss.concat({ x, x }, 5) end)",
            "concatenation: a tensor of shape [4] has no axis 5 (counted from 1)"
        ),
        (
            "net(function(x, p) return eoss.stack{ x, p.w, x } end)",
            "stack of tensors of shapes [4], [3, 4] and [4], which must agree"
        ),
        (
            "net(function(x, p) return eoss.sum(x, {1, 1}) end)",
            "sum over the axes [1, 1] of a tensor of shape [4]: one is named twice"
        ),
        ("net(function(x, p) return eoss.var(x, 2) end)", "mean over axis 2 of a tensor of shape [4]"),
        ("net(function(x, p) return eoss.clamp(x, 2, 1) end)", "eoss.clamp: 'from' is 2, above 'to', 1"),
        (
            "net(function(x, p) return eoss.clamp(x, 2, -2 ^ 63) end)",
            "eoss.clamp: 'from' is 2, above 'to', -9.22337e+18"
        ),
        (
            "net(function(x, p) return eoss.scan(nil, x, function(h) return h end, { length = 1e6 })[1] end)",
            "a recurrence of 1000000 steps, those of recurrences in it counted: at most 10000 can be run"
        ),
        (
            """
            net(function(x, p) return eoss.scan(nil, x, function(h)
              return eoss.scan(nil, h, function(g) return g end, { length = 200 })[200] end, { length = 200 })[1] end)
            """, "a recurrence of 40000 steps"
        ),
        (
            "eoss.nn.cnn{ inputs = 784 }",
            "layer 'convs.0' (conv 3×3): it takes 3 axes, channels first, its input has shape [784]"
        ),
        ("eoss.nn.lstm{ vocabulary = 4, length = 1e6 }", "a recurrence of 1000000 steps"),
        (
            "eoss.nn.deep_linear{ layers = 1e7 }",
            "option 'layers' of eoss.nn.deep_linear: expected an integer from 1 to 1000"
        ),
        (
            "train(eoss.nn.lstm{ vocabulary = 4, length = 4 }, data{ labels = { {0, 1, 0, 1}, {0, 1, 0, 1} }, classes = 4 })",
            "the network takes tokens, and the inputs of arrays are not declared as tokens: give the data a vocabulary"
        ),
        (
            "data{ labels = {0, 1} }:subset{ indices = {3} }",
            "data:subset: there is no sample 3: arrays has samples 1 to 2"
        ),
        (
            "data{ labels = {0, 3}, classes = 3 }",
            "labels: sample 2 has the label 3, and the classes are 0 to 2"
        ),
        (
            """
            local other
            net(function(x, p) other = x; return x end)
            net(function(x, p) return eoss.where(eoss.gt(x, 0), x, other) end)
            """, "a tensor was used after the function it belongs to"
        ),
    ])
    func aNetworkThatCannotBeSaysWhy(_ script: String, _ message: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local function net(forward)
                  return eoss.nn.module{ inputs = 4, forward = forward,
                                         params = { w = { shape = {3, 4} }, kernel = { shape = {1, 1, 1, 1} } } }
                end
                local function data(options)
                  options.inputs = { {0, 1, 2, 3}, {3, 2, 1, 0} }
                  return eoss.data.arrays(options)
                end
                local function train(model, data)
                  local run = eoss.run{ model = model, data = data, loss = "ce", optimizer = eoss.optim.sgd{ lr = 0.1 } }
                  run:train{ steps = 1 }
                end
                \(script)
                """)
        #expect(failure?.contains(message) == true, "\(failure ?? "no error")")
    }
}
