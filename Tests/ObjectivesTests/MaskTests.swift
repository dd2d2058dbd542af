import Compute
import Foundation
import Graph
import Testing

@testable import Networks
@testable import Objectives

/// Sums by hand and by a plan are rounded differently: some units in the last place of f64.
private let rounding = 1e-12

@Suite struct MaskedSamples {
    static let losses: [LossName] = [.mse, .halfMSE, .mseMean, .crossEntropy]
    /// Of 12 samples these count.
    static let kept = [0, 2, 3, 5, 6, 7, 10]

    /// The same problem with some samples masked, and the oracle that knows of no mask.
    private func problems(_ loss: LossName, chunk: Int = 1024) throws -> (masked: Oracle, plain: Oracle, theta: Vector)
    {
        let plain = try Problem(.tanh, loss: loss)
        var samples = try #require(plain.oracle.samples as? RandomSamples)
        samples.mask = SampleMask(positions: 1, isKept: (0..<12).map(Self.kept.contains))
        let masked = try Oracle(objective: plain.oracle.objective, samples: samples, chunk: chunk)
        return (masked, plain.oracle, plain.theta)
    }

    /// Every quantity over all samples is that over those that count.
    @Test(arguments: losses, [1024, 5])
    func maskedSamplesLeaveEveryMean(_ loss: LossName, chunk: Int) throws {
        let (masked, plain, theta) = try problems(loss, chunk: chunk)
        let kept = BatchSelection.indices(Self.kept)
        let evaluation = try masked.evaluate(at: theta)
        let expected = try plain.evaluate(at: theta, over: kept)
        #expect(abs(evaluation.loss - expected.loss) < rounding * expected.loss)
        // By hand: the mean of the plain losses of the samples that count.
        let losses = try plain.evaluate(at: theta).losses
        let mean = Self.kept.reduce(0) { $0 + losses[$1] } / Double(Self.kept.count)
        #expect(abs(evaluation.loss - mean) < rounding * mean)
        for i in 0..<12 { #expect(evaluation.losses[i] == (Self.kept.contains(i) ? losses[i] : 0)) }

        let (value, gradient) = try masked.gradient(at: theta)
        let (plainValue, plainGradient) = try plain.gradient(at: theta, over: kept)
        #expect(abs(value - plainValue) < rounding * plainValue)
        #expect(try relativeDifference(gradient, plainGradient) < rounding)
        var stream = RandomStream(seed: 4, purpose: .test)
        let v = try Vector.randomNormal(count: theta.count, element: .f64, stream: &stream)
        #expect(
            try relativeDifference(
                masked.linearize(at: theta).apply(v), plain.linearize(at: theta, over: kept).apply(v)) < rounding)
        #expect(
            try relativeDifference(
                masked.directional(at: theta, along: [v, v]), plain.directional(at: theta, along: [v, v], over: kept))
                < rounding)
        let form = try plain.quadratic(at: theta, along: v, over: kept)
        #expect(abs(try masked.quadratic(at: theta, along: v) - form) < rounding * max(1, abs(form)))
    }

    /// A batch keeps its own mean: of four samples two count, of the other four three.
    @Test(arguments: losses, [1024, 2])
    func batchSharpnessIsThatOfTheSamplesThatCount(_ loss: LossName, chunk: Int) throws {
        let (masked, plain, theta) = try problems(loss, chunk: chunk)
        let batches = [[0, 1, 2, 4], [5, 6, 8, 7]]
        let values = try masked.batchCurvature(at: theta, batches: batches.flatMap { $0 }, size: 4)
        for (batch, value) in zip(batches, values) {
            let kept = batch.filter(Self.kept.contains)
            let expected = try plain.batchCurvature(at: theta, batches: kept, size: kept.count)[0]
            #expect(abs(value.loss - expected.loss) < rounding * expected.loss)
            #expect(abs(value.ratio - expected.ratio) < rounding * abs(expected.ratio))
        }
    }

    @Test func aStepDescendsTheLossOfTheSamplesThatCount() throws {
        let (masked, plain, theta) = try problems(.mse)
        var (stepped, expected) = (theta, theta)
        for batch in [[0, 1, 2], [3, 4, 5]] {
            _ = try batch.withUnsafeBufferPointer { try masked.descend(&stepped, rate: 0.1, batch: $0) }
            let kept = batch.filter(Self.kept.contains)
            _ = try kept.withUnsafeBufferPointer { try plain.descend(&expected, rate: 0.1, batch: $0) }
        }
        #expect(try relativeDifference(stepped, expected) < rounding)
    }

    @Test func aBatchInWhichNothingCountsIsAnErrorAndNotANumber() throws {
        let (masked, _, theta) = try problems(.crossEntropy)
        var stepped = theta
        for work in [
            { _ = try masked.gradient(at: theta, over: .indices([1, 4])) },
            { _ = try masked.evaluate(at: theta, over: .indices([8])) },
            { _ = try masked.batchCurvature(at: theta, batches: [0, 2, 1, 4], size: 2) },
            { _ = try [8, 9].withUnsafeBufferPointer { try masked.descend(&stepped, rate: 1, batch: $0) } },
        ] as [() throws -> Void] {
            let error = #expect(throws: GraphError.self) { try work() }
            #expect(try #require(error).message.contains("-1"))
        }
        #expect(stepped.hasSameBits(as: theta))
    }
}

