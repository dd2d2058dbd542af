import Compute
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// A series that a program gave a name of its own is compared with the edge of what its probe measures.
@Suite struct EdgeNames {
    /// Under momentum with mini-batches the edge of λ_max is (2 + 2β)/η = 190, that of batch sharpness at least 2(1 − β)/η = 10.
    static func momentumRun() throws -> Run {
        let run = try SmallRun.make(rate: 0.02)
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.9))
        for (name, probe) in [("sharp", "lambda_max"), ("noisy", "batch_sharpness"), ("fish", "fisher_max")] {
            try run.track(NamedProbe(name, ProbeCatalogue.probe(probe, ["samples": 8], for: run)), every: 1)
        }
        try run.track(NamedProbe("two", ProbeCatalogue.probe("lambda_max_gn", ["k": 2], for: run)), every: 1)
        try run.track(CustomProbe("mine") { _ in 11 }, every: 1)
        return run
    }

    @Test func theEdgeIsThatOfTheProbe() throws {
        let run = try Self.momentumRun()
        for (name, edge) in [("sharp", 190.0), ("two", 190), ("two_2", 190), ("noisy", 10), ("mine", 10)] {
            let found = try run.edge(for: name).values
            #expect(found.count == 1 && abs(found[0] - edge) < 1e-9, "\(name)")
        }
        // 9, 11 and 191 as λ_max reach their edge at the third.
        let series = Series(name: "sharp", steps: [0, 1, 2], values: [9, 11, 191])
        #expect(try series.firstStep(.greaterOrEqual, run.edge(for: "sharp")) == 2)
    }

    @Test func whatHasNoEdgeHasNoneUnderAnotherName() throws {
        let run = try Self.momentumRun()
        #expect(try run.knownEdge(for: "fish") == nil)
        let error = #expect(throws: ExperimentError.self) { try run.edge(for: "fish") }
        let text = "\(try #require(error))"
        #expect(text.contains("no edge of fish, which is fisher_max, is known under momentum"), "\(text)")
        // λ_max has none under Adam, whatever it is called; the quantity of the program's own has the one that Adam is known for.
        let adam = try SmallRun.make()
        try adam.setRule(Adam(learningRate: 0.02))
        try adam.track(NamedProbe("sharp", LambdaMax()), every: 1)
        #expect(throws: ExperimentError.self) { try adam.edge(for: "sharp") }
        #expect(throws: ExperimentError.self) { try adam.edge(for: "lambda_max") }
        #expect(try adam.edge(for: "mine").values.count == 1)
    }

    /// A fork goes on with the names, and the file of a run has those that it begins with.
    @Test func namesGoWithForksAndStandInTheFile() throws {
        let run = try Self.momentumRun()
        let fork = try Run(forking: run, name: "fork")
        #expect(abs(try fork.edge(for: "sharp").values[0] - 190) < 1e-9)
        #expect(
            run.settingsForFile["series"]
                == .object([
                    "sharp": "lambda_max", "noisy": "batch_sharpness", "fish": "fisher_max", "two": "lambda_max_gn",
                    "two_2": "lambda_max_gn_2",
                ]))
        #expect(try SmallRun.make().settingsForFile["series"] == nil)
    }

    /// The edge of SAM depends on ‖∇L‖ and is known where it was tracked.
    @Test func anEdgeThatWasTrackedIsTaken() throws {
        let run = try SmallRun.make(batch: .full)
        try run.setRule(FieldRule(SGD(learningRate: 0.02), SharpnessAware(radius: 0.05)))
        try run.track(NamedProbe("sharp", LambdaMax()), every: 1)
        try run.track(ProbeCatalogue.probe("edge", ["of": "lambda_max"], for: run), every: 1)
        try run.train(TrainingGoal(step: 2))
        #expect(try run.edge(for: "sharp").values == run.series("edge_lambda_max").values)
    }
}
