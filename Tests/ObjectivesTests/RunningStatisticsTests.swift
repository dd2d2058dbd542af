import Compute
import Foundation
import Graph
import SmallNetworks
import Testing

@testable import Networks
@testable import Objectives

/// Sums by hand and by a plan are rounded differently.
private let rounding = 1e-12

@Suite struct RunningValues {
    static func oracle(
        samples: Int = 12, ghostBatch: Int = 1000, chunk: Int = 1024, use: StatisticsUse = .batch
    ) throws -> Oracle {
        try Oracle(
            objective: Objective(model: normalisedModel(), loss: .mse),
            samples: RandomSamples(count: samples, inputs: 5, outputs: 3), use: use, chunk: chunk,
            ghostBatch: ghostBatch)
    }

    /// Mean and biased variance of the normalised layer's inputs over some samples, by hand.
    static func moments(_ oracle: Oracle, _ theta: Vector, _ samples: [Int]) throws -> (
        mean: [Double], variance: [Double]
    ) {
        let rows = try oracle.samples.rows(as: oracle.elements).inputs.assumingMemoryBound(to: Double.self)
        let weights = theta.values
        let z = samples.map { i in
            (0..<4).map { c in (0..<5).reduce(0) { $0 + weights[c * 5 + $1] * rows[i * 5 + $1] } }
        }
        let n = Double(samples.count)
        let mean = (0..<4).map { c in z.reduce(0) { $0 + $1[c] } / n }
        return (mean, (0..<4).map { c in z.reduce(0) { $0 + ($1[c] - mean[c]) * ($1[c] - mean[c]) } / n })
    }

    /// PyTorch's update of one batch: momentum 0.1, unbiased variance.
    static func updated(
        _ values: [Double], _ moments: (mean: [Double], variance: [Double]), count: Int
    ) -> [Double] {
        let factor = Double(count) / Double(count - 1)
        return zip(values, moments.mean + moments.variance.map { $0 * factor }).map { 0.9 * $0 + 0.1 * $1 }
    }

    @Test func aTrainingStepMovesThemAsPyTorchDoes() throws {
        let oracle = try Self.oracle()
        var theta = oracle.model.initial
        var expected = oracle.model.initialBuffers.values
        for batch in [[0, 1, 2, 3], [7, 4, 9], [2, 11, 5, 6, 8]] {
            expected = Self.updated(expected, try Self.moments(oracle, theta, batch), count: batch.count)
            _ = try batch.withUnsafeBufferPointer { try oracle.descend(&theta, rate: 0.05, batch: $0) }
        }
        #expect(zip(try oracle.running.values().values, expected).allSatisfy { abs($0 - $1) < rounding })
    }

    /// Full-batch steps see ghost batches, each of which moves the running values.
    @Test func aStepOverAllSamplesMovesThemOnceForEachGhostBatch() throws {
        let oracle = try Self.oracle(ghostBatch: 5)
        var theta = oracle.model.initial
        let (loss, gradient) = try oracle.gradient(at: theta)
        var expected = oracle.model.initialBuffers.values
        for batch in [Array(0..<5), Array(5..<10), [10, 11]] {
            expected = Self.updated(expected, try Self.moments(oracle, theta, batch), count: batch.count)
        }
        let before = theta
        #expect(try oracle.descend(&theta, rate: 0.05) == loss)
        #expect(try relativeDifference(theta, before - 0.05 * gradient) < rounding)
        #expect(zip(try oracle.running.values().values, expected).allSatisfy { abs($0 - $1) < rounding })
    }

    @Test func measuringNeverMovesThem() throws {
        let oracle = try Self.oracle(ghostBatch: 5)
        let theta = oracle.model.initial
        var stream = RandomStream(seed: 1, purpose: .test)
        let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        _ = try oracle.evaluate(at: theta)
        _ = try oracle.gradient(at: theta)
        _ = try oracle.gradient(at: theta, over: .indices([1, 2, 3]))
        _ = try oracle.linearize(at: theta).apply(v)
        _ = try oracle.directional(at: theta, along: [v, v])
        _ = try oracle.quadratic(at: theta, along: v)
        _ = try oracle.batchCurvature(at: theta, batches: Array(0..<12), size: 4)
        #expect(try oracle.running.values().hasSameBits(as: oracle.model.initialBuffers))
    }

    /// L = Σ over ghost batches of (their share) × (the loss of the batch alone), and so are all its derivatives.
    @Test func allSamplesAreWalkedInGhostBatches() throws {
        let (whole, ghosts) = (try Self.oracle(), try Self.oracle(ghostBatch: 5, chunk: 2))
        let theta = whole.model.initial
        let parts = [Array(0..<5), Array(5..<10), [10, 11]]
        var stream = RandomStream(seed: 1, purpose: .test)
        let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        var (loss, gradient) = (0.0, try 0.0 * v)
        var (product, third, form) = (gradient, gradient, 0.0)
        for part in parts {
            let share = Double(part.count) / 12
            let one = try whole.gradient(at: theta, over: .indices(part))
            loss += share * one.loss
            gradient = try gradient + share * one.gradient
            product = try product + share * whole.linearize(at: theta, over: .indices(part)).apply(v)
            third = try third + share * whole.directional(at: theta, along: [v, v], over: .indices(part))
            form += share * (try whole.quadratic(at: theta, along: v, over: .indices(part)))
        }
        let (ghostLoss, ghostGradient) = try ghosts.gradient(at: theta)
        #expect(abs(ghostLoss - loss) < rounding)
        #expect(abs(try ghosts.evaluate(at: theta).loss - loss) < rounding)
        #expect(try relativeDifference(ghostGradient, gradient) < rounding)
        #expect(try relativeDifference(ghosts.linearize(at: theta).apply(v), product) < rounding)
        #expect(try relativeDifference(ghosts.directional(at: theta, along: [v, v]), third) < rounding)
        #expect(abs(try ghosts.quadratic(at: theta, along: v) - form) < rounding * abs(form))
        // One ghost batch is another function than three.
        #expect(try relativeDifference(whole.gradient(at: theta).gradient, gradient) > 1e-3)
    }

