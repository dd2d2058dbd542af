import Compute
import Datasets
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Experiments

/// A run that goes on from a checkpoint has the bits of one that was never left, and every part of its state is missed where it is
/// not in the checkpoint.
@Suite struct States {
    /// What a program does with its run; it is executed again when the run is resumed.
    private typealias Program = (Run) throws -> Void

    private func names(under rule: any UpdateRule, _ engine: Engine) throws -> [String] {
        let run = try StateRun.make(rule, engine)
        try run.train(TrainingGoal(step: 1))
        return ProbeCatalogue.all.map(\.name).filter { name in
            guard name != "step_sharpness", let probe = try? SmallRun.probe(name, for: run) else { return false }
            return probe.timing == .step || (try? run.measure(probe)) != nil
        }
    }

    private func track(_ names: [String], _ run: Run) throws {
        for name in names {
            try run.track(SmallRun.probe(name, for: run), Cadence(.every(4), at: [1], when: { $0.step > 0 }))
        }
        try run.track(StepSharpness(average: 20), every: 1)
    }

    /// Executes a program, and again with a run restored from its checkpoint at each of these steps; all must end alike.
    private func expectSameBits(
        _ rule: any UpdateRule, _ engine: Engine = .shared, batch: Run.BatchSize = .samples(6), at steps: [Int],
        _ what: String, _ program: Program
    ) throws {
        var checkpoints: [(step: Int, bytes: Data)] = []
        let whole = try StateRun.make(rule, engine, batch: batch)
        whole.atStepBoundary = { run in
            if steps.contains(run.step) { checkpoints.append((run.step, try run.checkpointBytes())) }
        }
        try program(whole)
        #expect(checkpoints.map(\.step) == steps)
        for (step, bytes) in checkpoints {
            let run = try StateRun.make(rule, engine, batch: batch)
            try run.resume(from: bytes, called: "step \(step)")
            #expect(run.step == step)
            try program(run)
            #expect(!run.isBeingResumed)
            try StateRun.expectSame(run, whole, "\(what) from step \(step)", from: step)
        }
    }

    @Test(arguments: [1, 2]) func everyRuleWithEveryProbe(threads: Int) throws {
        let engine = try Engine(threads: threads)
        var seen: Set<String> = ["step_sharpness"]
        for rule in StateRun.rules {
            let names = try names(under: rule, engine)
            seen.formUnion(names)
            try expectSameBits(rule, engine, at: threads == 1 ? [3, 8] : [4], rule.name) { run in
                try track(names, run)
                try run.train(TrainingGoal(step: 9))
            }
        }
        #expect(Set(ProbeCatalogue.names).subtracting(seen) == [])
    }

    @Test func batchesOfEverySize() throws {
        for batch in [Run.BatchSize.full, .samples(2), .samples(5), .samples(24)] {
            try expectSameBits(try Adam(learningRate: 0.003), batch: batch, at: [1, 4, 7], "batch \(batch)") { run in
                try run.track(ProbeCatalogue.probe("loss", for: run), every: 3)
                try run.train(TrainingGoal(step: 9))
            }
        }
    }

