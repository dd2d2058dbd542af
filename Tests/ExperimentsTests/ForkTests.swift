import Compute
import Datasets
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Experiments

/// A fork does what its run would have done, to the bit, and neither moves the other.
@Suite struct Forks {
    private static let rules: [any UpdateRule] = {
        do {
            return [
                SGD(learningRate: 0.02), try HeavyBall(learningRate: 0.01, factor: 0.9),
                try Adam(learningRate: 0.003), try AdaptiveGradient(learningRate: 0.003, kind: .rmsprop),
            ]
        } catch { preconditionFailure("\(error)") }
    }()

    /// The names of all quantities that a run under this rule has.
    private func quantities(under rule: any UpdateRule) throws -> [String] {
        let run = try SmallRun.normalised(under: rule)
        try run.train(TrainingGoal(step: 1))
        return ProbeCatalogue.all.map(\.name).filter { name in
            guard let probe = try? SmallRun.probe(name, for: run) else { return false }
            return probe.timing == .step || (try? run.measure(probe)) != nil
        }
    }

    /// Follows these, each with what it keeps between measurements.
    private func track(_ names: [String], along run: Run) throws {
        for name in names where name != "step_sharpness" {
            try run.track(
                SmallRun.probe(name, for: run), Cadence(.every(6), at: [1], when: { $0.step > 0 }))
        }
        try run.track(StepSharpness(average: 10), every: 1)
    }

    /// All that was measured.
    private func measured(_ run: Run) throws -> [String: [[UInt64]]] {
        var all: [String: [[UInt64]]] = [:]
        for name in run.seriesNames {
            let series = try run.series(name)
            all[name] = series.steps.indices.map { i in
                let lists = series.arrays[i, default: [:]].sorted { $0.key < $1.key }.flatMap(\.value)
                return [UInt64(series.steps[i])]
                    + ([series.values[i], series.standardErrors[i]] + lists).map(\.bitPattern)
            }
        }
        return all
    }

    private func expectSame(_ a: Run, _ b: Run, _ what: String) throws {
        #expect(a.parameters.hasSameBits(as: b.parameters), "\(what): parameters")
        #expect(try a.statistics().hasSameBits(as: b.statistics()), "\(what): statistics")
        #expect((a.step, a.time, a.epoch) == (b.step, b.time, b.epoch), "\(what)")
        #expect(a.batchLoss == b.batchLoss && a.work == b.work, "\(what): \(a.work) and \(b.work)")
        let (left, right) = (try measured(a), try measured(b))
        for (name, values) in left { #expect(values == right[name], "\(what): \(name)") }
    }

    @Test func everyRuleWithEveryProbe() throws {
        var seen: Set<String> = []
        for rule in Self.rules {
            let (whole, run) = (try SmallRun.normalised(under: rule), try SmallRun.normalised(under: rule))
            let names = try quantities(under: rule)
            seen.formUnion(names)
            for each in [whole, run] { try track(names, along: each) }
            try whole.train(TrainingGoal(step: 13))
            try run.train(TrainingGoal(step: 7))
            let forks = [try run.fork(name: "a"), try run.fork(name: "b")]
            // In turns, so that what one changes would be seen by the others.
            for step in 8...13 { for each in [forks[0], run, forks[1]] { try each.train(TrainingGoal(step: step)) } }
            for each in [run] + forks { try expectSame(each, whole, "\(rule.name), \(each.name)") }
        }
        #expect(Set(ProbeCatalogue.names).subtracting(seen) == [])
    }

    @Test func budgetsSeeTheSameSteps() throws {
        let (whole, run) = (try SmallRun.make(), try SmallRun.make())
        for each in [whole, run] {
            for name in ["lambda_max", "batch_sharpness"] {
                try each.track(ProbeCatalogue.probe(name, for: each), Cadence(.every(1), budget: 0.5))
            }
        }
        try whole.train(TrainingGoal(step: 400))
        try run.train(TrainingGoal(step: 150))
        let fork = try run.fork(name: "fork")
        try run.train(TrainingGoal(step: 200))
        try fork.train(TrainingGoal(step: 400))
        try run.train(TrainingGoal(step: 400))
        try expectSame(fork, whole, "the fork")
        try expectSame(run, whole, "the run")
        #expect(try whole.series("lambda_max").count > 2)
    }

    @Test func whatOneDoesTheOtherDoesNot() throws {
        let run = try SmallRun.normalised(under: try Adam(learningRate: 0.003))
        try run.track(ProbeCatalogue.probe("lambda_max", for: run), every: 2)
        try run.train(TrainingGoal(step: 6))
        let (parameters, statistics, work) = (run.parameters, try run.statistics(), run.work)
        let edges = run.edges(of: .preconditionedLambdaMax).count
        let fork = try run.fork(name: "fork")
        try fork.setLearningRate(0.01)
        try fork.setBatchSize(.samples(3))
        try fork.setParameters(0.9 * fork.parameters)
        try fork.track(ProbeCatalogue.probe("loss", for: fork), every: 1)
        try fork.train(TrainingGoal(step: 12))
        #expect(run.step == 6 && run.learningRate == 0.003 && run.batchSize == .samples(6))
        #expect(run.parameters.hasSameBits(as: parameters))
        #expect(try run.statistics().hasSameBits(as: statistics))
        #expect(run.work == work && run.seriesNames == ["lambda_max"])
        #expect(try run.series("lambda_max").count == 4 && fork.series("lambda_max").count == 7)
        #expect(run.edges(of: .preconditionedLambdaMax).count == edges)
    }

    /// Actions that have fired do not fire again; those still to come fire in both, for the run that reaches them.
    @Test func actionsStillToCome() throws {
        let run = try SmallRun.normalised(under: SGD(learningRate: 0.02))
        var fired: [String] = []
        var fork: Run?
        for step in [2, 5, 9] {
            try run.at(step) { run in
                fired.append("\(run.name) \(run.step)")
                if step == 5, run.name == "normalised" { fork = try run.fork(name: "fork") }
            }
        }
        try run.at(5) { run in fired.append("\(run.name) after 5") }
        try run.train(TrainingGoal(step: 10))
        try #require(fork).train(TrainingGoal(step: 10))
        #expect(
            fired == [
                "normalised 2", "normalised 5", "normalised after 5", "normalised 9", "fork after 5", "fork 9",
            ])
    }

