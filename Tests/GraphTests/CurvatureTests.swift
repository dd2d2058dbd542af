import Compute
import Graph
import Testing

/// Batch sharpness by transformations and passes that know nothing of networks.
@Suite struct Curvature {
    struct Case: Sendable, CustomTestStringConvertible {
        let network: Network
        let bySample: Bool
        var testDescription: String { "\(network.activation) \(network.loss) \(bySample ? "by sample" : "by rows")" }

        func loss(_ count: Int) throws -> Graph {
            bySample ? try network.batchBySample(count) : network.batchByRows(count)
        }
    }

    static func cases(widths: [Int], element: ElementType = .f64) -> [Case] {
        [Network.Activation.relu, .tanh].flatMap { activation in
            [Network.Loss.mse, .ce].flatMap { loss in
                [true, false].map { bySample in
                    Case(
                        network: Network(widths: widths, activation: activation, loss: loss, element: element),
                        bySample: bySample)
                }
            }
        }
    }

    private static let samples = ["input", "target"]

    /// Weights small enough that no activation saturates; targets that sum to one.
    private func inputs(_ graph: Graph, seed: Int) -> [Tensor] {
        var random = SplitMix(seed)
        return graph.inputs.map { input in
            let tensor = random.tensor(input.type)
            if input.name == "target" { return Tensor(input.type, tensor.values.map { $0 * $0 / 3 }) }
            return input.name.hasPrefix("weight") ? 0.3 * tensor : tensor
        }
    }

    @Test(arguments: cases(widths: [12, 9, 8, 5]))
    func theCheapFormEqualsTheDoubleBackwardOne(_ subject: Case) throws {
        let loss = try subject.loss(3)
        let cheap = try vmap(subject.network.curvature(loss), over: Self.samples, size: 2)
        let double = try vmap(subject.network.curvatureByProducts(loss), over: Self.samples, size: 2)
        let inputs = inputs(cheap, seed: 7)
        let expected = try Interpreter.run(double, inputs)
        #expect(expected[1].values.allSatisfy { abs($0) > 1e-3 }, "a curvature that is not trivially zero")
        // Two orders of f64 sums of a few thousand terms.
        #expect(distance(try Interpreter.run(cheap, inputs), expected) < 1e-10)
        #expect(distance(try Interpreter.run(cheap.optimized(), inputs), expected) < 1e-10)
    }

