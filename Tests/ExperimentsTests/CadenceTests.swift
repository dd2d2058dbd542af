import Compute
import Dynamics
import Networks
import Testing

@testable import Experiments

@Suite struct Cadences {
    /// The steps from 0 to 40 at which a run with this cadence measures.
    private func measured(_ cadence: Cadence, to last: Int = 40, from first: Int = 0) throws -> [Int] {
        let run = try SmallRun.make()
        if first > 0 { try run.train(TrainingGoal(step: first)) }
        try run.track(ProbeCatalogue.probe("weight_norm", for: run), cadence)
        try run.train(TrainingGoal(step: last))
        return try run.series("weight_norm").steps
    }

    @Test func everyMeansItsMultiples() throws {
        #expect(try measured(.every(10)) == [0, 10, 20, 30, 40])
        #expect(try measured(.every(10), from: 3) == [10, 20, 30, 40])
        #expect(try measured(Cadence(), to: 3) == [0, 1, 2, 3])
    }

    @Test func singleStepsAreMeasuredOnceInTheirOrder() throws {
        #expect(try measured(.at([31, 4, 4, 0])) == [0, 4, 31])
        #expect(try measured(.at([31, 4, 0]), from: 4) == [4, 31])
        #expect(try measured(.at([1000])) == [])
    }

    @Test func singleStepsComeOnTopOfASpacing() throws {
        #expect(try measured(Cadence(.every(15), at: [15, 16, 40])) == [0, 15, 16, 30, 40])
    }

    /// By hand: spacings 2, 3, 4.5, 6, 6, … give sums 2, 5, 9.5, 15.5, and whole sixes from 15 on.
    @Test func spacingsGrowByTheirFactorUpToTheLargest() throws {
        #expect(try measured(.growing(first: 2, growth: 1.5, max: 6)) == [0, 2, 5, 9, 15, 21, 27, 33, 39])
        #expect(try measured(.growing(first: 2, growth: 1.5, max: 6), from: 10) == [15, 21, 27, 33, 39])
        #expect(try measured(.growing(first: 7, growth: 1)) == [0, 7, 14, 21, 28, 35])
    }

    @Test(arguments: [(10, 1.05, 500), (1, 1.001, 50), (3, 2.0, Int.max), (1, 1.3, 7), (5, 1.0, 5), (4, 1e6, 4)])
    func growingStepsIncreaseAndDependOnTheStepAlone(first: Int, growth: Double, max: Int) throws {
        let steps = try GrowingSteps(first: first, growth: growth, max: max)
        var cursor = steps.start
        var all = [0]
        while all.count < 300, cursor.step < 1_000_000 {
            steps.advance(&cursor, to: cursor.step + 1)
            all.append(cursor.step)
        }
        for (a, b) in zip(all, all.dropFirst()) {
            #expect(b > a && b - a <= max)
        }
        #expect(all[1] == first)
        // Each spacing is the one before times the growth, up to the rounding of both ends to whole steps.
        for i in 2..<all.count where all[i] - all[i - 1] < max - 1 {
            let (before, after) = (Double(all[i - 1] - all[i - 2]), Double(all[i] - all[i - 1]))
            #expect(after < growth * (before + 1) + 1 && after > growth * (before - 1) - 1)
        }
        // A walk that begins anywhere meets the same steps.
        let cadence = try Cadence(.growing(steps))
        for start in [0, 1, first, 37, all[all.count / 2], all[all.count / 2] + 1] {
            var walk = cadence.walk
            #expect(walk.next(from: start) == all.first { $0 >= start })
            // And going back is no different from beginning anew.
            _ = walk.next(from: 900_000)
            #expect(walk.next(from: start) == all.first { $0 >= start })
        }
    }

    @Test func stepsBeyondEveryIntegerEndTheWalk() throws {
        for cadence in try [Cadence.every(.max), .growing(first: 1, growth: 1e300), .growing(first: .max, growth: 1)] {
            var walk = cadence.walk
            #expect(walk.next(from: 0) == 0)
            #expect(walk.next(from: Int.max - 5) == .max)
        }
        var walk = try Cadence.growing(first: 2, growth: 1).walk
        #expect(walk.next(from: 4_000_000_000_000_000_001) == 4_000_000_000_000_000_002)
    }