/// Sequences of 3 places with 4 classes, some places masked.
@Suite struct MaskedPositions {
    static let isKept = [true, true, false, false, false, false, true, false, true, true, true, true]

    static func oracle(_ loss: LossName, chunk: Int = 1024, masked: Bool = true) throws -> Oracle {
        let model = try Model(
            name: "sequence", element: .f64,
            parameters: [
                .init(name: "a", shape: [5, 3], initializer: .normal(std: 0.7)),
                .init(name: "b", shape: [5, 4], initializer: .normal(std: 0.7)),
            ], inputShape: [5], seed: 8
        ) { x, p in
            // `[3, 5]`·`[5, 4]`: outputs of shape [3, 4].
            let hidden = try p[0].transposed([1, 0]) * x
            return try hidden.tanh().dot(p[1])
        }
        let width = 12
        var samples = try RandomSamples(count: 4, inputs: 5, outputs: width, oneHot: true)
        // One-hot rows at each place, by the number of the place; rows that do not count are zero.
        var targets = [Double](repeating: 0, count: 4 * width)
        for label in 0..<12 where isKept[label] || !masked { targets[label * 4 + (label * 7) % 4] = 1 }
        samples.replaceTargets(try Vector(targets, element: .f64), shape: [3, 4])
        if masked { samples.mask = SampleMask(positions: 3, isKept: isKept) }
        return try Oracle(
            objective: Objective(model: model, loss: loss, positions: [3]), samples: samples, chunk: chunk)
    }

