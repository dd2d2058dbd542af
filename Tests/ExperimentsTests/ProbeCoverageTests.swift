import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// The 95 % interval of a probe's measurement covers the truth in 92–98 % of 400 repetitions with streams of
/// their own: of a correct interval the share has a standard deviation of 1.1 %.
///
/// A network of 2-4-1 units on 12 samples, trained for 50 steps; the truth is the mean over all batches, or the dense trace.
@Suite struct ProbeCoverage {
    private let run: Run

    init() throws {
        var stream = RandomStream(seed: 8, purpose: .test)
        let inputs = (0..<24).map { _ in stream.normal() }
        let targets = (0..<12).map { _ in stream.normal() }
        let data = try Dataset.arrays(
            inputs: NDArray(inputs, shape: [12, 2]), answers: .targets(NDArray(targets, shape: [12, 1])))
        let model = try Model.multilayerPerceptron(
            inputShape: [2], hidden: [4], outputs: 1, activation: .tanh, initScale: 1, seed: 2, element: .f64)
        run = try Run(
            name: "tiny", objective: Objective(model: model, loss: .mse), data: data, rule: SGD(learningRate: 0.05),
            batchSize: .samples(3), seed: 1)
        try run.train(TrainingGoal(step: 50))
    }

    /// All batches of three samples.
    private var batches: [[Int]] {
        (0..<12).flatMap { i in (0..<i).flatMap { j in (0..<j).map { [i, j, $0] } } }
    }

    /// The share of intervals that cover the truth, and how many draws the estimates took.
    private func coverage(
        _ name: String, _ options: ProbeArguments, truth: Double
    ) throws -> (share: Double, draws: [Int]) {
        let probe = try ProbeCatalogue.probe(name, options, for: run)
        var draws: [Int] = []
        let covered = try (0..<400).count { repetition in
            let stream = RandomStream(seed: UInt64(repetition), purpose: .probe, index: 7)
            let found = try probe.measure(run, batch: nil, stream: stream)[0]
            draws.append(try #require(found.samples))
            return try #require(found.interval).contains(truth)
        }
        return (Double(covered) / 400, draws)
    }

    /// Stopped by its own error, which is looked at after each few batches: a rule that stops too early shows only where some
    /// estimates stop while others go on. So the error asked for is half of that of the first look, and takes about four.
    @Test func batchSharpness() throws {
        let truth = try run.measure("batch_sharpness", ["batches": .batches(batches)])[0].value
        // Whole permutations, of four batches each, that are drawn between two looks.
        let look = max(24, Oracle.stackedSamples / 3 / 4 * 4)
        let first = try run.measure("batch_sharpness", ["rel_error": 0, "max_samples": .integer(look)])[0]
        let asked = try #require(first.standardError) / first.value / 2
        let (share, draws) = try coverage(
            "batch_sharpness", ["rel_error": .number(asked), "max_samples": .integer(40 * look)], truth: truth)
        #expect((0.92...0.98).contains(share), "\(share)")
        #expect(Set(draws).count > 1 && draws.allSatisfy { $0 > look / 2 && $0 < 40 * look }, "\(Set(draws).sorted())")
        #expect(draws.count { $0 > look } > 200, "most need a second look")
    }

    @Test func theGradientNoiseInteraction() throws {
        let truth = try run.measure("gni", ["batches": .batches(batches)])[0].value
        let share = try coverage("gni", ["max_samples": 40], truth: truth).share
        #expect((0.92...0.98).contains(share), "\(share)")
    }

    @Test func theTrace() throws {
        let matrix = try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters))
        let truth = (0..<matrix.rows).reduce(0) { $0 + matrix[$1, $1] }
        // Fewer vectors than the 17 parameters, else the trace is exact.
        let share = try coverage("hessian_trace", ["rel_error": 0, "max_samples": 16], truth: truth).share
        #expect((0.92...0.98).contains(share), "\(share)")
    }
}
