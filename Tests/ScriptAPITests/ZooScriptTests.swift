import Testing

@testable import ScriptAPI

/// Every network of `eoss.nn`, small, as a script uses it: printed, trained, differentiated three times, measured.
@Suite struct ZooScriptTests {
    /// Trains two steps and asks for all that a network is to give: symmetric Hessian-vector products that are the derivative of
    /// the gradient, a third derivative that is symmetric too, both curvatures.
    private static let examination = """
        local run = eoss.run{ name = "zoo", model = net, data = data, loss = loss, optimizer = eoss.optim.sgd{ lr = 1e-3 },
                              batch_size = 4, seed = 1 }
        assert(run:train{ to = 2 } == "step" and run.batch_loss > 0)
        local u, v, w = run.params:randn(1), run.params:randn(2), run.params:randn(3)
        local Hu, Hv = run:hvp(u), run:hvp(v)
        assert(math.abs(v:dot(Hu) - u:dot(Hv)) <= 1e-10 * Hu:norm() * v:norm(), "the Hessian is not symmetric")
        local h = 1e-6
        local difference = (run:gradient{ at = run.params + h * u } - run:gradient{ at = run.params - h * u }) / (2 * h)
        assert((difference - Hu):norm() <= TOLERANCE * Hu:norm(), "Hu is not the derivative of the gradient: " ..
               (difference - Hu):norm() / Hu:norm())
        local third = run:D(u, v)
        assert(math.abs(w:dot(third) - u:dot(run:D(v, w))) <= 1e-8 * third:norm() * w:norm(), "D(u, v) is not symmetric")
        local sharpness = run:measure("batch_sharpness", { batch_size = 2, max_samples = 4, rel_error = 0 })
        assert(sharpness.samples == 4 and sharpness.value == sharpness.value)
        assert(#run:hessian():top(1).values == 1)
        assert(tostring(net):find("multiply%-adds"), tostring(net))
        """

    private static let images = [
        "eoss.nn.fc{ inputs = {3, 8, 8}, hidden = {5, 4}, outputs = 3, batchnorm = true, dtype = 'f64' }",
        "eoss.nn.cnn{ inputs = {3, 16, 16}, channels = {3, 4, 3}, hidden = 5, outputs = 3, activation = 'silu', dtype = 'f64' }",
        "eoss.nn.convnet{ inputs = {3, 8, 8}, channels = {3, 2}, outputs = 3, activation = 'elu', pooling = 'average', dtype = 'f64' }",
        "eoss.nn.cnn_central_flows{ inputs = {3, 8, 8}, width = 2, outputs = 3, dtype = 'f64' }",
        "eoss.nn.vgg11{ width = 2, outputs = 3, activation = 'softplus', pooling = 'average', dtype = 'f64' }",
        "eoss.nn.resnet{ inputs = {3, 8, 8}, depth = 8, width = 4, outputs = 3, activation = 'tanh', dtype = 'f64' }",
        "eoss.nn.resnet{ inputs = {3, 8, 8}, depth = 8, width = 4, outputs = 3, activation = 'silu', batchnorm = true, dtype = 'f64' }",
        "eoss.nn.resnet{ variant = 'cohen', inputs = {3, 8, 8}, depth = 8, width = 4, outputs = 3, activation = 'gelu', dtype = 'f64' }",
        "eoss.nn.resnet{ variant = 'central_flows', inputs = {3, 16, 16}, depth = 8, width = 2, outputs = 3, dtype = 'f64' }",
        "eoss.nn.wide_resnet{ inputs = {3, 8, 8}, widen = 1, base = 2, outputs = 3, activation = 'silu', dtype = 'f64' }",
        "eoss.nn.wide_resnet{ inputs = {3, 8, 8}, widen = 1, base = 2, outputs = 3, activation = 'silu', batchnorm = false, dtype = 'f64' }",
        "eoss.nn.vit{ inputs = {3, 8, 8}, width = 8, depth = 1, heads = 2, head_width = 4, hidden = 8, outputs = 3, head_scale = 1, dtype = 'f64' }",
    ]

