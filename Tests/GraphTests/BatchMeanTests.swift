import Compute
import Graph
import Testing

/// Batch normalisation written for one sample with `BatchMean` against the same written over the batch.
@Suite struct BatchStatisticsOfOneSample {
    private let size = 5
    private let width = 3
    private let space = 4
    private var parameters: [String] { ["w", "scale", "shift"] }

    /// tanh(γ (z − μ)/√(σ² + ε) + β) with z = w x, where `mean` takes means by channel.
    private func layer(_ b: GraphBuilder, _ x: Value, mean: (Value) -> Value) -> Value {
        let w = b.input("w", TensorType(.f64, [width, width]))
        let (scale, shift) = (b.input("scale", TensorType(.f64, [width])), b.input("shift", TensorType(.f64, [width])))
        // x is [width, space], or [size, width, space].
        let rank = b.shape(of: x).count
        let channel = rank - 2
        let product = b.dot(x, w, contracting: ([channel], [1]))
        let z = b.transpose(product, Array(0..<channel) + [rank - 1, rank - 2])
        func spread(_ v: Value) -> Value { b.broadcast(v, to: b.shape(of: x), dimensions: [channel]) }
        let centred = b.subtract(z, spread(mean(z)))
        let variance = mean(b.square(centred))
        let deviation = b.sqrt(b.add(variance, b.constant(1e-5, b.type(of: variance))))
        let normal = b.divide(b.multiply(spread(scale), centred), spread(deviation))
        return b.tanh(b.add(normal, spread(shift)))
    }

    /// One sample's, each with a loss of its own.
    private func perSample() -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [width, space]))
        let u = b.input("u", TensorType(.f64, [width, space]))
        let y = layer(b, x) { z in
            b.batchMean(b.scale(b.sum(z, dimensions: [1]), by: 1 / Double(space)))
        }
        return b.build(outputs: [("losses", b.inner(y, u))])
    }

    /// The batch's: mean and variance over axes 0 and 2, the losses of the samples in a vector.
    private func overTheBatch() -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [size, width, space]))
        let u = b.input("u", TensorType(.f64, [size, width, space]))
        let y = layer(b, x) { z in b.scale(b.sum(z, dimensions: [0, 2]), by: 1 / Double(size * space)) }
        return b.build(outputs: [("losses", b.sum(b.multiply(y, u), dimensions: [1, 2]))])
    }

    private func summed(_ graph: Graph) -> Graph {
        let b = GraphBuilder()
        let losses = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })[0]
        return b.build(outputs: [("f", b.sum(losses))])
    }

    /// The function, its gradient, Hessian-vector product and third derivative along two vectors; x is differentiated too.
    private func derivatives(_ f: Graph) throws -> [Graph] {
        let names = ["x"] + parameters
        let gradient = try vjp(f, of: "f", withRespectTo: names).selecting(outputs: names.map { $0 + ".gradient" })
        let product = try jvp(gradient, along: names)
            .selecting(outputs: names.map { $0 + ".gradient.tangent" })
        let third = try jvp(product, along: names)
            .selecting(outputs: names.map { $0 + ".gradient.tangent.tangent" })
        let form = try quadraticForm(f, of: "f", along: names).selecting(outputs: ["f.quadratic"])
        let gradientOfForm = try vjp(form, of: "f.quadratic", withRespectTo: names)
            .selecting(outputs: names.map { $0 + ".gradient" })
        return [f, gradient, product, third, form, gradientOfForm]
    }

    @Test func vmapMakesTheStatisticsOfTheBatchToThirdOrder() throws {
        let sample = try vmap(perSample(), over: ["x", "u"], size: size)
        for (first, second) in zip(try derivatives(summed(sample)), try derivatives(summed(overTheBatch()))) {
            var random = SplitMix(11)
            #expect(first.inputs == second.inputs)
            let inputs = random.tensors(for: first)
            // Sums in another order; third derivatives are of order a hundred.
            #expect(distance(try Interpreter.run(first, inputs), try Interpreter.run(second, inputs)) < 1e-11)
        }
    }

    @Test func theDerivativesOfTheBatchsStatisticsAgreeWithFiniteDifferences() throws {
        var laws = DerivativeLaws(summed(try vmap(perSample(), over: ["x", "u"], size: size)), seed: 12)
        try laws.check("batch")
        var alone = DerivativeLaws(perSample(), seed: 13)
        try alone.check("one sample")
    }

    /// Each sample's reverse derivative is its part of the derivative of the sum of all losses.
    @Test func derivativesMayBeTakenBeforeTheBatchIsMade() throws {
        let names = ["x"] + parameters
        let gradientNames = names.map { $0 + ".gradient" }
        let before = try vjp(perSample(), of: "losses", withRespectTo: names).selecting(outputs: gradientNames)
        #expect(before.containsBatchMean)
        let perSampleParts = try vmap(before, over: ["x", "u"], size: size)
        #expect(!perSampleParts.containsBatchMean)
        let whole = try vjp(summed(overTheBatch()), of: "f", withRespectTo: names).selecting(outputs: gradientNames)
        var random = SplitMix(13)
        let inputs = random.tensors(for: whole)
        let parts = try Interpreter.run(perSampleParts, inputs)
        let total = try Interpreter.run(whole, inputs)
        #expect(distance([parts[0]], [total[0]]) < 1e-12)
        for (part, sum) in zip(parts.dropFirst(), total.dropFirst()) {
            let count = sum.values.count
            let added = (0..<count).map { place in (0..<size).reduce(0) { $0 + part.values[$1 * count + place] } }
            #expect(distance([Tensor(sum.type, added)], [sum]) < 1e-12)
        }
        // And jvp: the tangents of all samples make the tangent of each loss.
        let (first, second) = (
            try vmap(
                try jvp(perSample(), along: ["x"]).selecting(outputs: ["losses.tangent"]),
                over: ["x", "u", "x.tangent"], size: size),
            try jvp(overTheBatch(), along: ["x"]).selecting(outputs: ["losses.tangent"])
        )
        let along = random.tensors(for: second)
        #expect(first.inputs == second.inputs)
        #expect(distance(try Interpreter.run(first, along), try Interpreter.run(second, along)) < 1e-12)
    }

    @Test func batchesOfBatchesHaveMeansOfTheirOwn() throws {
        let batch = try vmap(perSample(), over: ["x", "u"], size: 2)
        try checkBatching(batch, over: ["x", "u"], size: 3)
    }

    @Test func whatAllSamplesShareIsItsOwnMean() throws {
        let b = GraphBuilder()
        let (x, w) = (b.input("x", TensorType(.f64)), b.input("w", TensorType(.f64)))
        let g = b.build(outputs: [("y", b.multiply(b.batchMean(b.square(w)), b.batchMean(x)))])
        let batch = try vmap(g, over: ["x"], size: 4)
        #expect(!batch.containsBatchMean)
        // A further batch over w finds values, not means.
        try checkBatching(batch, over: ["w"], size: 3)
        #expect(
            try Interpreter.run(g, ["x": Tensor(TensorType(.f64), [3]), "w": Tensor(TensorType(.f64), [2])])["y"]?
                .scalar == 12)
    }

    @Test func executionKnowsNoMeanOfOneSample() {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2]))
        #expect(b.build(outputs: [("y", b.batchMean(x))]).optimized().nodes.isEmpty)
    }
}