    /// Updates by other vectors than the gradient, each with what it keeps and what it draws.
    @Test func everyField() throws {
        let rules: [(String, [String: Double])] = [
            ("momentum+sam", ["lr": 0.01, "rho": 0.05, "clip": 0.5]),
            ("adam+extrap_previous", ["lr": 0.004, "gamma": 0.01]),
            ("sgd+extrap", ["lr": 0.02, "gamma": 0.01, "chunks": 3]),
            ("sgd+extrap_noise", ["lr": 0.02, "gamma": 0.01]),
            ("nesterov+gradient_penalty", ["lr": 0.01, "chunks": 2]),
            ("momentum+label_noise", ["lr": 0.01, "sigma": 0.1]),
            ("sgd+top_subspace", ["lr": 0.02, "k": 2, "every": 3]), ("sign", ["lr": 0.001]), ("lion", ["lr": 0.001]),
            ("extra_adam", ["lr": 0.002]), ("muon", ["lr": 0.004]),
            ("sgd+saf", ["lr": 0.02, "history": 1, "start": 0]),
            ("adam+mesa", ["lr": 0.002, "decay": 0.8, "start": -1]),
        ]
        let full: [(String, [String: Double])] = [
            ("sgd+noisy_sgd", ["lr": 0.02, "noise_batch": 4]), ("momentum+noisy_iso", ["lr": 0.01, "noise_batch": 4]),
            ("sgd+noisy_diag", ["lr": 0.02, "noise_batch": 4, "finite_population": 1]),
            ("sgd+noisy_const", ["lr": 0.02, "noise_batch": 4, "noise_scale": 0.1]),
            ("sde", ["lr": 0.02, "h": 0.01, "noise_batch": 4]),
            ("gradient_flow", ["alpha": 0.5]), ("exponential_flow", ["alpha": 0.5, "k": 2]),
            ("central_flow", ["lr": 0.3]), ("stable_flow", ["lr": 0.3]),
            ("rmsprop_central_flow", ["lr": 0.05, "beta2": 0.9]), ("rmsprop_stable_flow", ["lr": 0.01]),
            ("scalar_rmsprop_central_flow", ["lr": 0.3]), ("scalar_rmsprop_stable_flow", ["lr": 0.1]),
        ]
        for (rules, batch) in [(rules, Run.BatchSize.samples(6)), (full, .full)] {
            for (name, settings) in rules {
                try expectSameBits(StateRun.rule(name, settings), batch: batch, at: [1, 4, 5], name) { run in
                    try run.track(ProbeCatalogue.probe("loss", for: run), every: 2)
                    try run.train(TrainingGoal(step: 8))
                    // At this rate an eigenvector oscillates.
                    if name == "rmsprop_central_flow" { #expect((run.rule as? CentralFlow)?.oscillating ?? 0 > 0) }
                }
            }
        }
    }

    @Test func budgetsSeeTheSameSteps() throws {
        try expectSameBits(SGD(learningRate: 0.02), at: [90, 150], "budget") { run in
            for name in ["lambda_max", "batch_sharpness"] {
                try run.track(
                    ProbeCatalogue.probe(name, for: run),
                    Cadence(.growing(GrowingSteps(first: 2, growth: 1.3, max: 9)), budget: 0.5))
            }
            try run.track(ProbeCatalogue.probe("accuracy", for: run), Cadence(.every(50)))
            try run.train(TrainingGoal(step: 300))
        }
    }

    /// Trainings, assignments, loops, actions and what was read: nothing that has happened is done twice.
    @Test func programs() throws {
        var log: [String] = []
        func program(_ run: Run) throws {
            try run.track(ProbeCatalogue.probe("lambda_max", ["k": 2], for: run), Cadence(.every(5)), words: "k = 2")
            try run.at(12) { run in
                log.append("at \(run.step)")
                try run.setLearningRate(run.learningRate / 2)
            }
            try run.every(7) { log.append("every \($0.step)") }
            func isLate(_ run: Run) -> Bool { run.step % 10 >= 5 }
            try run.when(isLate, every: 1) { log.append("when \($0.step)") }
            try run.train(TrainingGoal(step: 8))
            let rate = try run.reading("lr") { run.learningRate } ?? 0
            try run.setLearningRate(1.5 * rate)
            try run.setBatchSize(.samples(4))
            let loop = try run.steps(6)
            while let step = try loop.next() { log.append("loop \(step)") }
            try run.setSetting("beta", 0.5)
            try run.train(TrainingGoal(step: run.programStep + 5))
            try run.setRule(try Adam(learningRate: 0.002))
            try run.train(TrainingGoal(epoch: run.programEpoch + 1))
        }
        let rule = try HeavyBall(learningRate: 0.01, factor: 0.8)
        var logs: [Int: [String]] = [:]
        let all = Array(1...26)
        var checkpoints: [Int: Data] = [:]
        let whole = try StateRun.make(rule)
        // Where the last step was left: just before the next one, as periodic checkpoints are.
        whole.atStepBoundary = { run in logs[run.step] = log }
        whole.makeFile = nil
        let taken = StateRun.Taken()
        whole.beforeStep = { run in taken.checkpoints[run.step] = try run.checkpointBytes() }
        try program(whole)
        checkpoints = taken.checkpoints
        let (end, full) = (whole.step, log)
        #expect(end > 22 && full.contains("at 12") && full.contains("when 15") && full.contains("every 21"))
        for step in all where step < end {
            let run = try StateRun.make(rule)
            try run.resume(from: try #require(checkpoints[step]), called: "step \(step)")
            log = []
            try program(run)
            // Loops take the rest, so that what they log is the rest, too.
            let before = full.count - log.count
            #expect(Array(full.dropFirst(before)) == log, "step \(step)")
            #expect(
                log.allSatisfy { Int($0.split(separator: " ")[1]).map { $0 > step } ?? false }, "step \(step): \(log)")
            try StateRun.expectSame(run, whole, "from step \(step)", from: step)
        }
    }

    /// Each part of a checkpoint, left out when it is written and when it is read, changes what follows.
    private static let stop = 10

    @Test func everyPartIsMissed() throws {
        let rule = try Adam(learningRate: 0.003)
        let names = ["eigenvector_angle", "u_coordinate", "loss", "test_loss"]
        func program(_ run: Run) throws {
            try run.track(ProbeCatalogue.probe("lambda_max", ["k": 2], for: run), every: 2)
            for name in names { try run.track(ProbeCatalogue.probe(name, for: run), every: 2) }
            try run.track(ProbeCatalogue.probe("second_moment_contraction", ["max_samples": 6], for: run), every: 2)
            try run.track(ProbeCatalogue.probe("gradient_cosine", for: run), every: 1)
            try run.track(StepSharpness(average: 20), every: 1)
            for name in ["preconditioned_lambda_max", "one_step_loss_change", "lambda_max_gn"] {
                try run.track(ProbeCatalogue.probe(name, for: run), Cadence(.every(1), budget: 0.9))
            }
            // Asked before a step, of what was computed at the point that it leaves.
            try run.track(
                ProbeCatalogue.probe("step_batch_lambda_max", for: run),
                Cadence(
                    .every(1),
                    when: { run in
                        _ = (try run.evaluation(), try run.testEvaluation(), try run.gradient())
                        return (run.batchLoss ?? 0) > 0
                    }))
            _ = (try run.average(decay: 0.9), try run.average(decay: nil, every: 3), try run.midpoint())
            try run.every(5) { run in try run.setLearningRate(run.learningRate * 0.99) }
            func isThird(_ run: Run) -> Bool { run.step % 3 == 0 }
            try run.when(isThird, every: 3) { run in try run.setBatchSize(.samples(3 + run.step / 12)) }
            try run.at(6) { run in
                try run.setRule(try Adam(learningRate: 0.002, momentumFactor: 0.8, weightDecay: 0.01))
            }
            try run.at(7) { run in try run.setParameters(0.9 * run.parameters) }
            // Of the midpoint's last three points, one of which is taken after the checkpoint.
            try run.at(Self.stop + 1) { run in
                let midpoint = run.averages[2]
                try run.setLearningRate(1e-4 * (midpoint.parameters.norm() + midpoint.statistics.norm()))
            }
            try run.train(TrainingGoal(step: 2))
            try run.setLearningRate(0.004)
            try run.train(TrainingGoal(step: 15))
        }
        func execute(omitting omitted: Set<String> = [], from bytes: Data? = nil, until stop: Int? = nil) throws -> Run
        {
            let run = try StateRun.make(rule, batch: .samples(4))
            run.omittedFromCheckpoints = omitted
            if let bytes { try run.resume(from: bytes, called: "a checkpoint") }
            if let stop {
                run.beforeStep = { run in if run.step == stop { throw StateRun.Stop() } }
                #expect(throws: StateRun.Stop.self) { try program(run) }
                run.beforeStep = nil
            } else {
                try program(run)
            }
            return run
        }
        let whole = try StateRun.summary(of: execute(), after: Self.stop)
        let bytes = try execute(until: Self.stop).checkpointBytes()
        #expect(try StateRun.summary(of: execute(from: bytes), after: Self.stop) == whole)
        let parts = try Checkpoint(bytes, called: "a checkpoint").reading(for: StateRun.make(rule).objective.model)
        // What is nothing yet cannot be missed.
        let values = parts.values.filter { !["0", "false", "[]", "null", "{}"].contains($0.value.words) }
        let coded = Set(values.keys).union(parts.vectors.keys).map { name in
            // The vectors of a list are left out together.
            name.replacing(/(?<list>vectors|start|directions)\.[0-9]+$/) { String($0.output.list) }
        }
        #expect(Set(coded).count > 80)
        func kind(_ name: String) -> String { name.replacing(/\.[0-9]+/, with: ".N") }
        // Of a part that several have (of each tracker the next step), one who misses it is enough.
        var unnoticed: Set<String> = []
        var missed: Set<String> = []
        for name in Set(coded).sorted() where !StateRun.describing.contains(where: name.hasSuffix) {
            if missed.contains(kind(name)) { continue }
            // Either the checkpoint cannot be read, or what follows is something else.
            let noticed: Bool
            do {
                let partial = try execute(omitting: [name], until: Self.stop).checkpointBytes()
                noticed = try StateRun.summary(of: execute(omitting: [name], from: partial), after: Self.stop) != whole
            } catch { noticed = true }
            if noticed { missed.insert(kind(name)) } else { unnoticed.insert(name) }
        }
        for name in unnoticed.sorted() where !missed.contains(kind(name)) { Issue.record("nobody misses '\(name)'") }
        // In a checkpoint that was written whole, and lost a part since, the loss is an error.
        for name in parts.values.keys.sorted() where !name.hasPrefix("edges.") {
            var values = parts.values
            values[name] = nil
            let coder = StateCoder(reading: values, parts.vectors)
            let run = try StateRun.make(rule, batch: .samples(4))
            #expect(throws: ExperimentError.self, "'\(name)' is lost") {
                try run.resume(from: coder)
                try program(run)
            }
        }
    }

