import Experiments
import Foundation
import Reports
import Testing

@testable import RunFiles

@Suite struct SeedBands {
    /// Quartiles of 1, 2, 3, 4 lie at 1.75 and 3.25, of 1, 2, 3 at 1.5 and 2.5.
    @Test func theMedianStandsBetweenTheQuartiles() {
        let curves = [1.0, 4, 2, 3].enumerated().map { (x: $0 == 1 ? [0.0] : [0, 1], y: $0 == 1 ? [$1] : [$1, $1]) }
        let seeds = SeedBand(curves, .seeds)
        #expect(
            seeds.x == [0, 1] && seeds.median == [2.5, 2] && seeds.low == [1.75, 1.5] && seeds.high == [3.25, 2.5])
        let range = SeedBand(curves, .range)
        #expect(range.low == [1, 1] && range.high == [4, 3])
    }

    /// Five seeds of which three have diverged: no median of the two that are left, which would say that all is well.
    @Test func whereACurveIsNotFiniteThereIsNoMedian() {
        let curves = [5.0, 1, .nan, 2, .infinity].map { (x: [0.0, 1], y: [1, $0]) }
        let band = SeedBand(curves, .seeds)
        #expect(band.x == [0, 1] && band.median[0] == 1)
        #expect(band.median[1].isNaN && band.low[1].isNaN && band.high[1].isNaN)
    }

    /// A step that one run alone was measured at has no median.
    @Test func oneRunIsNoBand() {
        let band = SeedBand([(x: [0, 1], y: [5, 6]), (x: [0, 2], y: [7, 8])], .seeds)
        #expect(band.x == [0] && band.median == [6])
        #expect(SeedBand([(x: [0, 1], y: [5, 6])], .seeds).x == [0, 1])
    }
}

/// Files that say what they like.
@Suite final class PlotsOfFiles {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func file(_ write: (RunFile) throws -> Void) throws -> RunFileReader {
        let file = try RunFile.create(name: "x", in: folder)
        try write(file)
        try file.close()
        return try RunFile.open(file.url)
    }

    private func settings(_ steps: [Int], _ schedules: JSONValue = .array([])) -> [String: JSONValue] {
        let regimes = steps.map { step -> JSONValue in
            [
                "step": .integer(step), "batch": 4, "count": 20, "rule": "sgd", "settings": ["lr": 0.05],
                "schedules": schedules,
            ]
        }
        return ["settings": .array(regimes)]
    }

    @Test func aFileTellsItsEdgeAndItsClocks() throws {
        let reader = try file { file in
            try file.addEvent(step: 0, kind: "start", message: "", data: settings([0]))
            for step in stride(from: 0, through: 100, by: 10) {
                try file.record("lambda_max", Measurement(step: step, value: 10))
            }
            try file.addEvent(step: 50, kind: "lr", message: "", data: ["from": 0.05, "to": 0.1])
        }
        let history = try reader.history()
        #expect(history.edges(of: .lambdaMax).map { [Double($0.step), $0.value] } == [[0, 40], [51, 20]])
        #expect(history.changes.map(\.message) == ["lr 0.05 to 0.1"] && history.changes.map(\.step) == [50])
        #expect(history.epochs(after: [0, 5, 100]) == [0, 1, 20])
        let times = try #require(history.times(after: [0, 50, 100]))
        #expect(abs(times[1] - 2.5) < 1e-12 && abs(times[2] - 7.5) < 1e-12)
        var plot = RunPlot(of: [PlottedGroup(try PlottedRun(reader))])
        let panel = try #require(try plot.figure().panels.first)
        #expect(panel.references.map(\.name) == ["2/lr"] && panel.marks.map(\.x) == [50])
        plot.isOverEdge = true
        #expect(try plot.figure().panels[0].series[0].y.suffix(2) == [0.5, 0.5])
    }

    @Test func whatAFileSaysIsNotBelievedBlindly() throws {
        let hostile: [[String: JSONValue]] = [
            settings([0, .max]), settings([5, 3]), settings([-7]), ["settings": "text"], ["settings": .array([])],
            settings(
                [0],
                .array([
                    ["setting": "lr", "origin": .integer(.min), "schedule": ["constant": .array([1])], "function": nil]
                ])),
        ]
        for data in hostile {
            let reader = try file { file in
                try file.addEvent(step: 0, kind: "start", message: "\u{1B}[31m", data: data)
                try file.record("lambda_max", Measurement(step: 0, value: 1))
                try file.record("lambda_max\u{1B}[31m", Measurement(step: 0, value: 1))
                try file.record("lambda_max", Measurement(step: 1 << 60, value: 2))
                for to in [JSONValue.integer(-1), "full", .number(.infinity), nil] {
                    try file.addEvent(step: 3, kind: "lr", message: "", data: ["to": to])
                    try file.addEvent(step: .max, kind: "batch_size", message: "", data: ["to": to])
                    try file.addEvent(step: -4, kind: "optimizer", message: "", data: ["rule": to, "settings": to])
                }
            }
            let run = try PlottedRun(reader)
            for x in [RunPlot.Axis.step, .epoch, .time] {
                var plot = RunPlot(of: [PlottedGroup(run)])
                plot.x = x
                if let figure = try? plot.figure() { _ = try? figure.drawn(as: .text(columns: 80, rows: 10)) }
            }
            do {
                _ = try run.series("lambda_may")
                Issue.record("there is no such series")
            } catch { #expect(!"\(error)".contains("\u{1B}")) }
        }
    }

    @Test func filesThatDifferInTheirSeedBelongTogether() throws {
        let readers = try [(0.1, 1), (0.2, 1), (0.1, 2)].map { lr, seed in
            try file { try $0.setParameters(["lr": .number(lr), "seed": .integer(seed)]) }
        }
        let groups = try RunGroups.bySeed(readers)
        #expect(groups.map(\.name) == ["lr = 0.1", "lr = 0.2"] && groups.map(\.runs.count) == [2, 1])
        var alike = [groups[0], groups[0]].map { PlottedGroup(name: "same", runs: $0.runs) }
        RunGroups.tellApart(&alike, ["a/x.eoss", "b/x.eoss"])
        #expect(alike.map(\.name) == ["a/x", "b/x"])
    }
}
