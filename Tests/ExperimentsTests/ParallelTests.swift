import Compute
import Dynamics
import Foundation
import Objectives
import Synchronization
import Testing

@testable import Experiments

/// Runs that train side by side have the bits that they have one after the other.
@Suite struct Parallels {
    /// A run and two forks of it, which share its vectors until one of them writes.
    private func runs(_ rule: any UpdateRule, _ engine: Engine) throws -> [Run] {
        let run = try StateRun.make(rule, engine)
        for name in ["loss", "lambda_max", "batch_sharpness"] {
            try run.track(SmallRun.probe(name, for: run), every: 3)
        }
        try run.track(StepSharpness(average: 5), every: 1)
        try run.train(TrainingGoal(step: 7))
        let forks = try ["same", "fast"].map { try run.fork(name: $0) }
        try forks[1].setLearningRate(2 * run.learningRate)
        return [run] + forks
    }

    /// Compiles once for all tests here.
    private static let engine = Result { try Engine(threads: 3) }
    private func engine() throws -> Engine { try Self.engine.get() }

    @Test func theSameBits() throws {
        let rule = StateRun.rules[1]
        let goals = [14, 20, 17].map { TrainingGoal(step: $0) }
        let alone = try runs(rule, engine())
        let one = try zip(alone, goals).map { try $0.train($1) }
        for threads in [1, 2] {
            let together = try runs(rule, engine())
            // What others hold of them stays theirs.
            let before = together.map(\.parameters)
            let held = before.map(\.values)
            let parallel = try Parallel(Array(zip(together, goals)), threads: threads)
            #expect(try parallel.train() == one)
            for (a, b) in zip(together, alone) { try StateRun.expectSame(a, b, "\(threads), \(a.name)", from: 0) }
            #expect(before.map(\.values) == held)
            #expect(try together.allSatisfy { try $0.custody == nil && $0.engine === engine() })
            // They go on as any other.
            for run in together { try run.train(TrainingGoal(step: 22)) }
            #expect(together[0].parameters.hasSameBits(as: together[1].parameters))
        }
    }

    /// Copies on write, by several threads at once, of vectors that all of them have.
    @Test func vectorsAreCopiedByWhoeverWritesThem() throws {
        let shared = try Vector(zeros: 5000, element: .f64)
        let sums = Mutex<[Double]>([])
        DispatchQueue.concurrentPerform(iterations: 64) { number in
            var own = shared
            for _ in 0..<20 {
                let kept = own
                try? own.add(Double(number), try Vector([Double](repeating: 1, count: 5000), element: .f64))
                sums.withLock { $0.append(own[0] - kept[4999] - Double(number)) }
            }
        }
        #expect(sums.withLock { $0.count == 64 * 20 && $0.allSatisfy { $0 == 0 } })
        #expect(shared.values.allSatisfy { $0 == 0 })
    }

    /// What the program does of its own is done on its thread, for one run at a time; other runs are refused there.
    @Test func programsSeeOneRunAtATime() throws {
        let runs = try runs(StateRun.rules[1], engine())
        let home = Thread.current
        var refused = 0
        var seen: [String: [Int]] = [:]
        for run in runs {
            try run.every(1) { run in
                #expect(HandOver.isElsewhere && Thread.current !== home)
                try HandOver.perform {
                    #expect(Thread.current === home && !HandOver.isElsewhere)
                    #expect(run.custody?.isHere == true)
                    _ = try run.gradient()
                    seen[run.name, default: []].append(run.step)
                    for other in runs where other !== run {
                        #expect(throws: CustodyError.self) {
                            try other.oracle.gradient(at: other.objective.model.initial)
                        }
                        refused += 1
                    }
                    #expect(throws: ExperimentError.self) { try Parallel([(run, TrainingGoal(step: 99))]).train() }
                }
            }
        }
        _ = try Parallel(runs.map { ($0, TrainingGoal(step: 12)) }).train()
        #expect(seen.count == 3 && seen.values.allSatisfy { $0 == [8, 9, 10, 11, 12] } && refused == 30)
    }

    /// Where one fails the others stop between two steps, and go on from there as if nothing had been.
    @Test func aFailureStopsAll() throws {
        let rule = StateRun.rules[1]
        let (runs, alone) = (try runs(rule, engine()), try runs(rule, engine()))
        try runs[1].at(9) { _ in throw ExperimentError.invalid("a reason") }
        let failure = #expect(throws: Parallel.Failure.self) {
            try Parallel(runs.map { ($0, TrainingGoal(step: 100_000)) }).train()
        }
        #expect(failure.map { "\($0)" } == "run 'same': a reason")
        #expect(runs[1].step == 9 && runs[0].step < 100_000 && runs[2].step < 100_000)
        for (run, other) in [(runs[0], alone[0]), (runs[2], alone[2])] {
            let end = TrainingGoal(step: run.step + 3)
            try run.train(end)
            try other.train(end)
            #expect(run.parameters.hasSameBits(as: other.parameters))
        }
        try runs[2].setLearningRate(1e200)
        let diverged = #expect(throws: Parallel.Failure.self) {
            try Parallel([(runs[0], TrainingGoal(step: 100_000)), (runs[2], TrainingGoal(step: 100_000))]).train()
        }
        #expect(diverged.map { "\($0)" }?.hasPrefix("run 'fast' diverged: at step") == true)
    }

    /// All that go on meet between two steps when one of them asks for it.
    @Test func meetings() throws {
        let runs = try runs(StateRun.rules[1], engine())
        for run in runs {
            run.atStepBoundary = { run in if run.step == 10 { try HandOver.meet() } }
        }
        let parallel = try Parallel(runs.map { ($0, TrainingGoal(step: 14)) })
        var met: [[Int]] = []
        parallel.atMeeting = { runs in
            met.append(runs.map(\.step))
            // Everything may be looked at.
            for run in runs { _ = try run.evaluation() }
        }
        _ = try parallel.train()
        #expect(met == [[10, 10, 10]])
        for run in runs { run.atStepBoundary = { _ in try HandOver.meet() } }
        let stopped = try Parallel(runs.map { ($0, TrainingGoal(step: 20)) })
        stopped.atMeeting = { _ in throw ExperimentError.invalid("stopped") }
        #expect(throws: Parallel.Failure.self) { try stopped.train() }
        #expect(runs.map(\.step) == [15, 15, 15])
    }

    @Test func whatDoesNotGo() throws {
        let run = try SmallRun.make()
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(message { _ = try Parallel([]) }.contains("no run to train"))
        let goal = TrainingGoal(step: 1)
        #expect(message { _ = try Parallel([(run, goal), (run, goal)]) }.contains("in the list twice"))
        // Where one is refused, those before it in the list have not begun.
        let busy = try SmallRun.make()
        busy.isMeasuring = true
        #expect(message { _ = try Parallel([(run, goal), (busy, goal)]).train() }.contains("probe"))
        #expect(run.journal.entries.isEmpty && run.step == 0)
        busy.isMeasuring = false
        #expect(try Parallel([(run, goal), (busy, goal)]).train() == [.step, .step])
    }
}
