import Compute
import Datasets
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Experiments

/// Runs whose state is looked at.
enum StateRun {
    struct Stop: Error {}

    final class Taken {
        var checkpoints: [Int: Data] = [:]
    }

    static let rules: [any UpdateRule] = {
        do {
            return try ["sgd", "momentum", "nesterov", "rmsprop", "scalar_rmsprop", "adagrad", "adam", "adamw"].map {
                try rule($0, ["lr": $0 == "sgd" ? 0.02 : 0.004])
            }
        } catch { preconditionFailure("\(error)") }
    }()

    static let lossOfStep14 = Result {
        let run = try make(SGD(learningRate: 0.02))
        try run.train(TrainingGoal(step: 14))
        return try run.evaluation().loss
    }

    static func rule(_ name: String, _ settings: [String: Double]) throws -> any UpdateRule {
        try #require(RuleCatalogue.declaration(of: name), "\(name)").make(settings)
    }

    static func make(
        _ rule: any UpdateRule, _ engine: Engine = .shared, batch: Run.BatchSize = .samples(6)
    ) throws -> Run {
        try SmallRun.normalised(under: rule, batch: batch, engine: engine)
    }

    /// Parts that nothing depends on: what the clock on the wall says, and what people are told.
    static let describing = [
        "seconds", "summary", "keeps", "clock.version", "gap", "last_measured", "point.previous", "warm.start.1.step",
        "warm.start.2.step",
        "probe.step", "rule.names",
    ]

    /// Everything measured from a step on, with what it cost, and everything of the state but what the clock on the wall says.
    static func expectSame(_ a: Run, _ b: Run, _ what: String, from step: Int) throws {
        // A resumed run that has no file has nothing of what was measured before.
        let (left, right) = (try summary(of: a, after: step), try summary(of: b, after: step))
        for (name, value) in right where left[name] != value {
            Issue.record("\(what): \(name) is \(left[name] ?? "missing"), not \(value)")
        }
        #expect(left.count == right.count, "\(what)")
    }

    /// - Parameter step: of series what came later.
    static func summary(of run: Run, after step: Int) throws -> [String: String] {
        let omitted = run.omittedFromCheckpoints
        run.omittedFromCheckpoints = []
        defer { run.omittedFromCheckpoints = omitted }
        let coder = StateCoder()
        var state = try run.state
        let rule = state.rule
        try state.code(coder, model: RunModel { _, _ in rule })
        var all = coder.values.filter { !$0.key.hasSuffix("seconds") }.mapValues(\.words)
        for (name, vector) in coder.vectors { all[name] = vector.fingerprint }
        for name in run.seriesNames {
            let series = try run.series(name).between(step + 1, nil)
            all["series \(name)"] = series.steps.indices.map { i in
                let lists = series.arrays[i, default: [:]].sorted { $0.key < $1.key }.flatMap(\.value)
                let numbers = ([series.values[i], series.standardErrors[i]] + lists).map { "\($0.bitPattern)" }
                return "\(series.steps[i]) \(numbers.joined(separator: " "));"
            }.joined()
        }
        return all
    }
}
