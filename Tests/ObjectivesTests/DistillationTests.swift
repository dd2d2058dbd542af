import Compute
import Foundation
import Graph
import Networks
import SmallNetworks
import Testing

@testable import Objectives

/// The loss with outputs drawn to others, against its definition.
@Suite struct Distillation {
    private static let batch = [4, 0, 9, 7]
    private static let temperature = 3.0
    private static let weight = 0.7

    /// References of each sample of the batch; the third has none.
    private static func references() -> [Double] {
        var stream = RandomStream(seed: 11, purpose: .test)
        return (0..<batch.count * 3).map { $0 / 3 == 2 ? .nan : 2 * stream.normal() }
    }

    private static func softmax(_ row: ArraySlice<Double>) -> [Double] {
        let powers = row.map { exp($0 / temperature) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    /// λτ² times the mean over the batch of KL(softmax(z/τ) ‖ softmax(f/τ)).
    private static func added(_ oracle: Oracle, _ theta: Vector) throws -> Double {
        let (outputs, references) = (
            try oracle.evaluate(at: theta, over: .indices(batch)).outputs.values, references()
        )
        var sum = 0.0
        for row in stride(from: 0, to: outputs.count, by: 3) where !references[row].isNaN {
            for (p, q) in zip(softmax(references[row..<row + 3]), softmax(outputs[row..<row + 3])) {
                sum += p * log(p / q)
            }
        }
        return weight * temperature * temperature * sum / Double(batch.count)
    }

    @Test(arguments: [LossName.mse, .crossEntropy]) func theGradientIsThatOfTheDefinition(_ loss: LossName) throws {
        let problem = try Problem(.tanh, loss: loss)
        let oracle = problem.oracle
        let distilling = try DistillingOracle(oracle, temperature: Self.temperature)
        let work = oracle.work
        let found = try distilling.gradient(
            at: problem.theta, over: Self.batch, references: Self.references(), weight: Self.weight)
        #expect(oracle.work > work)
        let (plain, gradient) = try oracle.gradient(at: problem.theta, over: .indices(Self.batch))
        #expect(abs(found.loss - plain) < 1e-12)
        let outputs = try oracle.evaluate(at: problem.theta, over: .indices(Self.batch)).outputs.values
        #expect(distance(found.outputs, outputs) < 1e-13)
        let h = 1e-5
        for seed: UInt64 in 1...4 {
            let v = try problem.direction(seed)
            let ahead = try Self.added(oracle, problem.theta + h * v)
            let behind = try Self.added(oracle, problem.theta - h * v)
            let slope = try (ahead - behind) / (2 * h) + gradient.dot(v)
            #expect(abs(try found.gradient.dot(v) - slope) < 1e-8 * max(1, abs(slope)))
        }
        // Without weight, and without any reference, it is the gradient of the batch.
        for (references, weight) in [
            (Self.references(), 0.0), ([Double](repeating: .nan, count: 12), Self.weight),
        ] {
            let own = try distilling.gradient(
                at: problem.theta, over: Self.batch, references: references, weight: weight)
            #expect(try relativeDifference(own.gradient, gradient) < 1e-12 && own.loss == plain)
        }
    }

    /// A sample without a label counts neither in the loss nor in what is added to it.
    @Test func samplesWithoutLabelsAreLeftOut() throws {
        let problem = try Problem(.tanh, loss: .crossEntropy)
        var samples = try #require(problem.oracle.samples as? RandomSamples)
        samples.mask = SampleMask(positions: 1, isKept: (0..<samples.count).map { $0 != 9 && $0 != 4 })
        let oracle = try Oracle(objective: problem.oracle.objective, samples: samples)
        let references = (0..<Self.batch.count * 3).map { Double($0 % 5) }
        let found = try DistillingOracle(oracle, temperature: Self.temperature).gradient(
            at: problem.theta, over: Self.batch, references: references, weight: Self.weight)
        #expect(abs(try oracle.gradient(at: problem.theta, over: .indices(Self.batch)).loss - found.loss) < 1e-12)
    }

    @Test func runningStatisticsMoveOnce() throws {
        func oracle() throws -> Oracle {
            try Oracle(
                objective: Objective(model: normalisedModel(), loss: .mse),
                samples: RandomSamples(count: 12, inputs: 5, outputs: normalisedModel().outputCount))
        }
        let (plain, other) = (try oracle(), try oracle())
        let theta = plain.model.initial
        let classes = plain.model.outputCount
        let references = [Double](repeating: 0.5, count: Self.batch.count * classes)
        _ = try DistillingOracle(plain, temperature: 2).gradient(
            at: theta, over: Self.batch, references: references, weight: 1)
        _ = try other.gradient(at: theta, over: .indices(Self.batch), training: true)
        #expect(distance(try plain.running.values().values, try other.running.values().values) < 1e-13)
    }

    @Test func whatHasNoClasses() throws {
        let one = try Model.multilayerPerceptron(
            inputShape: [5], hidden: [3], outputs: 1, activation: .tanh, initScale: 1, seed: 3, element: .f64)
        let objective = try Objective(model: one, loss: .mse)
        #expect(throws: GraphError.self) { try objective.distilling(temperature: 1) }
    }
}
