import Compute
import Curvature
import Dynamics
import Foundation
import Testing

@testable import Experiments

@Suite struct CancellationTests {
    /// Tracked: what keeps something between measurements, what is sampled, and a budget, whose steps follow from costs.
    private func tracked() throws -> Run {
        let run = try SmallRun.make()
        let often = try Cadence(.every(3))
        try run.track(LambdaMax(EigenSettings(k: 2)), often)
        try run.track(EigenvectorAngle(), often)
        try run.track(SecondMomentContraction(), often)
        try run.track(GradientCosine(), often)
        try run.track(StabilizationProbe(.selfStabilization), often)
        try run.track(BatchSharpness(), Cadence(.every(2), budget: 0.5))
        try run.track(StepSharpness(), often)
        return run
    }

    private func numbers(_ run: Run) throws -> [String: [Double]] {
        var all: [String: [Double]] = [:]
        for name in run.seriesNames {
            let series = try run.series(name)
            all[name] = series.steps.map(Double.init) + series.values + series.standardErrors
        }
        return all
    }

    /// Somebody asks again and again, at any moment, each time after twice as long: what comes out is what would have come out.
    @Test func aTrainingThatIsInterruptedAnywhereHasTheSameBits() throws {
        let plain = try tracked()
        try plain.train(TrainingGoal(step: 20))

        let run = try tracked()
        let cancellation = Cancellation()
        cancellation.request()
        let finished = Cancellation()
        let thread = Thread {
            var wait: UInt32 = 500
            while !finished.isRequested {
                usleep(wait)
                cancellation.request()
                wait = min(2 * wait, 200_000)
            }
        }
        var answers = 0
        run.atCancellation = { _ in
            answers += 1
            cancellation.clear()
        }
        thread.start()
        try Cancellation.$current.withValue(cancellation) { _ = try run.train(TrainingGoal(step: 20)) }
        finished.request()
        #expect(answers > 0)
        #expect(run.parameters.hasSameBits(as: plain.parameters))
        let (expected, actual) = (try numbers(plain), try numbers(run))
        for (name, values) in expected {
            #expect(actual[name]?.map(\.bitPattern) == values.map(\.bitPattern), "\(name)")
        }
        #expect(run.work == plain.work, "budgets count what has happened")
    }

    /// A step that takes long is left on its way, as one program or in pieces, and has not happened.
    @Test(arguments: [100_000, 500]) func aStepIsWholeOrHasNotHappened(_ ghostBatch: Int) throws {
        func make() throws -> Run {
            try SmallRun.normalised(
                under: HeavyBall(learningRate: 0.01), batch: .full, ghostBatch: ghostBatch, width: 200, count: 4_000)
        }
        let (plain, run) = (try make(), try make())
        // Plans are made, and the state is no longer empty.
        for run in [plain, run] { try run.train(TrainingGoal(step: 1)) }
        let finished = Cancellation()
        let cancellation = Cancellation()
        var (left, attempts) = (0, 0)
        let thread = Thread {
            var wait: UInt32 = 100
            while !finished.isRequested {
                usleep(wait)
                cancellation.request()
                wait = wait % 3_000 + 170
            }
        }
        thread.start()
        defer { finished.request() }
        try Cancellation.$current.withValue(cancellation) {
            while run.step < 4 || left < 20, attempts < 3_000 {
                attempts += 1
                // On a busy machine no step would come to its end.
                if left >= 20 { finished.request() }
                // As of a step of seconds.
                run.lastStep = (run.batchCount, 1)
                let (step, theta, statistics) = (run.step, run.parameters, try run.statistics())
                let (state, work) = (run.rule.state.vectors, run.work)
                cancellation.clear()
                do { try run.train(TrainingGoal(step: step + 1)) } catch is Cancelled {}
                if run.step > step { continue }
                left += 1
                #expect(run.parameters.hasSameBits(as: theta) && run.work == work)
                #expect(try run.statistics().hasSameBits(as: statistics))
                #expect(zip(run.rule.state.vectors, state).allSatisfy { $0.hasSameBits(as: $1) })
            }
        }
        #expect(left >= 20 && run.step >= 4, "\(left) of \(attempts) were left, step \(run.step)")
        try plain.train(TrainingGoal(step: run.step))
        #expect(run.parameters.hasSameBits(as: plain.parameters) && run.work == plain.work)
        #expect(try run.statistics().hasSameBits(as: plain.statistics()))
    }

    @Test func whatIsMeasuredByHandIsKeptAsFarAsItCame() throws {
        let run = try SmallRun.make()
        let before = run.parameters
        let probe = BatchSharpness(.mean, BatchSampling(relativeError: 0, minSamples: 1, maxSamples: 1 << 30))
        func measured(forMicroseconds time: UInt32) throws -> [Experiments.Measurement] {
            let cancellation = Cancellation()
            let thread = Thread {
                usleep(time)
                cancellation.request()
            }
            thread.start()
            return try Cancellation.$current.withValue(cancellation) {
                try Cancellation.$keepsUnfinished.withValue(true) { try run.measure(probe) }
            }
        }
        // Where nothing was found by then, on a busy machine, there is nothing to keep.
        var time: UInt32 = 100_000
        var found: [Experiments.Measurement]?
        while found == nil {
            do { found = try measured(forMicroseconds: time) } catch let error as Cancelled where time > 60_000_000 {
                throw error
            } catch is Cancelled { time *= 2 }
        }
        let measured = try #require(found)
        #expect(measured.count == 1 && !measured[0].isFinished)
        #expect((measured[0].samples ?? 0) > 0 && measured[0].value.isFinite)
        #expect(run.parameters.hasSameBits(as: before) && run.step == 0 && run.seriesNames.isEmpty)
    }

    @Test func withoutAnAnswerTheTrainingEndsAsItWas() throws {
        let run = try SmallRun.make()
        try run.track(LambdaMax(EigenSettings()), every: 1)
        let cancellation = Cancellation()
        cancellation.request()
        let before = run.parameters
        Cancellation.$current.withValue(cancellation) {
            #expect(throws: Cancelled.self) { try run.train(TrainingGoal(step: 5)) }
        }
        #expect(run.step == 0 && run.parameters.hasSameBits(as: before))
        #expect(try run.series("lambda_max").count == 0)
        try run.train(TrainingGoal(step: 5))
        #expect(try run.series("lambda_max").count == 6)
    }
}