    @Test func aConditionIsAskedOnceAtEachStepThatTheSpacingAllows() throws {
        let run = try SmallRun.make()
        var asked: [Int] = []
        try run.track(
            ProbeCatalogue.probe("loss", for: run),
            Cadence(
                .every(4),
                when: { run in
                    asked.append(run.step)
                    return run.step % 3 == 0
                }))
        try run.train(TrainingGoal(step: 8))
        try run.train(TrainingGoal(step: 24))
        #expect(asked == [0, 4, 8, 12, 16, 20, 24])
        #expect(try run.series("loss").steps == [0, 12, 24])
    }

    @Test func aConditionMayMeasureButNotTrain() throws {
        let run = try SmallRun.make()
        try run.track(
            ProbeCatalogue.probe("weight_norm", for: run),
            Cadence(.every(2), when: { try $0.measure("lambda_max")[0].value > 0 }))
        try run.train(TrainingGoal(step: 4))
        #expect(try run.series("weight_norm").count == 3)
        let bad = try SmallRun.make()
        try bad.track(
            ProbeCatalogue.probe("loss", for: run),
            Cadence(when: { run in
                try run.advance()
                return true
            }))
        #expect(throws: ExperimentError.self) { try bad.train(TrainingGoal(step: 4)) }
        #expect(bad.step == 0)
    }

    private struct Refused: Error {}

    @Test func aConditionThatFailsStopsTheRunWhereItStandsAndIsAskedAgain() throws {
        let run = try SmallRun.make()
        var fails = true
        try run.track(
            ProbeCatalogue.probe("loss", for: run),
            Cadence(
                .every(3),
                when: { run in
                    if run.step == 6, fails { throw Refused() }
                    return true
                }))
        #expect(throws: Refused.self) { try run.train(TrainingGoal(step: 9)) }
        #expect(run.step == 6)
        fails = false
        try run.train(TrainingGoal(step: 9))
        #expect(try run.series("loss").steps == [0, 3, 6, 9])
    }

    @Test func probesOfAStepFollowAnyCadence() throws {
        let run = try SmallRun.make()
        var asked: [Int] = []
        try run.track(
            StepSharpness(),
            Cadence(
                .growing(try GrowingSteps(first: 2, growth: 1.5, max: 6)), at: [1],
                when: { run in
                    asked.append(run.step)
                    return run.step != 4
                }))
        try run.train(TrainingGoal(step: 20))
        // The condition is asked at θₜ₋₁, before the step.
        #expect(asked == [0, 1, 4, 8, 14])
        #expect(try run.series("step_sharpness").steps == [1, 2, 9, 15])
    }

