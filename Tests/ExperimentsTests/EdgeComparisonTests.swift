import Compute
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// Every comparison with an edge takes that of the series' own curvature.
@Suite struct EdgeComparisons {
    /// Momentum with mini-batches is known for the edge of batch sharpness, 2(1 − β)/η = 10; that of λ_max is (2 + 2β)/η = 190.
    private func momentumRun(_ names: [String] = ["lambda_max", "batch_sharpness", "fisher_max"]) throws -> Run {
        let run = try SmallRun.make(rate: 0.02)
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.9))
        for name in names + ["edge"] { try run.track(ProbeCatalogue.probe(name, for: run), every: 1) }
        _ = try run.train(TrainingGoal(step: 2))
        return run
    }

    @Test func aSeriesOverTheEdgeIsDividedByItsOwn() throws {
        let run = try momentumRun()
        let edge = try run.series("edge")
        #expect(edge.values.allSatisfy { abs($0 - 10) < 1e-12 })
        for (name, own) in [("lambda_max", 190.0), ("batch_sharpness", 10)] {
            let series = try run.series(name)
            let over = series.over(edge)
            #expect(over.steps == series.steps)
            for (ratio, value) in zip(over.values, series.values) {
                #expect(abs(ratio * own / value - 1) < 1e-12, "\(name)")
            }
        }
        // No edge of it is known: over another's it would be a number without a meaning.
        let none = try run.series("fisher_max").over(edge)
        #expect(none.count == 3 && none.values.allSatisfy(\.isNaN))
    }

    /// The same of a part of both, and of an explicit divisor.
    @Test func aPartOfTheEdgeKnowsTheOthersTooAndANamedOneIsTakenAsItIs() throws {
        let run = try momentumRun()
        let part = try run.series("lambda_max").between(1, 1).over(run.series("edge").between(1, 2))
        #expect(abs(part.values[0] * 190 / (try run.series("lambda_max").values[1]) - 1) < 1e-12)
        let explicit = try run.series("lambda_max").over(run.series("batch_sharpness"))
        #expect(
            explicit.values[0] == (try run.series("lambda_max").values[0] / run.series("batch_sharpness").values[0]))
    }

    @Test func theFirstStepBeyondTheEdgeIsBeyondItsOwn() throws {
        let run = try momentumRun()
        let series = Series(name: "lambda_max", steps: [0, 1, 2], values: [9, 11, 191])
        #expect(try series.firstStep(.greaterOrEqual, run.edge(for: "lambda_max")) == 2)
        #expect(try series.firstStep(.greaterOrEqual, run.series("edge")) == 2)
        let sharpness = Series(name: "batch_sharpness", steps: [0, 1, 2], values: [9, 11, 191])
        #expect(try sharpness.firstStep(.greaterOrEqual, run.edge(for: "batch_sharpness")) == 1)
        // A quantity of the user's own is compared with what the rule is known for.
        let own = Series(name: "mine", steps: [0, 1, 2], values: [9, 11, 191])
        #expect(try own.firstStep(.greaterOrEqual, run.edge(for: "mine")) == 1)
        #expect(own.over(try run.series("edge")).values.map { $0.rounded() } == [1, 1, 19])
    }

    @Test func whereNoEdgeIsKnownTheErrorSaysWhichAre() throws {
        let run = try momentumRun(["loss"])
        for name in ["fisher_max", "batch_lambda_max", "gni", "preconditioned_lambda_max"] {
            let error = #expect(throws: ExperimentError.self) { try run.edge(for: name) }
            let text = "\(try #require(error))"
            #expect(text.contains("no edge of \(name) is known under momentum, which has one of lambda_max"), "\(text)")
            #expect(try run.knownEdge(for: name) == nil)
        }
    }

    /// A rule that is changed takes its edges with it.
    @Test func anEdgeThatEndedIsNotANumberFromThereOn() throws {
        let run = try SmallRun.make()
        try run.track(LambdaMax(), every: 1)
        try run.track(ProbeCatalogue.probe("edge", for: run), every: 1)
        try run.train(TrainingGoal(step: 1))
        try run.setRule(Adam(learningRate: 0.001))
        try run.train(TrainingGoal(step: 3))
        let over = try run.series("lambda_max").over(run.series("edge")).values
        #expect(over[0...1].allSatisfy { $0 > 0 } && over[2...3].allSatisfy(\.isNaN))
    }

    @Test func severalEdgesAreTrackedSideBySide() throws {
        let run = try SmallRun.make()
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.5))
        for name in ["lambda_max", "batch_sharpness"] {
            try run.track(ProbeCatalogue.probe("edge", ["of": .text(name)], for: run), every: 1)
        }
        #expect(throws: ExperimentError.self) { try run.series("edge") }
        try run.track(ProbeCatalogue.probe("edge", for: run), every: 1)
        try run.train(TrainingGoal(step: 1))
        #expect(try run.series("edge_lambda_max").values == [150, 150])
        #expect(try run.series("edge_batch_sharpness").values == [50, 50])
        #expect(try run.series("edge").values == [50, 50])
        #expect(try ProbeCatalogue.declaration(of: "edge").series(["of": "gni"]) == ["edge_gni"])
    }

    /// 2(1 − β)/η to 2(1 + β)/η between one sample and all of them.
    @Test func theEdgeOfBatchSharpnessUnderMomentumIsAnInterval() throws {
        let run = try SmallRun.make()
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.5, weightDecay: 3))
        func ends() -> [Double] {
            run.stabilityEdge(of: .batchSharpness).map { [$0.lower, $0.upper] } ?? []
        }
        #expect(ends() == [47, 147] && run.edge() == 47)
        try run.setBatchSize(.samples(1))
        #expect(ends() == [47, 47])
        try run.setBatchSize(.samples(24))
        #expect(ends() == [147, 147])
        let history = run.edges(of: .batchSharpness)
        #expect(history.map(\.value) == [147] && history.map(\.upper) == [147])
    }
}