    @Test(arguments: images) func aNetworkOfImagesTrainsAndHasAllDerivatives(_ model: String) throws {
        let size = model.contains("vgg11") ? 32 : model.contains("16, 16") ? 16 : 8
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.teacher_student{ n = 12, inputs = \(3 * size * size), outputs = 3, seed = 2 }
                local loss, net = "mse", \(model)
                """ + "\n" + Self.examination.replacing("TOLERANCE", with: "1e-5"))
        #expect(failure == nil)
    }

    @Test(arguments: ["transformer", "lstm", "mamba"])
    func aNetworkOfSequencesTrainsAndHasAllDerivatives(_ model: String) throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.sorting{ n = 12, test_n = 4, vocabulary = 3, length = 3, seed = 2 }
                assert(data.vocabulary == 3 and data.shape[1] == 5 and data.target_shape[2] == 3)
                local loss, net = "ce", eoss.nn.\(model){ vocabulary = 3, length = 5, width = 8, layers = 1, dtype = "f64",
                                        \(model == "lstm" ? "hidden = 4" : model == "mamba" ? "states = 3" : "head_scale = 1, heads = 2") }
                """ + "\n" + Self.examination.replacing("TOLERANCE", with: "1e-5"))
        #expect(failure == nil)
    }

    @Test func smallNetworksOfTheoryTrain() throws {
        let failure = try Laboratory().failure(
            of: """
                local function examine(net, data, loss) \(Self.examination.replacing("TOLERANCE", with: "1e-5")) end
                examine(eoss.nn.deep_linear{ width = 4, layers = 3, dtype = "f64" }, eoss.data.deep_linear{ n = 6, d = 4 }, "mse")
                examine(eoss.nn.chebyshev_net{ hidden = 6, dtype = "f64" }, eoss.data.chebyshev{ degree = 3, n = 9 }, "half_mse")
                examine(eoss.nn.autoencoder{ inputs = 5, std = 0.5, dtype = "f64" }, eoss.data.orthogonal{ n = 4, d = 5 }, "half_mse")
                examine(eoss.nn.autoencoder{ inputs = 5, std = 0.5, tied = false, dtype = "f64" }, eoss.data.orthogonal{ n = 4, d = 5 },
                        function(output, target) return eoss.sum((output - target) ^ 2) / 2 end)
                """)
        #expect(failure == nil)
    }

    /// A network of layers, with every kind of layer, is the network that it says it is.
    @Test func layersCompose() throws {
        let failure = try Laboratory().failure(
            of: """
                local nn = eoss.nn
                local net = nn.sequential{ inputs = {2, 8, 8}, dtype = "f64",
                    nn.conv2d(2, 4, 3, { padding = "same", bias = false }), nn.batchnorm(4), nn.activation("gelu"),
                    nn.residual{ nn.conv2d(4, 4, 3, { padding = 1 }), nn.groupnorm(2, 4), nn.activation("silu"), scale = 0.5 },
                    nn.max_pool2d(2), nn.residual{ nn.conv2d(4, 6, 3, { stride = 2, padding = 1 }), activation = "tanh",
                        shortcut = nn.block{ nn.avg_pool2d(2), nn.conv2d(4, 6, 1, { init = eoss.init.kaiming_normal{ fan = "fan_out" } }) } },
                    nn.conv_transpose2d(6, 2, 2, { stride = 2 }), nn.reshape({4, 8}), nn.layernorm(8), nn.attention(8, 2, { causal = true }),
                    nn.lstm_layer(8, 6), nn.rmsnorm(6), nn.sequence_mean(), nn.linear(6, 5), nn.layernorm(5, { affine = false }),
                    nn.linear(5, 3, { init = 0.1, bias_init = eoss.init.zeros() }) }
                assert(net.shapes["0.weight"][4] == 3 and net.shapes["3.body.0.bias"][1] == 4)
                assert(net.shapes["5.shortcut.1.weight"][1] == 6 and net.shapes["10.weight_hh_l0"][1] == 24)
                local data, loss = eoss.data.teacher_student{ n = 12, inputs = 128, outputs = 3 }, "half_mse"
                """ + "\n" + Self.examination.replacing("TOLERANCE", with: "1e-4"))
        #expect(failure == nil)
    }

    /// Training moves the running values, measuring does not; evaluation of test data uses them, and whoever asks.
    @Test func batchNormHasStatisticsOfTheBatchAndRunningOnes() throws {
        let failure = try Laboratory().failure(
            of: """
                local data = eoss.data.gaussian_mixture{ n = 12, test_n = 6, classes = 3, d = 5, separation = 4 }
                local net = eoss.nn.fc{ inputs = 5, hidden = {6}, outputs = 3, batchnorm = true, dtype = "f64" }
                local function make(ghost)
                  return eoss.run{ name = "norm", model = net, data = data, loss = "ce", optimizer = eoss.optim.sgd{ lr = 0.1 },
                                   batch_size = 4, ghost_batch = ghost, seed = 1 }
                end
                local whole, halves = make(12), make(6)
                assert(whole.loss ~= halves.loss)
                local first, second = {1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}
                local mean = (halves:gradient{ batch = first } + halves:gradient{ batch = second }) / 2
                assert((mean - halves:gradient()):norm() < 1e-12 and (mean - whole:gradient()):norm() > 1e-6)
                local before = whole:evaluate{ statistics = "running" }.loss
                whole:measure("lambda_max"); whole:measure("batch_sharpness", { batch_size = 4, max_samples = 10 })
                assert(whole:evaluate{ statistics = "running" }.loss == before, "measuring moved the running values")
                local point = whole.params
                whole:train{ steps = 20 }; whole.params = point
                assert(whole:evaluate{ statistics = "running" }.loss ~= before)
                assert(whole:evaluate{ data = "test" }.loss == whole:evaluate{ data = "test", statistics = "running" }.loss)
                assert(whole:evaluate{ data = "test" }.loss ~= whole:evaluate{ data = "test", statistics = "batch" }.loss)
                assert((whole:gradient{ statistics = "running" } - whole:gradient()):norm() > 1e-6)
                """)
        #expect(failure == nil)
    }

    /// Of the four networks of the EoSS code, 0.2 as there; the same draws times it. Biases are zero.
    @Test(arguments: [
        "mlp{ inputs = 4, hidden = {5}, outputs = 2, seed = 3,",
        "cnn{ inputs = {3, 16, 16}, hidden = 8, outputs = 2, seed = 3,",
        "resnet{ inputs = {3, 8, 8}, depth = 14, width = 4, outputs = 2, seed = 3,",
    ]) func theDefaultScaleOfInitialWeightsIsThatOfTheirCode(network: String) throws {
        let script = """
            local data = eoss.data.gaussian_mixture{ n = 4 }
            local function first(net) net:save("w.safetensors"); local sum, names = 0, eoss.arrays.load("w.safetensors")
                for name, a in pairs(names) do if not name:find("bn") then sum = sum + a:tovector():norm()^2 end end
                return sum^0.5
            end
            local plain, given = first(eoss.nn.\(network) }), first(eoss.nn.\(network) init_scale = 0.2 })
            local unit = first(eoss.nn.\(network) init_scale = 1 })
            assert(plain == given and math.abs(plain / unit - 0.2) < 1e-6, plain / unit)
            """
        #expect(try Laboratory().failure(of: script) == nil)
    }
}
