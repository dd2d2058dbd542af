import Compute
import Graph
import Testing

@testable import Networks
@testable import Objectives

/// Quantities of many batches at once against the gradients and products of each batch alone, in f64: rounding of sums of a few
/// hundred terms, with a factor of a hundred for cancellation.
private let rounding = 1e-11

@Suite struct QuantitiesOfBatches {
    private let batches = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [2, 5, 7, 11], [0, 4, 8, 9]]
    private var flat: [Int] { batches.flatMap { $0 } }

    private static func handmade() throws -> (oracle: Oracle, theta: Vector) {
        let model = try BatchCurvatureOfAnObjective.handmade()
        let samples = try RandomSamples(count: 12, inputs: 5, outputs: 3)
        return (try Oracle(objective: Objective(model: model, loss: .mse), samples: samples), model.initial)
    }

    private static func direction(_ seed: UInt64, like theta: Vector) throws -> Vector {
        var stream = RandomStream(seed: seed, purpose: .test)
        return try Vector.randomNormal(count: theta.count, element: theta.element, stream: &stream)
    }

    private func isClose(_ a: Double, _ b: Double, scale: Double = 0) -> Bool {
        abs(a - b) <= rounding * max(abs(b), scale)
    }

    @Test(arguments: CurvatureMatrix.allCases)
    func theCurvatureIsThatOfTheBatchesMatrix(_ matrix: CurvatureMatrix) throws {
        let (oracle, theta) = try Self.handmade()
        let values = try oracle.batchCurvature(matrix, at: theta, batches: flat, size: 4)
        for (value, batch) in zip(values, batches) {
            let (loss, gradient) = try oracle.gradient(at: theta, over: .indices(batch))
            let product = try oracle.linearize(matrix, at: theta, over: .indices(batch)).apply(gradient)
            #expect(isClose(value.loss, loss))
            #expect(isClose(value.squaredGradientNorm, gradient.squaredNorm))
            #expect(isClose(value.quadratic, try gradient.dot(product)))
        }
    }

    /// Convolutions, batch statistics, places that are left out: whatever a network has, its batches' quantities are those of
    /// each batch alone.
    @Test(arguments: [
        DenseCurvature.Kind.convolutional, .ghostBatches, .runningStatistics, .recurrent, .maskedSamples, .maskedPlaces,
        .function,
    ])
    func theyAreThoseOfTheBatchesOfEveryNetwork(_ kind: DenseCurvature.Kind) throws {
        let (oracle, theta) = try DenseCurvature(kind: kind).make()
        let batches =
            kind == .maskedPlaces ? [[0, 2], [1, 3], [3, 2]] : [[0, 1, 2, 3], [4, 5, 7, 6], [10, 9, 2, 8]]
        let (flat, size) = (batches.flatMap { $0 }, batches[0].count)
        let v = try Self.direction(3, like: theta)
        let momentum = try oracle.momentumCurvature(at: theta, velocity: v, factor: 0.5, batches: flat, size: size)
        let slopes = try oracle.batchSlopes(at: theta, along: [v], batches: flat, size: size)
        let norms = try oracle.batchGradientNorms(at: theta, batches: flat, size: size)
        let curvatures = try CurvatureMatrix.allCases.map {
            try oracle.batchCurvature($0, at: theta, batches: flat, size: size)
        }
        for (index, batch) in batches.enumerated() {
            let gradient = try oracle.gradient(at: theta, over: .indices(batch)).gradient
            for (matrix, curvature) in zip(CurvatureMatrix.allCases, curvatures) {
                let product = try oracle.linearize(matrix, at: theta, over: .indices(batch)).apply(gradient)
                let scale = gradient.norm() * product.norm()
                #expect(isClose(curvature[index].quadratic, try gradient.dot(product), scale: scale))
            }
            let step = try 0.5 * v + gradient
            let product = try oracle.linearize(at: theta, over: .indices(batch)).apply(step)
            #expect(isClose(momentum[index].quadratic, try step.dot(product), scale: step.norm() * product.norm()))
            #expect(isClose(momentum[index].slope, try step.dot(gradient), scale: step.norm() * gradient.norm()))
            #expect(isClose(norms[index], gradient.squaredNorm))
            #expect(isClose(slopes[index][0], try v.dot(gradient), scale: v.norm() * gradient.norm()))
        }
    }

    /// Batches that are walked in pieces give the same.
    @Test(arguments: [1024, 2]) func momentumGoesWithTheStep(chunk: Int) throws {
        let problem = try Problem(.tanh, loss: .crossEntropy, chunk: chunk)
        let (oracle, theta) = (problem.oracle, problem.theta)
        let (v, factor) = (try problem.direction(4), 0.9)
        let values = try oracle.momentumCurvature(
            at: theta, velocity: v, factor: factor, batches: flat, size: 4)
        for (value, batch) in zip(values, batches) {
            let (loss, gradient) = try oracle.gradient(at: theta, over: .indices(batch))
            let step = try factor * v + gradient
            let product = try oracle.directional(at: theta, along: [step], over: .indices(batch))
            #expect(isClose(value.loss, loss))
            #expect(isClose(value.quadratic, try step.dot(product)))
            #expect(isClose(value.slope, try step.dot(gradient), scale: step.norm() * gradient.norm()))
            #expect(isClose(value.squaredStepNorm, step.squaredNorm))
            #expect(isClose(value.squaredGradientNorm, gradient.squaredNorm))
        }
    }

    /// Without velocity the step is the gradient.
    @Test func withoutVelocityMomentumCurvatureIsBatchSharpness() throws {
        let problem = try Problem()
        let zero = try Vector(zeros: problem.theta.count, element: .f64)
        let a = try problem.oracle.momentumCurvature(
            at: problem.theta, velocity: zero, factor: 0.9, batches: flat, size: 4)
        let b = try problem.oracle.batchCurvature(at: problem.theta, batches: flat, size: 4)
        for (x, y) in zip(a, b) { #expect(isClose(x.ratio, y.ratio)) }
    }

    @Test(arguments: [1024, 2]) func normsAndSlopesAreThoseOfTheBatchesGradients(chunk: Int) throws {
        let problem = try Problem(.silu, chunk: chunk)
        let (oracle, theta) = (problem.oracle, problem.theta)
        // More directions than one plan takes.
        let directions = try (0..<19).map { try problem.direction(UInt64(10 + $0)) }
        let norms = try oracle.batchGradientNorms(at: theta, batches: flat, size: 4)
        let slopes = try oracle.batchSlopes(at: theta, along: directions, batches: flat, size: 4)
        for (index, batch) in batches.enumerated() {
            let gradient = try oracle.gradient(at: theta, over: .indices(batch)).gradient
            #expect(isClose(norms[index], gradient.squaredNorm))
            #expect(slopes[index].count == directions.count)
            for (slope, u) in zip(slopes[index], directions) {
                #expect(isClose(slope, try u.dot(gradient), scale: u.norm() * gradient.norm()))
            }
        }
    }

    @Test func slopesOfSamplesAreThoseOfTheirOwnGradients() throws {
        let problem = try Problem(.tanh, loss: .crossEntropy)
        let directions = try [problem.direction(1), problem.direction(2)]
        let slopes = try problem.oracle.sampleSlopes(at: problem.theta, along: directions, over: .indices([3, 0, 7]))
        for (row, sample) in zip(slopes, [3, 0, 7]) {
            let gradient = try problem.oracle.gradient(at: problem.theta, over: .indices([sample])).gradient
            for (slope, u) in zip(row, directions) {
                #expect(isClose(slope, try u.dot(gradient), scale: u.norm() * gradient.norm()))
            }
        }
        let all = try problem.oracle.sampleSlopes(at: problem.theta, along: [directions[0]])
        let gradient = try problem.oracle.gradient(at: problem.theta).gradient
        #expect(isClose(all.reduce(0) { $0 + $1[0] } / Double(all.count), try directions[0].dot(gradient), scale: 1))
    }

    /// Of four sequences the second has no label that counts.
    @Test func aSampleWithoutLabelsHasNoGradient() throws {
        let oracle = try MaskedPositions.oracle(.crossEntropy)
        let theta = oracle.model.initial
        let v = try Self.direction(3, like: theta)
        let slopes = try oracle.sampleSlopes(at: theta, along: [v])
        let gram = try oracle.gradientGram(at: theta)
        #expect(slopes[1] == [0] && (0..<4).allSatisfy { gram[4 + $0] == 0 })
        #expect(try oracle.sampleWeights() == [2.0 / 7, 0, 2.0 / 7, 3.0 / 7])
        for i in [0, 2, 3] {
            let gradient = try oracle.gradient(at: theta, over: .indices([i])).gradient
            #expect(isClose(slopes[i][0], try v.dot(gradient), scale: v.norm() * gradient.norm()))
            #expect(isClose(gram[i * 5], gradient.squaredNorm))
        }
    }

    /// f32 loses what the rounding of activations and deltas loses, of sums of tens of terms.
    @Test func inF32TheyAreAccurateToRounding() throws {
        let (single, double) = (try Problem(.silu, samples: 32, element: .f32), try Problem(.silu, samples: 32))
        let theta = try single.theta.converted(to: .f64)
        let (v, batches) = (try single.direction(3), Array(0..<32))
        let wide = try v.converted(to: .f64)
        func isNear(_ a: Double, _ b: Double, scale: Double) -> Bool { abs(a - b) <= 1e-5 * scale }
        let norms = try double.oracle.batchGradientNorms(at: theta, batches: batches, size: 8)
        for (a, b) in zip(try single.oracle.batchGradientNorms(at: single.theta, batches: batches, size: 8), norms) {
            #expect(isNear(a, b, scale: b))
        }
        let a = try single.oracle.batchSlopes(at: single.theta, along: [v], batches: batches, size: 8)
        let b = try double.oracle.batchSlopes(at: theta, along: [wide], batches: batches, size: 8)
        for index in a.indices {
            #expect(isNear(a[index][0], b[index][0], scale: v.norm() * norms[index].squareRoot()))
        }
        let momentum = try single.oracle.momentumCurvature(
            at: single.theta, velocity: v, factor: 0.9, batches: batches, size: 8)
        let expected = try double.oracle.momentumCurvature(
            at: theta, velocity: wide, factor: 0.9, batches: batches, size: 8)
        for (x, y) in zip(momentum, expected) { #expect(isNear(x.quadratic, y.quadratic, scale: abs(y.quadratic))) }
        for (x, y) in zip(
            try single.oracle.batchCurvature(.ggn, at: single.theta, batches: batches, size: 8),
            try double.oracle.batchCurvature(.ggn, at: theta, batches: batches, size: 8))
        {
            #expect(isNear(x.ratio, y.ratio, scale: y.ratio))
        }
        let gram = try double.oracle.gradientGram(at: theta)
        for (index, x) in try single.oracle.gradientGram(at: single.theta).enumerated() {
            let scale = (gram[index / 32 * 33] * gram[index % 32 * 33]).squareRoot()
            #expect(isNear(x, gram[index], scale: scale))
        }
    }

    @Test func whatIsNoBatchIsAnError() throws {
        let problem = try Problem()
        let (oracle, theta) = (problem.oracle, problem.theta)
        #expect(throws: GraphError.self) { try oracle.batchCurvature(at: theta, batches: [0, 1, 2], size: 2) }
        #expect(throws: GraphError.self) { try oracle.batchCurvature(at: theta, batches: [0, 1], size: 0) }
        #expect(throws: GraphError.self) { try oracle.batchGradientNorms(at: theta, batches: [0, 12], size: 2) }
        #expect(throws: GraphError.self) { try oracle.batchSlopes(at: theta, along: [], batches: [0, 1], size: 2) }
        let short = try Vector([1, 2], element: .f64)
        #expect(throws: GraphError.self) { try oracle.batchSlopes(at: theta, along: [short], batches: [0], size: 1) }
        #expect(throws: GraphError.self) {
            try oracle.momentumCurvature(at: theta, velocity: short, factor: 1, batches: [0], size: 1)
        }
        #expect(try oracle.batchCurvature(at: theta, batches: [], size: 4).isEmpty)
    }
}