    /// `stop_loss` looks where the loss is measured, whatever the cadence.
    @Test func aLossGoalLooksWhereTheLossIsMeasured() throws {
        for (cadence, expected) in [(try Cadence.at([7, 13]), 7), (try .growing(first: 3, growth: 2), 3)] {
            let run = try SmallRun.make()
            try run.train(TrainingGoal(step: 1))
            try run.track(ProbeCatalogue.probe("loss", for: run), cadence)
            #expect(try run.train(TrainingGoal(step: 500, loss: 1e9)) == .loss)
            #expect(run.step == expected)
        }
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("loss", for: run), Cadence(when: { $0.step == 11 }))
        #expect(try run.train(TrainingGoal(step: 500, loss: 1e9)) == .loss)
        #expect(run.step == 11)
    }

    /// Loss and accuracy are looked at at the multiples of `checkEvery`, and where one of the two is tracked; without either every
    /// 100 steps. A goal that holds everywhere tells the first look.
    @Test func aLossGoalIsLookedAtAsOftenAsIsAsked() throws {
        let cases: [(tracked: String?, every: Int?, from: Int, expected: Int)] = [
            (nil, nil, 1, 100), (nil, 1, 1, 1), (nil, 7, 1, 7), (nil, 7, 8, 14), ("loss", nil, 1, 12),
            ("loss", 5, 1, 5), ("loss", 40, 1, 12), ("weight_norm", nil, 1, 100),
        ]
        for (tracked, every, from, expected) in cases {
            let run = try SmallRun.make()
            try run.train(TrainingGoal(step: from))
            if let tracked { try run.track(ProbeCatalogue.probe(tracked, for: run), .at([12])) }
            #expect(try run.train(TrainingGoal(step: 500, loss: 1e9, checkEvery: every)) == .loss)
            #expect(run.step == expected, "\(tracked ?? "nothing") \(every ?? 0)")
        }
    }

    @Test func noCadenceDisturbsTheTraining() throws {
        let plain = try SmallRun.make(element: .f32)
        try plain.train(TrainingGoal(step: 60))
        let cadences: [Cadence] = [
            try .every(7), try .at([3, 50]), try .growing(first: 1, growth: 1.2, max: 9),
            try Cadence(when: { $0.step % 5 == 1 }),
            try Cadence(budget: 0.3), try Cadence(.every(4), at: [5], when: { $0.step != 8 }, budget: 0.3),
        ]
        for cadence in cadences {
            let run = try SmallRun.make(element: .f32)
            for name in ["loss", "lambda_max", "batch_sharpness", "step_sharpness", "update_norm"] {
                try run.track(ProbeCatalogue.probe(name, for: run), cadence)
            }
            for step in [20, 33, 60] {
                try run.train(TrainingGoal(step: step))
                try run.track(CustomProbe("at \(step)") { try $0.measure(BatchSharpness())[0].value }, cadence)
            }
            #expect(run.parameters.hasSameBits(as: plain.parameters))
        }
    }

    @Test func aCadenceIsTheSameWhateverHappensInBetween() throws {
        let plain = try SmallRun.make()
        let busy = try SmallRun.make()
        for run in [plain, busy] {
            try run.track(ProbeCatalogue.probe("weight_norm", for: run), .growing(first: 2, growth: 1.3, max: 9))
            try run.track(ProbeCatalogue.probe("update_norm", for: run), .every(6))
        }
        try plain.train(TrainingGoal(step: 60))
        try busy.at(13) { try $0.setBatchSize(.samples(7)) }
        try busy.at(14) { try $0.setLearningRate(0.01) }
        try busy.at(15) { try $0.setParameters($0.parameters) }
        for step in [1, 2, 2, 30] { try busy.train(TrainingGoal(step: step)) }
        try busy.setBatchSize(.full)
        for _ in 0..<30 { try busy.advance() }
        try busy.train(TrainingGoal(step: 60))
        for name in ["weight_norm", "update_norm"] {
            #expect(try busy.series(name).steps == plain.series(name).steps)
        }
    }

    /// ‖θ_t − θₜ₋₁‖ = η‖g_B‖ wherever it is asked for, though θₜ₋₁ is kept only for the steps that need it.
    @Test func theParametersBeforeTheStepAreThereWhenAsked() throws {
        let all = try SmallRun.make()
        try all.track(ProbeCatalogue.probe("update_norm", for: all), .every(1))
        try all.train(TrainingGoal(step: 12))
        let some = try SmallRun.make()
        try some.track(ProbeCatalogue.probe("update_norm", for: some), .at([5, 11]))
        try some.train(TrainingGoal(step: 12))
        let values = try all.series("update_norm").values
        #expect(try some.series("update_norm").values == [values[5], values[11]])
        #expect(some.previousParameters == nil)
    }

    @Test func numbersThatCannotBeAreRefusedWithTheirReason() throws {
        func message(_ body: () throws -> Cadence) -> String {
            do { return "\(try body())" } catch { return "\(error)" }
        }
        #expect(message { try .every(0) } == "every must be at least 1, not 0")
        #expect(message { try .at([3, -1]) }.contains("there is no step -1"))
        #expect(message { try .growing(first: 0, growth: 1.1) }.contains("first must be at least 1"))
        #expect(message { try .growing(first: 5, growth: 0.9) }.contains("at least 1, not 0.9"))
        #expect(message { try .growing(first: 5, growth: .nan) }.contains("growth"))
        #expect(message { try .growing(first: 5, growth: 1.1, max: 4) }.contains("the largest spacing, is 4"))
        for share in [0, 1, -0.5, .nan] { #expect(message { try Cadence(budget: share) }.contains("between 0 and 1")) }
        #expect(message { try Cadence(at: [1], budget: 0.1) }.contains("give 'every' as well"))
    }
}
