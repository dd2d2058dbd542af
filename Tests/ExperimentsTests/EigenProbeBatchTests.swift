import Compute
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

@Suite struct EigenProbesOfBatches {
    private func largest(_ run: Run, _ batch: [Int]) throws -> Double {
        try DenseEigen(
            symmetric: dense(of: CurvatureOperator(of: run.oracle, at: run.parameters, over: .indices(batch)))
        ).values[0]
    }

    @Test func overGivenBatchesTheMeanAndTheLargestAreExact() throws {
        let run = try TinyRun.make()
        let batches = [[0, 1], [2, 3, 4], [7]]
        let truth = try batches.map { try largest(run, $0) }
        let measured = try run.measure("batch_lambda_max", ["batches": .batches(batches), "tolerance": 1e-8])
        #expect(abs(measured[0].value - truth.reduce(0, +) / 3) < 1e-6 * truth[0])
        #expect(measured[0].standardError == 0 && measured[0].samples == 3 && (measured[0].products ?? 0) > 0)
        #expect(abs(measured[1].value - (truth.max() ?? 0)) < 1e-6 * truth[0])
    }

    /// All 28 batches of two samples give the expectation; the estimate lies within four of its standard errors.
    @Test func randomBatchesEstimateTheMeanOverAll() throws {
        let run = try TinyRun.make()
        let all = try (0..<8).flatMap { i in (0..<i).map { [$0, i] } }.map { try largest(run, $0) }
        let truth = all.reduce(0, +) / Double(all.count)
        let measured = try run.measure("batch_lambda_max", ["rel_error": 0, "max_samples": 60, "tolerance": 1e-6])
        let error = try #require(measured[0].standardError)
        #expect(error > 0 && abs(measured[0].value - truth) < 4 * error)
        #expect(measured[0].samples == 60)
        let most = try #require(all.max())
        #expect(measured[1].value >= measured[0].value && measured[1].value <= most * (1 + 1e-9))
    }

    @Test func atMostFiftyBatchesAreTaken() throws {
        let run = try TinyRun.make()
        let measured = try run.measure("batch_lambda_max", ["batch_size": 1, "rel_error": 1e-6])
        #expect(measured[0].samples == 50)
    }

    /// Taken at the parameters before the step, on the step's batch: of the full batch what `lambda_max` was one step before.
    @Test func theStepsOwnBatchIsTakenBeforeTheStep() throws {
        let run = try TinyRun.make(batch: .full)
        try run.track("step_batch_lambda_max", ["tolerance": 1e-8])
        try run.track("lambda_max", ["tolerance": 1e-8])
        try run.train(TrainingGoal(step: 4))
        let (before, full) = (try run.series("step_batch_lambda_max"), try run.series("lambda_max"))
        #expect(before.steps == [1, 2, 3, 4])
        for i in 0..<4 { #expect(abs(before.values[i] / full.values[i] - 1) < 1e-7) }
        let given = try run.measure("step_batch_lambda_max", ["batch": .samples([3, 5]), "tolerance": 1e-8])[0].value
        #expect(abs(given / (try largest(run, [3, 5])) - 1) < 1e-7)
    }

    @Test func batchesLargerThanTheDataAreRefusedWithBothFigures() throws {
        let run = try TinyRun.make()
        for name in ["batch_lambda_max", "second_moment_contraction"] {
            let error = #expect(throws: ExperimentError.self) { try run.measure(name, ["batch_size": 9]) }
            let text = error.map { "\($0)" } ?? ""
            #expect(text == "option 'batch_size' is 9: the data has 8 samples", "\(text)")
        }
    }

    /// A run that measures everything has the parameters, bit for bit, of one that measures nothing.
    @Test func noProbeOfEigenvaluesChangesTheTraining() throws {
        let (bare, probed) = (try TinyRun.make(), try TinyRun.make())
        let names = EigenProbes.names + ["batch_lambda_max", "step_batch_lambda_max"]
        for name in names { try probed.track(ProbeCatalogue.probe(name, for: probed), every: 2) }
        try bare.train(TrainingGoal(step: 5))
        try probed.train(TrainingGoal(step: 5))
        #expect(bare.parameters.hasSameBits(as: probed.parameters))
        #expect(names.allSatisfy { (try? probed.series($0).count) ?? 0 > 0 })
    }
}

extension Run {
    fileprivate func track(_ name: String, _ arguments: ProbeArguments) throws {
        try track(ProbeCatalogue.probe(name, arguments, for: self), every: 1)
    }
}