    /// A goal that is looked at where `loss` was measured: here too, though nothing is measured again.
    @Test func goalsThatWereReachedAtTheCheckpoint() throws {
        func run(_ bytes: Data?, omitting: Set<String> = []) throws -> (run: Run, checkpoint: Data?) {
            let run = try StateRun.make(SGD(learningRate: 0.02))
            run.omittedFromCheckpoints = omitting
            if let bytes { try run.resume(from: bytes, called: "a checkpoint") }
            try run.track(ProbeCatalogue.probe("loss", for: run), every: 7)
            var taken: Data?
            run.atStepBoundary = { run in if run.step == 14 { taken = try run.checkpointBytes() } }
            let loss = try StateRun.lossOfStep14.get()
            #expect(try run.train(TrainingGoal(step: 30, loss: loss)) == .loss || !omitting.isEmpty)
            return (run, taken)
        }
        let (whole, bytes) = try run(nil)
        #expect(whole.step == 14)
        #expect(try run(bytes).run.step == 14)
        let partial: Set = ["tracker.1.last_measured"]
        #expect(try run(run(nil, omitting: partial).checkpoint, omitting: partial).run.step > 14)
    }

    /// Where a solve was made, which is a start for another one up to a hundred steps later.
    @Test func startsOfSolves() throws {
        func run(_ bytes: Data?, omitting: Set<String> = [], until stop: Int? = nil) throws -> Run {
            let run = try StateRun.make(SGD(learningRate: 0.02))
            run.omittedFromCheckpoints = omitting
            if let bytes { try run.resume(from: bytes, called: "a checkpoint") }
            for name in ["lambda_max", "second_moment_contraction"] {
                try run.track(ProbeCatalogue.probe(name, for: run), .at([90, 180]))
            }
            run.beforeStep = { run in if run.step == stop { throw StateRun.Stop() } }
            do { try run.train(TrainingGoal(step: 180)) } catch is StateRun.Stop {}
            return run
        }
        let whole = try StateRun.summary(of: run(nil), after: 100)
        #expect(try StateRun.summary(of: run(run(nil, until: 100).checkpointBytes()), after: 100) == whole)
        for name in ["warm.start.1.step", "tracker.2.probe.step"] {
            let partial = try run(nil, omitting: [name], until: 100).checkpointBytes()
            #expect(try StateRun.summary(of: run(partial, omitting: [name]), after: 100) != whole, "\(name)")
        }
    }

