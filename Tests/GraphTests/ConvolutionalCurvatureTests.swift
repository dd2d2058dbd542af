import Compute
import Testing

@testable import Graph

/// Derivatives of a convolutional network by transformations and passes that know nothing of networks.
@Suite struct ConvolutionalCurvature {
    private static let network = ConvolutionalNetwork(channels: [3, 4, 5, 6], size: (8, 10), outputs: 3)

    /// Weights small enough that no activation grows.
    private func inputs(_ graph: Graph, seed: Int) -> [Tensor] {
        var random = SplitMix(seed)
        return graph.inputs.map { ($0.name.hasSuffix("weight") ? 0.3 : 1) * random.tensor($0.type) }
    }

    @Test func derivativesOfASmoothNetworkAgreeWithFiniteDifferencesToThirdOrder() throws {
        var network = ConvolutionalNetwork(channels: [2, 2, 3, 2], size: (6, 6), outputs: 2)
        network.isSmooth = true
        let graph = try network.batch(2)
        var laws = DerivativeLaws(graph, names: network.parameterNames, point: inputs(graph, seed: 1), seed: 2)
        try laws.check()
    }

    @Test func theCheapFormEqualsTheDoubleBackwardOne() throws {
        let cheap = try Self.network.curvature(3, stack: 2)
        let inputs = inputs(cheap, seed: 3)
        let double = try Self.network.curvature(3, stack: 2, doubleBackward: true)
        let expected = try Interpreter.run(double, inputs)
        #expect(expected[1].values.allSatisfy { abs($0) > 1e-3 }, "a curvature that is not trivially zero")
        // Two orders of f64 sums of some thousand terms.
        #expect(distance(try Interpreter.run(cheap, inputs), expected) < 1e-10)
        #expect(distance(try Interpreter.run(cheap.optimized(), inputs), expected) < 1e-10)
    }

    @Test func inSinglePrecisionItIsAsGoodAsItsSums() throws {
        var narrow = Self.network
        narrow.element = .f32
        let cheap = try narrow.curvature(3, stack: 2)
        let inputs = inputs(cheap, seed: 4)
        let reference = try Self.network.curvature(3, stack: 2)
        let expected = try Interpreter.run(reference, zip(reference.inputs, inputs).map { Tensor($0.type, $1.values) })
        let actual = try Interpreter.run(cheap.optimized(), inputs)
        // ε = 6e-8 in every activation and cotangent, some tens of roundings deep.
        for (x, y) in zip(actual, expected) { #expect(distance([Tensor(y.type, x.values)], [y]) < 3e-6) }
    }

    /// A layer needs the forward convolution, that of the cotangent with the weights, the weight gradient V of its batch, and
    /// along V three: conv(ẋ, w), conv(x, V) and conv(ẋ, V) for the second-order term. The first has no ẋ and no cotangent of
    /// its data. A Hessian-vector product along V after the gradient takes six more than the gradient's three.
    @Test func oneBatchCostsOneGradientAndThreeConvolutionsALayer() throws {
        let (count, stack) = (4, 2)
        let graph = try Self.network.curvature(count, stack: stack).optimized()
        let convolutions = graph.nodes.filter { $0.operation is Convolution }
        #expect(convolutions.count == 3 + 6 + 6, "\(graph)")
        let forward = try vmap(Self.network.batch(count), over: ConvolutionalNetwork.samples, size: stack).optimized()
        let layers = forward.nodes.filter { $0.operation is Convolution }.map { forward.cost(of: $0).multiplyAdds }
        let total = convolutions.reduce(0) { $0 + graph.cost(of: $1).multiplyAdds }
        #expect(total == 3 * layers[0] + 6 * layers[1] + 6 * layers[2])
        // With the weights all batches are one convolution; with gradients each batch has a kernel of its own.
        for node in convolutions {
            guard let convolution = node.operation as? Convolution else { continue }
            let readsWeights = node.operands[1].id < graph.inputs.count
            #expect(convolution.lhs.batch.count == (readsWeights ? 0 : 1))
        }
    }

    @Test func aProductWithTheHessianTakesThreeConvolutionsForEachOfTheGradients() throws {
        let split = try Self.network.linearizedGradient(4)
        // Along the direction: conv(ẋ, w) + conv(x, ẇ), and each cotangent twice; the first layer's image has no tangent.
        let linear = split.linear.optimized().nodes.filter { $0.operation is Convolution }
        #expect(linear.count == 2 + 6 + 6)
        // At the point forward, and the cotangent that the second layer's tangent meets; the first layer's meets none.
        let point = split.point.selecting(outputs: split.residuals).optimized().nodes.filter {
            $0.operation is Convolution
        }
        #expect(point.count == 3 + 1)
    }

    @Test func gradientsAreAddedToTheirSums() throws {
        let gradient = try Self.network.gradient(2)
        let b = GraphBuilder()
        let values = b.inline(gradient, inputs: gradient.inputs.map { b.input($0.name, $0.type) })
        let names = Self.network.parameterNames
        let sums = zip(names, values.dropFirst()).map { name, value in
            (name: name, value: b.add(b.input("\(name).sum", b.type(of: value)), b.scale(value, by: -0.5)))
        }
        let graph = b.build(outputs: sums)
        let inputs = inputs(graph, seed: 5)
        #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(graph.optimized(), inputs)) < 1e-12)
    }
}
