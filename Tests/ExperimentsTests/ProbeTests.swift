import Compute
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

@Suite struct Probes {
    /// Of a Hessian small enough to be written out, the dense eigenvalues are the truth.
    @Test func lambdaMaxIsTheLargestEigenvalueOfTheDenseHessian() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 20))
        let hessian = CurvatureOperator(of: run.oracle, at: run.parameters)
        let truth = DenseEigen(symmetric: try dense(of: hessian)).values
        let probe = try LambdaMax(.init(k: 3, tolerance: 1e-6))
        let values = try run.measure(probe).map(\.value)
        for (value, expected) in zip(values, truth) { #expect(abs(value / expected - 1) < 1e-5) }
        #expect(probe.seriesNames == ["lambda_max", "lambda_max_2", "lambda_max_3"])
    }

    @Test func theTraceIsThatOfTheDenseHessian() throws {
        let run = try SmallRun.make()
        let matrix = try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters))
        let expected = (0..<matrix.rows).reduce(0) { $0 + matrix[$1, $1] }
        let measured = try run.measure("hessian_trace", ["rel_error": 0, "max_samples": 60])[0]
        #expect(measured.samples == 60)
        // Four standard errors.
        #expect(abs(measured.value - expected) < 4 * (measured.standardError ?? 0))
        // As many vectors as parameters give it exactly.
        let exact = try run.measure("hessian_trace", ["rel_error": 0, "max_samples": 400])[0]
        #expect(abs(exact.value / expected - 1) < 1e-12 && exact.standardError == 0)
    }

    @Test func batchSharpnessOverGivenBatchesIsExact() throws {
        let run = try SmallRun.make()
        let batches = [[0, 1, 2], [3, 4, 5, 6], [7]]
        let measured = try run.measure("batch_sharpness", ["batches": .batches(batches)])[0]
        var sum = 0.0
        for batch in batches {
            let gradient = try run.oracle.gradient(at: run.parameters, over: .indices(batch)).gradient
            let product = try run.oracle.directional(at: run.parameters, along: [gradient], over: .indices(batch))
            sum += try gradient.dot(product) / gradient.squaredNorm
        }
        #expect(abs(measured.value - sum / 3) < 1e-10 * abs(sum))
        #expect(measured.standardError == 0 && measured.samples == 3)
    }

    /// All batches of two out of 24 samples give the expectation; the estimate lies within four of its standard errors.
    @Test func batchSharpnessEstimatesTheMeanOverAllBatches() throws {
        let run = try SmallRun.make()
        let pairs = (0..<24).flatMap { i in (0..<i).map { [i, $0] } }
        let truth = try run.measure("batch_sharpness", ["batches": .batches(pairs)])[0].value
        let estimate = try run.measure("batch_sharpness", ["batch_size": 2, "rel_error": 0, "max_samples": 640])[0]
        #expect(estimate.samples == 640)
        #expect(abs(estimate.value - truth) < 4 * (estimate.standardError ?? 0))
    }

    @Test func batchSharpnessStopsAtItsRelativeError() throws {
        let run = try SmallRun.make()
        let estimate = try run.measure("batch_sharpness", ["rel_error": 0.05, "max_samples": 100_000])[0]
        #expect((estimate.standardError ?? .infinity) <= 0.05 * abs(estimate.value))
        #expect((estimate.samples ?? 0) < 100_000)
    }

    @Test func ofAllSamplesBatchSharpnessIsTheCurvatureAlongTheGradient() throws {
        let run = try SmallRun.make(batch: .full)
        let gradient = try run.gradient()
        let product = try CurvatureOperator(of: run.oracle, at: run.parameters).apply(gradient)
        let expected = try gradient.dot(product) / gradient.squaredNorm
        #expect(abs(try run.measure(BatchSharpness())[0].value / expected - 1) < 1e-10)
    }

    @Test func sampleNumbersOutsideTheDataAreRefused() throws {
        let run = try SmallRun.make()
        #expect(throws: ExperimentError.self) { try run.measure("batch_sharpness", ["batches": .batches([[0, 24]])]) }
        #expect(throws: ExperimentError.self) { try run.measure("batch_sharpness", ["batch_size": 25]) }
        #expect(throws: ExperimentError.self) { try LambdaMax(.init(k: 0)) }
        #expect(throws: ExperimentError.self) { try run.measure(StepSharpness()) }
    }
}

@Suite struct SeriesArithmetic {
    let edge = Series(name: "edge", steps: [0, 10], values: [40, 20])
    let sharpness = Series(name: "s", steps: [0, 5, 10, 15], values: [20, 36, 21, 10], standardErrors: [1, 2, 3, 4])

    @Test func overJoinsAtTheLastValueAtOrBefore() {
        let ratio = sharpness.over(edge)
        #expect(ratio.steps == [0, 5, 10, 15])
        #expect(ratio.values == [0.5, 0.9, 1.05, 0.5])
        #expect(ratio.standardErrors == [0.025, 0.05, 0.15, 0.2])
        #expect(sharpness.over(Series(name: "late", steps: [7], values: [2])).steps == [10, 15])
    }

    @Test func rangesIncludeBothEnds() {
        #expect(sharpness.between(5, 10).values == [36, 21])
        #expect(sharpness.between(nil, 4).steps == [0])
    }

    @Test func firstFindsTheFirstCrossing() {
        #expect(sharpness.firstStep(.greaterOrEqual, edge) == 10)
        #expect(sharpness.firstStep(.greater, 35) == 5)
        #expect(sharpness.firstStep(.greater, 100) == nil)
    }

    /// A value that is none has no place in the order, and no part in a sum.
    @Test func statisticsOfWhatIsNotANumberAreNone() {
        let values = [5, 1, .nan, 2, 4, .nan, 3]
        for shift in values.indices {
            let turned = Array(values[shift...] + values[..<shift])
            let series = Series(name: "s", steps: Array(0..<7), values: turned)
            #expect(series.median.isNaN && series.mean.isNaN)
        }
        let infinite = Series(name: "s", steps: [0, 1, 2], values: [.infinity, 1, 2])
        #expect(infinite.median == 2 && infinite.mean == .infinity)
    }

    @Test func meanAndMedian() {
        #expect(sharpness.mean == 21.75)
        #expect(sharpness.median == 20.5)
        #expect(Series(name: "empty").median.isNaN)
        #expect(sharpness.last == 10)
    }
}