    @Test func batchSharpnessUsesEachBatchsOwnStatistics() throws {
        let oracle = try Self.oracle()
        let theta = oracle.model.initial
        let batches = [[0, 1, 2, 3], [4, 5, 6, 7], [1, 9, 10, 11]]
        let values = try oracle.batchCurvature(at: theta, batches: batches.flatMap { $0 }, size: 4)
        for (batch, value) in zip(batches, values) {
            let (loss, gradient) = try oracle.gradient(at: theta, over: .indices(batch))
            let product = try oracle.directional(at: theta, along: [gradient], over: .indices(batch))
            #expect(abs(value.loss - loss) < rounding)
            #expect(abs(value.squaredGradientNorm - gradient.squaredNorm) < rounding * gradient.squaredNorm)
            let quadratic = try gradient.dot(product)
            #expect(abs(value.quadratic - quadratic) < 1e-10 * abs(quadratic))
        }
    }

    /// With running values samples do not see each other: the outputs are those of the formula, whatever the chunks.
    @Test func evaluationUsesRunningValues() throws {
        let training = try Self.oracle()
        var theta = training.model.initial
        for batch in [[0, 1, 2, 3], [4, 5, 6, 7]] {
            _ = try batch.withUnsafeBufferPointer { try training.descend(&theta, rate: 0.05, batch: $0) }
        }
        let oracle = try training.with(use: .running)
        let evaluation = try oracle.evaluate(at: theta)
        let running = try training.running.values().values
        let (p, rows) = (theta.values, try oracle.samples.rows(as: oracle.elements).inputs)
        let inputs = rows.assumingMemoryBound(to: Double.self)
        for i in 0..<12 {
            let hidden = (0..<4).map { c -> Double in
                let z = (0..<5).reduce(0) { $0 + p[c * 5 + $1] * inputs[i * 5 + $1] }
                let normal = (z - running[c]) / (running[4 + c] + 1e-5).squareRoot()
                return tanh(p[20 + c] * normal + p[24 + c])
            }
            for k in 0..<3 {
                let f = (0..<4).reduce(0) { $0 + p[28 + k * 4 + $1] * hidden[$1] }
                #expect(abs(evaluation.outputs[i * 3 + k] - f) < rounding)
            }
        }
        let cut = try Self.oracle(chunk: 5, use: .running)
        try cut.running.assign(training.running.values())
        #expect(
            try relativeDifference(cut.gradient(at: theta).gradient, oracle.gradient(at: theta).gradient) < rounding)
        let h = 1e-6
        let gradient = try oracle.gradient(at: theta).gradient
        let direction = try gradient / gradient.norm()
        let slope =
            (try oracle.evaluate(at: theta + h * direction).loss - oracle.evaluate(at: theta - h * direction).loss)
            / (2 * h)
        #expect(abs(slope - gradient.norm()) < 1e-8 * max(1, slope))
        #expect(
            abs(
                try oracle.batchCurvature(at: theta, batches: Array(0..<12), size: 12)[0].squaredGradientNorm
                    - gradient.squaredNorm) < rounding * gradient.squaredNorm)
    }

    @Test func aFrozenOracleKeepsTheRunningValuesOfItsMoment() throws {
        let training = try Self.oracle()
        var theta = training.model.initial
        let frozen = try training.with(use: .running).frozen()
        let before = try frozen.evaluate(at: theta).loss
        let start = theta
        _ = try training.descend(&theta, rate: 0.05)
        #expect(try frozen.evaluate(at: start).loss == before)
        #expect(try training.with(use: .running).evaluate(at: start).loss != before)
        #expect(try training.frozen() === training)
    }

    /// What a linearization needs lives as long as it does, the oracle that made it or not; later training does not change it.
    @Test func aLinearizationOutlivesItsOracle() throws {
        let training = try Self.oracle()
        var theta = training.model.initial
        let v = try Vector([Double](repeating: 0.1, count: theta.count), element: .f64)
        let (start, before) = (theta, try training.with(use: .running).directional(at: theta, along: [v]))
        let hessian = try training.with(use: .running).linearize(at: start)
        _ = try training.descend(&theta, rate: 0.05)
        #expect(try relativeDifference(hessian.apply(v), before) < rounding)
        #expect(try relativeDifference(training.with(use: .running).directional(at: start, along: [v]), before) > 1e-3)
    }

    @Test func oneSampleHasNoVarianceToTrainOn() throws {
        let oracle = try Self.oracle()
        var theta = oracle.model.initial
        let error = #expect(throws: GraphError.self) {
            try [3].withUnsafeBufferPointer { try oracle.descend(&theta, rate: 0.05, batch: $0) }
        }
        #expect(try #require(error).message.contains("'bn1'"))
    }
}