    /// θₜ₋₁ is for those who look at the step of the checkpoint.
    @Test func measuringAtTheCheckpoint() throws {
        func run(_ bytes: Data?, omitting: Set<String> = []) throws -> Run {
            let run = try StateRun.make(SGD(learningRate: 0.02))
            run.omittedFromCheckpoints = omitting
            if let bytes { try run.resume(from: bytes, called: "a checkpoint") }
            try run.track(ProbeCatalogue.probe("update_norm", for: run), every: 1)
            try run.train(TrainingGoal(step: 5))
            return run
        }
        func norm(_ run: Run) throws -> Double { try run.measure("update_norm")[0].value }
        let whole = try run(nil)
        #expect(try norm(run(whole.checkpointBytes())) == norm(whole) && norm(whole) > 0)
        let partial: Set = ["point.previous"]
        #expect(throws: ExperimentError.self) { try run(run(nil, omitting: partial).checkpointBytes()) }
    }

    /// What is fixed in a model is state where it is the point of an expansion or restriction: a fork that is made again stands
    /// elsewhere.
    @Test func thePointOfAnotherObjective() throws {
        func fork(_ kind: ForkObjective, at step: Int, omitting: Set<String> = []) throws -> Run {
            let parent = try SmallRun.make(rate: 0.05)
            try parent.train(TrainingGoal(step: step))
            let fork = try parent.fork(name: "expanded", on: kind)
            fork.omittedFromCheckpoints = omitting
            return fork
        }
        func program(_ run: Run) throws {
            try run.track(ProbeCatalogue.probe("lambda_max", for: run), every: 3)
            try run.track(ProbeCatalogue.probe("loss", for: run), every: 1)
            try run.train(TrainingGoal(step: 15))
        }
        for kind in Expansion.allCases.map(ForkObjective.expansion) + [.restriction(.bulkSubspace, k: 2)] {
            for omitted: Set<String> in [[], ["point.fixed"]] {
                var bytes: Data?
                let whole = try fork(kind, at: 5, omitting: omitted)
                whole.atStepBoundary = { run in if run.step == 10 { bytes = try run.checkpointBytes() } }
                try program(whole)
                let again = try fork(kind, at: 2, omitting: omitted)
                try again.resume(from: try #require(bytes), called: "step 10")
                try program(again)
                let same = again.parameters.hasSameBits(as: whole.parameters)
                #expect(same == omitted.isEmpty, "\(kind)")
                if omitted.isEmpty { try StateRun.expectSame(again, whole, "\(kind)", from: 10) }
            }
        }
    }

    @Test func whatCannotBeResumed() throws {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        let rule = try Adam(learningRate: 0.003)
        func make() throws -> Run { try StateRun.make(rule) }
        let run = try make()
        try run.track(ProbeCatalogue.probe("loss", for: run), every: 2)
        try run.train(TrainingGoal(step: 6))
        let loop = try run.steps(3)
        while try loop.next() != nil { _ = try run.reading("batch_loss") { run.batchLoss } }
        try run.setLearningRate(0.001)
        try run.train(TrainingGoal(step: 20))
        let bytes = try run.checkpointBytes()
        func resumed(_ program: (Run) throws -> Void) -> String {
            message {
                let run = try make()
                try run.resume(from: bytes, called: "a checkpoint")
                try program(run)
            }
        }
        let tracks: (Run) throws -> Void = { try $0.track(ProbeCatalogue.probe("loss", for: $0), every: 2) }
        #expect(
            resumed { run in
                try tracks(run)
                try run.train(TrainingGoal(step: 6))
                _ = try run.steps(3)
            }.contains("reads what its run measured"))
        #expect(
            resumed { run in
                try tracks(run)
                try run.setLearningRate(0.1)
            }.contains("now lr = 0.1 at step 0, then a training at step 0"))
        #expect(
            resumed { try $0.track(ProbeCatalogue.probe("loss", for: $0), every: 3) }.contains("tracks something else"))
        #expect(
            resumed { try $0.track(ProbeCatalogue.probe("accuracy", for: $0), every: 2) }.contains("something else"))
        #expect(resumed { try $0.train(TrainingGoal(step: 7)) }.contains("trains to another goal"))
        #expect(
            resumed { run in
                try tracks(run)
                try run.train(TrainingGoal(step: 6))
                try run.requirePresent("the gradient")
            }.contains("the gradient of step 6 is gone"))
        // A fork of a step that is past is nobody's to make up.
        let parent = try make()
        try parent.train(TrainingGoal(step: 3))
        _ = try parent.fork(name: "fork")
        try parent.train(TrainingGoal(step: 6))
        let later = try parent.checkpointBytes()
        #expect(
            message {
                let run = try make()
                try run.resume(from: later, called: "a checkpoint")
                try run.train(TrainingGoal(step: 3))
                _ = try run.fork(name: "fork")
            }.contains("the fork 'fork' left run 'normalised'"))
        let other = try SmallRun.make()
        #expect(message { try other.resume(from: bytes, called: "a checkpoint") }.contains("is not of this model"))
        let plain = try ArrayFile.safetensors(
            run.objective.model.arrays(of: run.parameters, statistics: run.statistics()))
        #expect(
            message { try make().resume(from: plain, called: "plain.safetensors") }.contains(
                "is no checkpoint of a run"))
        // Every truncation is an error.
        for count in stride(from: 0, to: bytes.count, by: 997) {
            #expect(message { try make().resume(from: bytes.prefix(count), called: "cut") } != "")
        }
    }
}