    @Test func aProbeCannotFork() throws {
        let run = try SmallRun.make()
        try run.track(CustomProbe("forks") { Double(try $0.fork(name: "fork").step) }, every: 1)
        let message = #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 1)) }?.description
        #expect(message?.contains("a fork cannot be made from within a probe") == true, "\(message ?? "")")
    }
}

/// Runs that take their steps together.
@Suite struct Locksteps {
    @Test func distancesAreThoseOfTheRuns() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 3))
        let (twin, other) = (try run.fork(name: "twin"), try run.fork(name: "other"))
        try other.setLearningRate(0.04)
        let origin = run.parameters
        let lockstep = try Lockstep(
            [("a", run), ("b", twin), ("c", other)], comparing: [.parameters, .outputs, .sketch, .angle])
        var seen: [Int] = []
        try lockstep.advance(steps: 5, every: 2) { seen.append($0) }
        #expect(seen == [4, 5, 6, 7, 8] && run.step == 8 && twin.step == 8 && other.step == 8)
        for quantity in Lockstep.Quantity.allCases where quantity != .midpoints {
            #expect(try lockstep.series(quantity, "a", "c").steps == [3, 5, 7, 8])
        }
        #expect(try lockstep.series(.parameters, "b", "a").values == [0, 0, 0, 0])
        #expect(try lockstep.series(.parameters, "c", "a").last == run.distance(to: other))
        #expect(try lockstep.series(.outputs, "a", "c").last == run.distance(to: other, in: .outputs))
        let (u, v) = (try run.parameters - origin, try other.parameters - origin)
        let cosine = try u.dot(v) / (u.norm() * v.norm())
        let angles = try lockstep.series(.angle, "a", "c")
        #expect(angles.values[0].isNaN && abs(angles.values[3] - acos(cosine)) < 1e-12)
        #expect(try lockstep.series(.angle, "a", "b").values[3] < 1e-7)
        // It goes on where it was.
        try lockstep.advance(steps: 2, every: 1)
        #expect(try lockstep.series(.parameters, "a", "c").steps == [3, 5, 7, 8, 9, 10])
    }

    @Test func whatDoesNotGoTogether() throws {
        let run = try SmallRun.make()
        let fork = try run.fork(name: "fork")
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(message { _ = try Lockstep([("a", run)], comparing: [.parameters]) }.contains("two runs or more"))
        #expect(message { _ = try Lockstep([("a", run), ("b", run)], comparing: []) }.contains("fork it first"))
        let pair = try Lockstep([("a", run), ("b", fork)], comparing: [.parameters])
        #expect(message { _ = try pair.series(.outputs, "a", "b") }.contains("name it in 'distance'"))
        #expect(message { _ = try pair.series(.parameters, "a", "d") }.contains("its runs are a, b"))
        #expect(message { _ = try pair.series(.parameters, "a", "a") }.contains("no distance from itself"))
        try fork.train(TrainingGoal(step: 2))
        #expect(message { _ = try Lockstep([("a", run), ("b", fork)], comparing: []) }.contains("'b' at step 2"))
    }
}