/// That no p-sized gradient of a batch is formed: no value of the optimized graph has the shape of a stack of weights. Extents
/// differ from each other, so that a shape tells what a value is.
@Suite struct GraphsOfBatchQuantities {
    private static let stack = 7

    private func gradients(of model: Model, in graph: Graph) -> Set<String> {
        let shapes = Set(graph.types.map { $0.shape.filter { $0 != 1 }.sorted() })
        let weights = model.layout.entries.filter { $0.shape.count == 2 }
        return Set(weights.filter { shapes.contains(($0.shape + [Self.stack]).sorted()) }.map(\.name))
    }

    private func formsNoGradient(_ make: (Objective) throws -> Graph) throws {
        let perceptron = try Model.multilayerPerceptron(
            inputShape: [23], hidden: [17, 13], outputs: 11, activation: .relu, initScale: 1, seed: 1)
        for model in [perceptron, try BatchCurvatureOfAnObjective.handmade(.f32)] {
            let graph = try make(Objective(model: model, loss: .mse))
            // As it is asked for, the gradient of every weight of every batch is there: the check below can fail.
            #expect(gradients(of: model, in: graph).count == model.layout.entries.count { $0.shape.count == 2 })
            let optimized = graph.optimized()
            #expect(gradients(of: model, in: optimized).isEmpty, "\(optimized)")
        }
    }

    @Test(arguments: CurvatureMatrix.allCases) func ofCurvature(_ matrix: CurvatureMatrix) throws {
        try formsNoGradient { try $0.batchCurvature(matrix, count: 2, stack: Self.stack) }
    }
    @Test func ofCurvatureAlongStepsWithMomentum() throws {
        try formsNoGradient { try $0.momentumCurvature(count: 2, stack: Self.stack) }
    }
    @Test func ofNorms() throws {
        try formsNoGradient { try $0.batchGradientNorms(count: 2, stack: Self.stack) }
    }
    @Test(arguments: [1, 3]) func ofSlopes(_ directions: Int) throws {
        try formsNoGradient { try $0.batchSlopes(along: directions, count: 2, stack: Self.stack) }
    }
}
