import Compute
import Dynamics
import Foundation
import Testing

@testable import Experiments

/// The names that a program gave its series, as a run file and the series `edge` tell them.
@Suite final class EdgeNamesOfFiles {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The edge of λ_max is 190, that of batch sharpness 10: as scripts make it, a file begins with the settings.
    private func run() throws -> Run {
        let (run, folder) = (try EdgeNames.momentumRun(), folder)
        run.makeFile = { run in
            let file = try RunFile.create(name: run.name, in: folder)
            try file.addEvent(step: run.step, kind: "start", message: "", data: run.settingsForFile)
            return file
        }
        return run
    }

    @Test func aFileComparesAsTheLiveRunDoes() throws {
        let run = try run()
        try run.train(TrainingGoal(step: 2))
        // Of what is followed from here on an event tells.
        try run.track(NamedProbe("late", LambdaMax()), every: 1)
        try run.train(TrainingGoal(step: 3))
        let file = try #require(run.file)
        try file.close()
        let history = try RunFile.open(file.url).history()
        for (name, edge) in [("sharp", 190.0), ("late", 190), ("two_2", 190), ("noisy", 10), ("mine", 10)] {
            let found = try #require(try history.knownEdge(for: name) { _ in nil }).values
            #expect(found.count == 1 && abs(found[0] - edge) < 1e-9, "\(name)")
            #expect(try run.edge(for: name).values == found, "\(name)")
        }
        #expect(try history.knownEdge(for: "fish") { _ in nil } == nil)
    }

    @Test func aSeriesOverTheEdgeIsDividedByThatOfItsProbe() throws {
        let run = try EdgeNames.momentumRun()
        try run.track(ProbeCatalogue.probe("edge", for: run), every: 1)
        try run.train(TrainingGoal(step: 2))
        let edge = try run.series("edge")
        for (name, own) in [("sharp", 190.0), ("noisy", 10), ("mine", 10)] {
            let series = try run.series(name)
            for over in [series.over(edge), series.between(0, 1).over(edge.between(0, 1))] {
                for (ratio, value) in zip(over.values, series.values) {
                    #expect(abs(ratio * own / value - 1) < 1e-12, "\(name)")
                }
            }
        }
        #expect(try run.series("fish").over(edge).values.allSatisfy(\.isNaN))
    }

    /// A page draws beside a curvature its own edge, not that of batch sharpness for which momentum is known.
    @Test func theSeriesOfAnEdgeGoesByProbes() throws {
        let run = try EdgeNames.momentumRun()
        try run.track(NamedProbe("brink", ProbeCatalogue.probe("edge", for: run)), every: 1)
        try run.train(TrainingGoal(step: 1))
        let tracked = run.seriesNames
        #expect(run.history.isEdge("brink") && !run.history.isEdge("sharp"))
        #expect(run.history.edgeName(for: "noisy", among: tracked) == "brink")
        for name in ["sharp", "fish", "brink"] {
            #expect(run.history.edgeName(for: name, among: tracked) == nil, "\(name)")
        }
    }

    /// What a stranger's file says of names is text or nothing.
    @Test func aFileThatSaysSomethingElseIsNotBelieved() throws {
        let file = try RunFile.create(name: "odd", in: folder)
        try file.addEvent(step: 0, kind: "start", message: "", data: ["series": ["a": 3, "b": "lambda_max"]])
        try file.addEvent(step: 0, kind: "series", message: "", data: ["series": [1, 2]])
        try file.close()
        #expect(try RunFile.open(file.url).history().catalogueNames == ["b": "lambda_max"])
    }
}
