import Compute
import SmallNetworks
import Testing

@testable import Graph
@testable import Networks
@testable import Objectives

/// f64, sums of a few hundred terms.
private let rounding = 1e-12

@Suite struct GramMatrices {
    private func gradients(_ oracle: Oracle, _ theta: Vector) throws -> [Vector] {
        try (0..<oracle.samples.count).map { try oracle.gradient(at: theta, over: .indices([$0])).gradient }
    }

    /// In one block, and in blocks of which the last reaches back.
    @Test(arguments: [1024, 4, 5]) func gradientsHaveTheirInnerProducts(chunk: Int) throws {
        let problem = try Problem(.tanh, loss: .crossEntropy, chunk: chunk)
        let gradients = try gradients(problem.oracle, problem.theta)
        let n = gradients.count
        let gram = try problem.oracle.gradientGram(at: problem.theta)
        let weighted = try problem.oracle.gradientGram(at: problem.theta, weighted: true)
        for i in 0..<n {
            for j in 0..<n {
                let expected = try gradients[i].dot(gradients[j])
                let scale = gradients[i].norm() * gradients[j].norm()
                #expect(abs(gram[i * n + j] - expected) < rounding * scale)
                #expect(abs(weighted[i * n + j] * Double(n) - expected) < rounding * scale)
                #expect(gram[i * n + j] == gram[j * n + i])
            }
        }
    }

    /// Row by row from the directional derivatives of the outputs: ⟨row, v⟩ for v the other row is what JJᵀ holds, so that
    /// vᵀ(NTK)v = |Jv|²/n for each row v of J.
    @Test(arguments: [1024, 5]) func outputsHaveThoseOfTheirDerivatives(chunk: Int) throws {
        let problem = try Problem(.silu, chunk: chunk)
        let (n, width) = (problem.oracle.samples.count, 3)
        let rows = n * width
        let gram = try problem.oracle.jacobianGram(at: problem.theta)
        // The derivatives of outputs by central differences with step 1e-5, exact to about 1e-10.
        let columns = try (0..<problem.theta.count).map { index in
            var unit = [Double](repeating: 0, count: problem.theta.count)
            unit[index] = 1e-5
            let step = try Vector(unit, element: .f64)
            return try zip(
                problem.oracle.evaluate(at: problem.theta + step).outputs,
                problem.oracle.evaluate(at: problem.theta - step).outputs
            ).map { ($0 - $1) / 2e-5 }
        }
        let scale = gram.reduce(0) { max($0, abs($1)) }
        for i in 0..<rows {
            for j in 0..<rows {
                let expected = columns.reduce(0) { $0 + $1[i] * $1[j] }
                #expect(abs(gram[i * rows + j] - expected) < 1e-8 * scale)
            }
        }
        let weighted = try problem.oracle.jacobianGram(at: problem.theta, weighted: true)
        #expect(zip(weighted, gram).allSatisfy { abs($0 * Double(n) - $1) < rounding * scale })
    }

    /// No gradient of a sample of a perceptron is formed: extents differ from each other.
    @Test(arguments: [GramRows.gradients, .outputs], [false, true])
    func ofAPerceptronNoGradientIsFormed(_ rows: GramRows, pair: Bool) throws {
        let model = try Model.multilayerPerceptron(
            inputShape: [47], hidden: [41, 43], outputs: 3, activation: .relu, initScale: 1, seed: 1)
        let graph = try Objective(model: model, loss: .mse).gram(rows, count: 7, pair: pair, use: .batch)
        func formed(_ graph: Graph) -> Int {
            let shapes = Set(graph.types.map { $0.shape.filter { $0 != 1 }.sorted() })
            let stacks = rows == .gradients ? [[7]] : [[7, 3], [21]]
            return model.layout.entries.filter { $0.shape.count == 2 }.count { entry in
                stacks.contains { shapes.contains(($0 + entry.shape).sorted()) }
            }
        }
        #expect(formed(graph) == 3)
        let optimized = graph.optimized()
        #expect(formed(optimized) == 0, "\(optimized)")
    }

    /// A million samples have 8 terabytes of inner products: more than any limit of a test's process.
    @Test func aMatrixThatMemoryCannotHoldSaysWhatToDo() throws {
        let oracle = try Problem().oracle
        let error = #expect(throws: MemoryError.self) {
            try oracle.checkGram(.gradients, samples: 1_000_000, rows: 1_000_000)
        }
        let message = "\(try #require(error))"
        #expect(message.contains("1000000 samples") && message.contains("samples = n") && message.contains("--memory"))
        #expect(throws: MemoryError.self) { try oracle.checkGram(.outputs, samples: 1 << 40, rows: 1 << 50) }
    }

    @Test func samplesThatShareStatisticsHaveNone() throws {
        let model = try normalisedModel(channels: 4)
        let samples = try RandomSamples(count: 6, inputs: 5, outputs: 3)
        let oracle = try Oracle(objective: Objective(model: model, loss: .mse), samples: samples)
        let error = #expect(throws: GraphError.self) { try oracle.gradientGram(at: model.initial) }
        #expect("\(try #require(error))".contains("running"))
        #expect(throws: GraphError.self) { try oracle.sampleSlopes(at: model.initial, along: [model.initial]) }
        #expect(try oracle.with(use: .running).gradientGram(at: model.initial).count == 36)
    }
}