    @Test(arguments: cases(widths: [12, 9, 8, 5], element: .f32))
    func inSinglePrecisionItIsAsGoodAsItsProducts(_ subject: Case) throws {
        let network = subject.network
        let cheap = try vmap(network.curvature(subject.loss(3)), over: Self.samples, size: 2)
        let inputs = inputs(cheap, seed: 8)
        var wide = subject.network
        wide.element = .f64
        let exact = Case(network: wide, bySample: subject.bySample)
        let reference = try vmap(wide.curvature(exact.loss(3)), over: Self.samples, size: 2)
        let expected = try Interpreter.run(
            reference, zip(reference.inputs, inputs).map { Tensor($0.type, $1.values) })
        let actual = try Interpreter.run(cheap.optimized(), inputs)
        // ε = 6e-8 in every activation and delta, some tens of roundings deep.
        for (x, y) in zip(actual, expected) { #expect(distance([Tensor(y.type, x.values)], [y]) < 3e-6) }
    }

    @Test(arguments: cases(widths: [784, 512, 256, 10], element: .f32))
    func noWeightGradientOfABatchIsFormed(_ subject: Case) throws {
        let (count, stack) = (8, 16)
        let network = subject.network
        let graph = try vmap(network.curvature(subject.loss(count)), over: Self.samples, size: stack).optimized()
        let bodies = graph.nodes.flatMap { $0.operation.bodies }
        for layer in 1..<network.widths.count {
            let weight = [network.widths[layer - 1], network.widths[layer]]
            for type in (bodies + [graph]).flatMap(\.types) {
                #expect(type.shape.sorted() != (weight + [stack]).sorted(), "\(graph)")
                #expect(type.shape.sorted() != weight.sorted() || type.element == .f32)
            }
        }
        // Products with a weight matrix are tall: all samples of all batches at once.
        let weights = Set(graph.inputs.indices.filter { graph.inputs[$0].name.hasPrefix("weight") })
        var products = 0
        for node in graph.nodes where node.operands.contains(where: { weights.contains($0.id) }) {
            guard let dot = node.operation as? DotGeneral else {
                Issue.record("a weight matrix is read by \(node.operation.mnemonic)")
                continue
            }
            products += 1
            #expect(dot.lhsBatch.isEmpty && weights.contains(node.operands[1].id))
            #expect(graph.type(of: node.result).shape.dropLast() == [stack, count])
        }
        // Forward in each layer; backward and along the tangent in all but the first.
        #expect(products == 3 * (network.widths.count - 1) - 2)
    }

    @Test(arguments: cases(widths: [784, 512, 256, 10], element: .f32))
    func oneBatchCostsOneForwardPassAndTwoProductsALayerMore(_ subject: Case) throws {
        let (count, stack) = (8, 16)
        let widths = subject.network.widths
        let graph = try vmap(subject.network.curvature(subject.loss(count)), over: Self.samples, size: stack)
            .optimized()
        var expected = 0
        for layer in 1..<widths.count {
            let product = count * widths[layer - 1] * widths[layer]
            expected += layer == 1 ? product : 3 * product
            // XXᵀ, its product with Δ, ΔΔᵀ; and ẊXᵀ.
            expected += count * count * (widths[layer - 1] + 2 * widths[layer] + (layer == 1 ? 0 : widths[layer - 1]))
        }
        let actual = Double(graph.cost().multiplyAdds) / Double(stack * expected)
        #expect(actual > 0.99 && actual < 1.1, "\(graph)")
    }

    @Test func aWideBatchFormsItsGradient() throws {
        // With more samples than the layers are wide the Gram matrices are the larger ones.
        let network = Network(widths: [16, 16, 4])
        let graph = try vmap(network.curvature(network.batchBySample(200)), over: Self.samples, size: 4).optimized()
        #expect(graph.types.contains { $0.shape.sorted() == [4, 16, 16] })
        #expect(!graph.types.contains { $0.shape.sorted() == [4, 200, 200] })
    }

    /// One network as a function of the values of its parameters and of one sample.
    private struct Written {
        let parameters: [(name: String, shape: [Int])]
        let inputs: Int
        let outputs: Int
        let loss: (GraphBuilder, [Value], _ input: Value, _ target: Value) -> Value
    }

    /// ‖g‖² and gᵀHg over two batches of three samples: formed values of the shape of a weight matrix a batch, and equality of the
    /// graph as executed with the one as written.
    private func checkNoWeightGradient(_ network: Written) throws -> Graph {
        let b = GraphBuilder()
        let weights = network.parameters.map { b.input($0.name, TensorType(.f64, $0.shape)) }
        let (x, target) = (
            b.input("input", TensorType(.f64, [network.inputs])), b.input("target", TensorType(.f64, [network.outputs]))
        )
        let sample = b.build(outputs: [("loss", network.loss(b, weights, x, target))])
        let batch = try vmap(sample, over: Self.samples, size: 3)
        let mean = GraphBuilder()
        let losses = mean.inline(batch, inputs: batch.inputs.map { mean.input($0.name, $0.type) })[0]
        let loss = mean.build(outputs: [("loss", mean.scale(mean.sum(losses), by: 1.0 / 3))])

        let names = network.parameters.map(\.name)
        let gradient = try vjp(loss, of: "loss", withRespectTo: names)
        let form = try quadraticForm(loss, of: "loss", along: names).selecting(outputs: ["loss.quadratic"])
        let c = GraphBuilder()
        let inputs = loss.inputs.map { c.input($0.name, $0.type) }
        let along = Array(c.inline(gradient, inputs: inputs).dropFirst())
        let squares = along.map { c.inner($0, $0) }
        let one = c.build(outputs: [
            ("quadratic", c.inline(form, inputs: inputs + along)[0]),
            ("square", squares.dropFirst().reduce(squares[0], c.add)),
        ])
        let stacked = try vmap(one, over: Self.samples, size: 2)
        let graph = stacked.optimized()
        for type in graph.types {
            #expect(!network.parameters.contains { type.shape.sorted() == ([2] + $0.shape).sorted() }, "\(graph)")
            #expect(!network.parameters.contains { type.shape.sorted() == ([2, 3] + $0.shape).sorted() }, "\(graph)")
        }
        let values = self.inputs(stacked, seed: 11)
        #expect(distance(try Interpreter.run(stacked, values), try Interpreter.run(graph, values)) < 1e-12)
        return graph
    }

    @Test func aNetworkWrittenAsSumsOfProductsCostsTheSame() throws {
        // z = Σ_k W[i,k] x[k] with the product of the repeated x and W written out, as a script may.
        let network = Written(
            parameters: [("weight1", [30, 40]), ("weight2", [20, 30])], inputs: 40, outputs: 20
        ) { b, weights, x, target in
            let hidden = b.tanh(b.sum(b.multiply(weights[0], b.broadcast(x, to: [30, 40])), dimensions: [1]))
            let output = b.sum(b.multiply(b.broadcast(hidden, to: [20, 30]), weights[1]), dimensions: [1])
            return b.sum(b.square(b.subtract(output, target)))
        }
        let graph = try checkNoWeightGradient(network)
        // One forward pass, one backward product, one along the tangent, Gram products.
        let products = 3 * (30 * 40 + 3 * 20 * 30) + 9 * (40 + 2 * 30 + 2 * 30 + 2 * 20)
        #expect(Double(graph.cost().multiplyAdds) < 1.1 * 2 * Double(products))
    }

    @Test func aWeightUsedTwiceHasNoGradientFormedEither() throws {
        // The autoencoder Wᵀφ(Wx): the gradient is a sum of two products.
        let network = Written(parameters: [("weight", [30, 40])], inputs: 40, outputs: 40) { b, weights, x, target in
            let hidden = b.tanh(b.matmul(weights[0], x))
            return b.sum(b.square(b.subtract(b.matmul(hidden, weights[0]), target)))
        }
        _ = try checkNoWeightGradient(network)
    }

    @Test func aPenaltyOnTheWeightsChangesNothingOfThat() throws {
        let network = Written(
            parameters: [("weight1", [30, 40]), ("weight2", [20, 30])], inputs: 40, outputs: 20
        ) { b, weights, x, target in
            let output = b.matmul(weights[1], b.tanh(b.matmul(weights[0], x)))
            let penalties = weights.map { b.scale(b.sum(b.square($0)), by: 0.01) }
            return penalties.reduce(b.sum(b.square(b.subtract(output, target))), b.add)
        }
        _ = try checkNoWeightGradient(network)
    }
}