    /// The mean over the places that count, worked out from the outputs.
    @Test(arguments: [LossName.crossEntropy, .mse, .halfMSE, .mseMean], [1024, 1])
    func theLossIsTheMeanOverThePlacesThatCount(_ loss: LossName, chunk: Int) throws {
        let oracle = try Self.oracle(loss, chunk: chunk)
        let theta = oracle.model.initial
        let evaluation = try oracle.evaluate(at: theta)
        var (sum, own, counts) = (0.0, [0.0, 0, 0, 0], [0, 0, 0, 0])
        for label in 0..<12 where Self.isKept[label] {
            let f = Array(evaluation.outputs[label * 4..<label * 4 + 4])
            let answer = (label * 7) % 4
            let distance = f.indices.reduce(0) {
                $0 + (f[$1] - ($1 == answer ? 1 : 0)) * (f[$1] - ($1 == answer ? 1 : 0))
            }
            let value =
                switch loss {
                case .mse: distance
                case .halfMSE: distance / 2
                case .mseMean: distance / 4
                default: log(f.reduce(0) { $0 + exp($1) }) - f[answer]
                }
            sum += value
            own[label / 3] += value
            counts[label / 3] += 1
        }
        #expect(abs(evaluation.loss - sum / 7) < rounding)
        for i in 0..<4 {
            #expect(abs(evaluation.losses[i] - (counts[i] == 0 ? 0 : own[i] / Double(counts[i]))) < rounding)
        }
        let (value, gradient) = try oracle.gradient(at: theta)
        #expect(abs(value - evaluation.loss) < rounding)
        let h = 1e-6
        let direction = try gradient / gradient.norm()
        let slope =
            (try oracle.evaluate(at: theta + h * direction).loss - oracle.evaluate(at: theta - h * direction).loss)
            / (2 * h)
        // Central differences: h² and 1e-16/h.
        #expect(abs(slope - gradient.norm()) < 1e-8)
    }

    /// Two sequences of one batch: seven places count in the first two samples together with the last.
    @Test func batchCurvatureCountsPlaces() throws {
        let oracle = try Self.oracle(.crossEntropy)
        let theta = oracle.model.initial
        let batches = [[0, 2], [1, 3]]
        let values = try oracle.batchCurvature(at: theta, batches: batches.flatMap { $0 }, size: 2)
        for (batch, value) in zip(batches, values) {
            let (loss, gradient) = try oracle.gradient(at: theta, over: .indices(batch))
            let product = try oracle.directional(at: theta, along: [gradient], over: .indices(batch))
            #expect(abs(value.loss - loss) < rounding)
            #expect(abs(value.squaredGradientNorm - gradient.squaredNorm) < rounding)
            #expect(abs(value.quadratic - (try gradient.dot(product))) < rounding)
        }
        #expect(throws: GraphError.self) { try oracle.gradient(at: theta, over: .indices([1])) }
    }

    /// One loss for a sequence cannot leave out some of its places.
    @Test func aLossThatDoesNotKnowThePlacesIsRefused() throws {
        let inner = try Self.oracle(.mse)
        let error = #expect(throws: GraphError.self) {
            _ = try Oracle(objective: Objective(model: inner.model, loss: .mse), samples: inner.samples)
        }
        #expect(try #require(error).message.contains("3 labels a sample"))
    }

    /// Without a mask the mean goes over all places, as PyTorch's cross-entropy takes it.
    @Test func withoutAMaskAllPlacesCount() throws {
        let oracle = try Self.oracle(.crossEntropy, masked: false)
        let evaluation = try oracle.evaluate(at: oracle.model.initial)
        #expect(abs(evaluation.loss - evaluation.losses.reduce(0, +) / 4) < rounding)
        #expect(oracle.objective.positions == [3])
    }

    /// A loss of the caller's gives one number for a sample, which counts if any of its places does.
    @Test func aLossOfTheCallersTakesSamplesWhole() throws {
        let inner = try Self.oracle(.mse)
        let objective = try Objective(
            model: inner.model, lossName: "function", targetShape: [3, 4], positions: [3]
        ) { output, target in try (output * target).sum() }
        let oracle = try Oracle(objective: objective, samples: inner.samples)
        let evaluation = try oracle.evaluate(at: oracle.model.initial)
        #expect(evaluation.losses[1] == 0)
        #expect(abs(evaluation.loss - evaluation.losses.reduce(0, +) / 3) < rounding)
        let each = try Objective(
            model: inner.model, lossName: "function", targetShape: [3, 4], positions: [3]
        ) { output, target in try (output * target).sum([1]) }
        #expect(each.positions == [3])
        let sum = try Oracle(objective: each, samples: inner.samples).evaluate(at: oracle.model.initial)
        #expect(abs(sum.loss * 7 - evaluation.losses.reduce(0, +)) < rounding)
    }
}
