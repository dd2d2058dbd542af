import Compute
import Dynamics
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Experiments

@Suite struct Training {
    @Test func aPointProbeIsMeasuredAtStepZeroAndEveryKSteps() throws {
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("loss", for: run), every: 4)
        try run.train(TrainingGoal(step: 10))
        #expect(try run.series("loss").steps == [0, 4, 8])
        try run.train(TrainingGoal(step: 12))
        #expect(try run.series("loss").steps == [0, 4, 8, 12])
        #expect(run.step == 12)
    }

    @Test func aStepProbeIsTakenBeforeTheStepAndRecordedAtItsNumber() throws {
        let run = try SmallRun.make()
        try run.track(StepSharpness(), every: 3)
        try run.train(TrainingGoal(step: 7))
        #expect(try run.series("step_sharpness").steps == [3, 6])

        // The same, by hand: θ₂ and the batch of step 3.
        let other = try SmallRun.make()
        try other.train(TrainingGoal(step: 2))
        var sampler = other.sampler
        let batch = sampler.next(4) { Array($0) }
        let (_, gradient) = try other.oracle.gradient(at: other.parameters, over: .indices(batch))
        let product = try other.oracle.directional(at: other.parameters, along: [gradient], over: .indices(batch))
        let expected = try gradient.dot(product) / gradient.squaredNorm
        #expect(abs(try run.series("step_sharpness").values[0] / expected - 1) < 1e-10)
    }

    @Test func measuringDoesNotChangeTheTraining() throws {
        let plain = try SmallRun.make()
        try plain.train(TrainingGoal(step: 40))
        let measured = try SmallRun.make()
        for name in ["loss", "test_loss", "lambda_max", "batch_sharpness", "step_sharpness", "hessian_trace"] {
            try measured.track(ProbeCatalogue.probe(name, for: measured), every: 5)
        }
        try measured.train(TrainingGoal(step: 40))
        #expect(measured.parameters.hasSameBits(as: plain.parameters))
    }

    /// Whatever a quantity of the user's own tries to change, in itself or in its condition, is refused, and the training goes on as if
    /// nothing were measured. The control: an action may, and the training is another one.
    @Test(arguments: ["lr", "batch_size", "optimizer", "params", "statistics", "at", "train", "advance"])
    func whatIsMeasuredCannotChangeTheTraining(setting: String) throws {
        @Sendable func change(_ run: Run) throws {
            switch setting {
            case "lr": try run.setLearningRate(2 * run.learningRate)
            case "batch_size": try run.setBatchSize(.samples(6))
            case "optimizer": try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.5))
            case "params": try run.setParameters(0.5 * run.parameters)
            case "statistics": try run.setStatistics(run.statistics())
            case "at": try run.at(run.step + 1) { try $0.setLearningRate(0.5) }
            case "train": try run.train(TrainingGoal(step: run.step + 1))
            default: try run.advance()
            }
        }
        func trained(_ prepare: (Run) throws -> Void) throws -> Vector {
            let run = try SmallRun.make()
            try prepare(run)
            try run.train(TrainingGoal(step: 12))
            #expect(run.step == 12)
            return run.parameters
        }
        let plain = try trained { _ in }
        var refusals = 0
        func refused(_ run: Run) {
            let error = #expect(throws: ExperimentError.self) { try change(run) }
            if let error, "\(error)".contains("cannot be changed from within a probe") { refusals += 1 }
        }
        let measured = try trained { run in
            let probe = CustomProbe("mine") { run in
                refused(run)
                return 0
            }
            let condition: Cadence.Condition = { run in
                refused(run)
                return true
            }
            try run.track(probe, Cadence(.every(5), when: condition))
        }
        #expect(refusals == 6, "at steps 0, 5 and 10, twice each")
        #expect(measured.hasSameBits(as: plain))
        guard !["statistics", "train", "advance"].contains(setting) else { return }
        #expect(try !trained { try $0.at(5, change) }.hasSameBits(as: plain), "the control")
    }

    @Test func anActionComesAfterTheProbesOfItsStepAndBeforeTheNext() throws {
        let run = try SmallRun.make(rate: 0.02)
        try run.track(ProbeCatalogue.probe("edge", for: run), every: 1)
        var seen: [Int] = []
        try run.at(3) { run in
            seen.append(run.step)
            try run.setLearningRate(0.04)
        }
        try run.train(TrainingGoal(step: 5))
        #expect(seen == [3])
        #expect(try run.series("edge").values == [100, 100, 100, 100, 50, 50])
        #expect(abs(run.time - (3 * 0.02 + 2 * 0.04)) < 1e-15)
    }

    @Test func anActionMayMeasureTrainAndRegisterOthers() throws {
        let run = try SmallRun.make()
        var log: [String] = []
        try run.at(2) { run in
            log.append("two")
            _ = try run.measure(BatchSharpness())
            try run.at(2) { _ in log.append("two again") }
            try run.at(4) { _ in log.append("four") }
        }
        try run.train(TrainingGoal(step: 6))
        #expect(log == ["two", "two again", "four"])
        #expect(throws: ExperimentError.self) { try run.at(5) { _ in } }
    }

    @Test func aProbeCannotTrain() throws {
        let run = try SmallRun.make()
        try run.track(
            CustomProbe("bad") {
                try $0.advance()
                return 0
            }, every: 1)
        #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 3)) }
        #expect(run.step == 0)
    }

    @Test func trainingInPiecesGivesTheSameBits() throws {
        let whole = try SmallRun.make(element: .f32)
        try whole.train(TrainingGoal(step: 30))
        let pieces = try SmallRun.make(element: .f32)
        for end in [1, 7, 8, 30] { try pieces.train(TrainingGoal(step: end)) }
        #expect(pieces.parameters.hasSameBits(as: whole.parameters))
    }

    @Test func goals() throws {
        let run = try SmallRun.make()
        // 24 samples in batches of 4: six steps an epoch.
        #expect(try run.train(TrainingGoal(epoch: 2)) == .epoch)
        #expect(run.step == 12)
        #expect(try run.train(TrainingGoal(time: 20 * 0.02)) == .time)
        #expect(run.step == 20)
        #expect(try run.train(TrainingGoal(step: 1000, loss: 1e9)) == .loss)
        #expect(run.step % 100 == 0)
        #expect(try run.train(TrainingGoal(step: 1000, maxLoss: 0)) == .maxLoss)
    }

    /// 24 samples in batches of 5: four steps an epoch, and four samples that are dropped.
    @Test func anEpochEndsWithItsLastWholeBatch() throws {
        let run = try SmallRun.make(batch: .samples(5))
        for epoch in 1...3 {
            try run.train(TrainingGoal(epoch: run.epoch + 1))
            #expect(run.step == 4 * epoch)
            #expect(run.epoch == Double(epoch))
        }
    }

    /// After so many steps the sum of the rates falls short of their product by more than 1e-12 of it.
    @Test func roundedSumsDoNotAddAStep() throws {
        let steps = 100_000
        let run = try SmallRun.make(rate: 0.3)
        for _ in 1..<steps { run.time += 0.3 }
        #expect(run.time + 0.3 < Double(steps) * 0.3 * (1 - 1e-12))
        try run.train(TrainingGoal(time: Double(steps) * 0.3))
        #expect(run.step == 1)
        let single = try SmallRun.make(batch: .samples(1))
        try single.train(TrainingGoal(epoch: 0.25.nextUp))
        #expect(single.step == 6)
    }

    @Test func aLossThatIsNotFiniteStopsTheRunAndKeepsEverything() throws {
        let run = try SmallRun.make(rate: 1000, activation: .relu, element: .f32)
        try run.track(ProbeCatalogue.probe("weight_norm", for: run), every: 1)
        let error = #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 1000)) }
        let message = try #require(error).description
        #expect(message.contains("diverged") && message.contains("step \(run.step)") && message.contains("1000"))
        #expect(run.step < 100)
        #expect(try run.series("weight_norm").count == run.step)
    }

    @Test func optionsThatCannotBeAreRefused() throws {
        #expect(throws: ExperimentError.self) { try SmallRun.make(batch: .samples(-3)) }
        #expect(throws: ExperimentError.self) { try SmallRun.make(batch: .samples(25)) }
        let run = try SmallRun.make()
        #expect(throws: ExperimentError.self) { try run.setLearningRate(.nan) }
        #expect(throws: ExperimentError.self) { try run.track(LambdaMax(), every: 0) }
        let error = #expect(throws: ExperimentError.self) { try ProbeCatalogue.probe("lamda_max", for: run) }
        #expect("\(try #require(error))".contains("did you mean 'lambda_max'?"))
    }

    @Test func fullBatchIsGradientDescent() throws {
        let run = try SmallRun.make(rate: 0.1, batch: .full)
        var theta = run.parameters
        for _ in 0..<3 { try theta.add(-0.1, run.oracle.gradient(at: theta).gradient) }
        try run.train(TrainingGoal(step: 3))
        #expect(try (run.parameters - theta).norm() < 1e-13)
        #expect(run.epoch == 3)
    }

    @Test func everythingMeasuredIsInTheFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try SmallRun.make()
        run.makeFile = { try RunFile.create(name: $0.name, in: folder) }
        try run.track(ProbeCatalogue.probe("loss", for: run), every: 2)
        try run.track(BatchSharpness(), every: 5)
        try run.at(5) { try $0.setLearningRate(0.01) }
        try run.train(TrainingGoal(step: 10))
        let file = try #require(run.file)
        try file.close()
        let reader = try RunFile.open(file.url)
        for name in run.seriesNames {
            let series = try run.series(name)
            let stored = try reader.series(name)
            #expect(stored.map(\.step) == series.steps && stored.map(\.value) == series.values)
        }
        #expect(try reader.events().contains { $0.kind == "lr" && $0.step == 5 })
    }
}
