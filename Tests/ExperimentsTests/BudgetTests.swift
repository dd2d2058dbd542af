import Compute
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Experiments

/// A probe that costs what it is told to.
private final class PricedProbe: Probe {
    let seriesNames: [String]
    private let price: (Int) -> Double
    private var count = 0

    /// - Parameter price: of a measurement, by its number from 0.
    init(_ name: String, _ price: @escaping (Int) -> Double) {
        seriesNames = [name]
        self.price = price
    }

    func code(_ coder: StateCoder) throws { try coder.code("count", &count) }
    func copy() -> any Probe {
        let copy = PricedProbe(seriesNames[0], price)
        copy.count = count
        return copy
    }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Experiments.Measurement]
    {
        run.count(operations: price(count))
        count += 1
        return [Experiments.Measurement(step: run.step, value: 1)]
    }
}

@Suite struct Budgets {
    /// What a step of the small run takes.
    private func step() throws -> Double {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 10))
        return run.costs.training.operations / 10
    }

    private func count(_ run: Run, _ name: String) throws -> Int { try run.series(name).count }

    @Test func everyStepOfTheTrainingIsCountedTheSame() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 4))
        let four = run.costs.training
        #expect(four.count == 4 && four.operations > 0)
        try run.train(TrainingGoal(step: 12))
        #expect(run.costs.training.operations == 3 * four.operations)
    }

    /// Alone, a probe of 50 steps' price with a fifth of the work: 0.25 of a step is earned a step, so it comes every 200 steps.
    @Test func aProbeComesWhenItCanBePaidFor() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.track(PricedProbe("dear") { _ in 50 * unit }, Cadence(budget: 0.2))
        try run.train(TrainingGoal(step: 2000))
        #expect(try run.series("dear").steps.first == 0)
        // The first is on credit: its price is earned back, then the next one's.
        #expect(try run.series("dear").steps == [0] + stride(from: 400, through: 2000, by: 200))
        #expect(run.costs.probeShare <= 0.2 && run.costs.probeShare >= 0.8 * 0.2)
    }

    /// With a spacing of 120 steps each allows 0.6 of a measurement: three of five are used.
    @Test func aSpacingLosesNothingOfTheBudget() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.track(PricedProbe("dear") { _ in 50 * unit }, Cadence(.every(120), budget: 0.2))
        try run.train(TrainingGoal(step: 12_000))
        #expect(try run.series("dear").steps.allSatisfy { $0 % 120 == 0 })
        #expect(run.costs.probeShare <= 0.2 && run.costs.probeShare >= 0.95 * 0.2)
    }

    /// Each is due half the budget. The cheap one, at every tenth step, needs less of it: the rest goes to the dear ones, equally.
    @Test func whatTheCheapLeaveOverGoesToTheDear() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.track(PricedProbe("cheap") { _ in 0.1 * unit }, Cadence(.every(10), budget: 0.2))
        try run.track(PricedProbe("dear") { _ in 20 * unit }, Cadence(budget: 0.2))
        try run.track(PricedProbe("dearer") { _ in 60 * unit }, Cadence(budget: 0.2))
        try run.train(TrainingGoal(step: 10_000))
        #expect(try count(run, "cheap") == 1001)
        let spent = run.costs.probes.map(\.operations)
        #expect(abs(spent[1] - spent[2]) <= 60 * unit)
        #expect(run.costs.probeShare <= 0.2 && run.costs.probeShare >= 0.9 * 0.2)
    }

    /// Probes that together would take less than the budget are measured whenever their spacing says.
    @Test func nothingIsHeldBackThatCanBePaidFor() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.track(PricedProbe("a") { _ in 0.05 * unit }, Cadence(budget: 0.3))
        try run.track(PricedProbe("b") { _ in unit }, Cadence(.every(10), budget: 0.3))
        try run.train(TrainingGoal(step: 500))
        // After the first ones are paid back.
        #expect(try count(run, "a") >= 500 && count(run, "b") == 51)
        #expect(run.costs.probeShare < 0.3)
    }

    @Test func whatOthersTakeComesOutOfTheBudgetFirst() throws {
        let unit = try step()
        // A tenth of the work goes to what has no budget: of a fifth, the other half is left.
        let run = try SmallRun.make()
        try run.track(PricedProbe("fixed") { _ in unit }, .every(8))
        try run.track(PricedProbe("dear") { _ in 20 * unit }, Cadence(budget: 0.2))
        try run.train(TrainingGoal(step: 5000))
        #expect(try count(run, "fixed") == 626)
        #expect(run.costs.probeShare <= 0.2 && run.costs.probeShare >= 0.9 * 0.2)
        // What has no budget can exceed it: then the others come once, on credit, and no more.
        let full = try SmallRun.make()
        try full.track(PricedProbe("fixed") { _ in unit }, .every(1))
        try full.track(PricedProbe("dear") { _ in 20 * unit }, Cadence(budget: 0.2))
        try full.train(TrainingGoal(step: 2000))
        #expect(try full.series("dear").steps == [0])
    }

    /// Estimates that stop at an error cost now more, now less; what one costs is known when it is done.
    @Test func changingPricesAreMadeUpFor() throws {
        let unit = try step()
        var stream = RandomStream(seed: 3, purpose: .test)
        let prices = (0..<10_000).map { _ in unit * exp(2 + stream.normal()) }
        let run = try SmallRun.make()
        try run.track(PricedProbe("estimate") { prices[$0] }, Cadence(budget: 0.25))
        try run.train(TrainingGoal(step: 20_000))
        // At most one measurement ahead of what was earned.
        let largest = prices.max() ?? 0
        let costs = run.costs
        #expect(costs.probes[0].operations <= costs.training.operations / 3 + largest)
        #expect(costs.probeShare >= 0.8 * 0.25)
    }

    @Test func stepsNamedOneByOneAreMeasuredWhateverTheyCost() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.track(PricedProbe("dear") { _ in 50 * unit }, Cadence(.every(1), at: [3, 4, 5], budget: 0.2))
        try run.train(TrainingGoal(step: 2000))
        #expect(try run.series("dear").steps == [0, 3, 4, 5, 1000, 1200, 1400, 1600, 1800, 2000])
    }

    @Test func whatAConditionMeasuresIsPaidFor() throws {
        let unit = try step()
        let run = try SmallRun.make()
        let cadence = try Cadence(
            when: { run in
                run.count(operations: unit)
                return run.step == 900
            }, budget: 0.1)
        try run.track(PricedProbe("rare") { _ in 0 }, cadence)
        try run.train(TrainingGoal(step: 1800))
        #expect(try run.series("rare").steps == [900])
        #expect(run.costs.probeShare <= 0.1 + 1e-3)
    }

    /// Followed from a later step on, a probe is due at once and gets its share of what follows.
    @Test func aBudgetMayBeginLate() throws {
        let unit = try step()
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 1000))
        try run.track(PricedProbe("dear") { _ in 50 * unit }, Cadence(budget: 0.2))
        try run.train(TrainingGoal(step: 2000))
        #expect(try run.series("dear").steps == [1000, 1400, 1600, 1800, 2000])
    }

    // MARK: - Real probes

    /// The steps at which real probes are measured within a budget, as text: by a run on so many threads.
    private static func schedule(threads: Int, steps: Int, disturbed: Bool = false) throws -> (String, Run) {
        let run = try SmallRun.make(element: .f32, engine: Engine(threads: threads))
        for name in ["loss", "test_loss", "gradient_norm", "lambda_max", "batch_sharpness", "step_sharpness"] {
            // 1,000 batches, as many as batch sharpness takes by default, are more than such a run pays back.
            let few = try ProbeCatalogue.declaration(of: name).takes("max_samples")
            let arguments: ProbeArguments = few ? ["max_samples": 30] : [:]
            try run.track(ProbeCatalogue.probe(name, arguments, for: run), Cadence(budget: 0.4))
        }
        if disturbed {
            try run.at(40) { _ = try $0.measure("hessian_trace") }
            for step in [7, 7, 100] { try run.train(TrainingGoal(step: step)) }
            _ = try run.measure("lambda_max")
        }
        try run.train(TrainingGoal(step: steps))
        let lines = try run.seriesNames.map { "\($0): \(try run.series($0).steps)" }
        return (lines.joined(separator: "\n"), run)
    }

    @Test func realProbesKeepTheBudgetAndCheapOnesComeOften() throws {
        let (_, run) = try Self.schedule(threads: 1, steps: 6000)
        let costs = run.costs
        #expect(costs.probeShare <= 0.4 && costs.probeShare >= 0.8 * 0.4, "\(costs)")
        #expect(try count(run, "test_loss") > 4 * count(run, "batch_sharpness"))
        #expect(try count(run, "batch_sharpness") > 3 && count(run, "lambda_max") > 3)
        // The warm start of an eigenvector is not the budget's: cold and warm ones have the same counts in the same order.
        #expect(costs.probes.allSatisfy { $0.operations > 0 })
    }

    /// First measurements wait until they are earned: the share is kept all along, but for what a price was misjudged by.
    @Test func realProbesKeepTheBudgetFromTheBeginning() throws {
        let run = try SmallRun.make(element: .f32)
        for name in ["loss", "lambda_max", "gni", "hessian_trace", "self_stabilization"] {
            let few = try ProbeCatalogue.declaration(of: name).takes("max_samples")
            let probe = try ProbeCatalogue.probe(name, few ? ["max_samples": 30] : [:], for: run)
            try run.track(probe, Cadence(.every(5), budget: 0.2))
        }
        for step in [10, 50, 200, 1000, 5000, 20_000] {
            try run.train(TrainingGoal(step: step))
            #expect(run.costs.probeShare <= 0.25, "step \(step): \(run.costs)")
        }
        #expect(run.costs.probes.allSatisfy { $0.count > 1 }, "\(run.costs)")
    }

    /// Rough figures: right within a factor of two and a half.
    @Test(arguments: [
        "loss", "gradient_norm", "lambda_max", "lambda_min", "hessian_norm", "hessian_trace", "batch_sharpness", "gni",
        "one_step_loss_change", "second_moment_contraction", "u_coordinate",
    ])
    func firstMeasurementsCostAboutWhatIsExpected(_ name: String) throws {
        let run = try SmallRun.make(element: .f32)
        try run.train(TrainingGoal(step: 20))
        let probe = try ProbeCatalogue.probe(name, for: run)
        let expected = try #require(try probe.expectedOperations(in: run))
        let before = run.oracle.work
        _ = try run.measure(probe)
        let ratio = (run.oracle.work - before) / expected
        #expect(ratio > 0.4 && ratio < 2.5, "\(ratio)")
    }

    @Test func theScheduleIsTheSameForAnyNumberOfThreadsAndWhateverIsLookedAt() throws {
        let (one, _) = try Self.schedule(threads: 1, steps: 800)
        #expect(try Self.schedule(threads: 2, steps: 800).0 == one)
        #expect(try Self.schedule(threads: 1, steps: 800, disturbed: true).0 == one)
    }

    @Test func theScheduleIsTheSameInAnotherProcess() async throws {
        let folder = try TemporaryFolder()
        let path = folder.url.appendingPathComponent("schedule").path
        await #expect(processExitsWith: .success) { [path = path as String] in
            try Budgets.schedule(threads: 2, steps: 800).0.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == Self.schedule(threads: 1, steps: 800).0)
    }

    @Test func aDivergedRunKeepsWhatItsBudgetPaidFor() throws {
        let folder = try TemporaryFolder()
        let url = folder.url
        let run = try SmallRun.make(rate: 1000, activation: .relu, element: .f32)
        run.makeFile = { try RunFile.create(name: $0.name, in: url) }
        for name in ["loss", "lambda_max", "weight_norm"] {
            try run.track(ProbeCatalogue.probe(name, for: run), Cadence(budget: 0.9))
        }
        #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 1000)) }
        #expect(try count(run, "weight_norm") >= 1)
        let file = try #require(run.file)
        let read = try RunFile.open(file.url)
        for name in run.seriesNames where try count(run, name) > 0 {
            #expect(try read.series(name).map(\.step) == run.series(name).steps)
        }
    }

    @Test func oneRunHasOneBudget() throws {
        let run = try SmallRun.make()
        try run.track(PricedProbe("a") { _ in 1 }, Cadence(budget: 0.1))
        let error = #expect(throws: ExperimentError.self) {
            try run.track(PricedProbe("b") { _ in 1 }, Cadence(budget: 0.2))
        }
        #expect("\(try #require(error))".contains("a budget of 0.1, which all its probes share"))
        #expect(run.seriesNames == ["a"])
    }
}

@Suite struct Costs {
    @Test func whatEachTookIsCountedAndWrittenDown() throws {
        let folder = try TemporaryFolder()
        let url = folder.url
        let run = try SmallRun.make()
        run.makeFile = { try RunFile.create(name: $0.name, in: url) }
        for name in ["loss", "lambda_max"] { try run.track(ProbeCatalogue.probe(name, for: run), .every(5)) }
        try run.track(LambdaMax(.init(k: 2)).renamed, .at([3]))
        try run.track(
            ProbeCatalogue.probe("batch_sharpness", ["rel_error": 0, "max_samples": 12], for: run), .every(10))
        try run.train(TrainingGoal(step: 20))
        let costs = run.costs
        #expect(costs.training.count == 20 && costs.training.seconds > 0)
        #expect(costs.probes.map(\.name) == ["loss", "lambda_max", "pair_1", "batch_sharpness"])
        #expect(costs.probes.map(\.count) == [5, 5, 1, 3])
        #expect(costs.probes[3].samples == 36)
        #expect(costs.probes[1].products > 5 && costs.probes[2].seriesCount == 2)
        let shares = ([costs.training] + costs.probes).map { costs.share(of: $0) }
        #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
        #expect(abs(costs.probeShare - shares.dropFirst().reduce(0, +)) < 1e-12)

        // Every measurement in the file carries its own; of a probe with two series the first has it all.
        try run.file?.close()
        let read = try RunFile.open(try #require(run.file).url)
        let stored = try read.costs()
        #expect(try stored.map(\.name) == read.seriesNames())
        for item in costs.probes {
            let found = try #require(stored.first { $0.name == item.name })
            #expect(found.operations == item.operations && found.count == item.count)
            #expect(found.samples == item.samples && found.products == item.products)
        }
        #expect(stored.first { $0.name == "pair_2" }?.operations == 0)
        #expect(try read.series("loss").allSatisfy { $0.operations == stored[0].operations / 5 && $0.seconds != nil })
    }

    @Test func whatIsAskedForByHandIsNotTheRunsOwn() throws {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 3))
        let before = run.costs
        let measured = try run.measure("lambda_max")[0]
        #expect((measured.operations ?? 0) > 0)
        _ = try run.evaluation()
        #expect(run.costs == before)
    }

    @Test func theTableIsAligned() throws {
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("lambda_max", ["k": 2], for: run), Cadence(.every(5), budget: 0.25))
        try run.train(TrainingGoal(step: 20))
        let lines = "\(run.costs)".split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.count == 4)
        #expect(Set(lines[0..<3].map(\.count)).count == 1)
        #expect(lines[1].hasPrefix("training ") && lines[2].hasPrefix("lambda_max (2 series) "))
        #expect(lines[3].contains("of 25.00 % allowed"))
        #expect("\(try SmallRun.make().costs)".contains("0.00 %"))
    }
}

extension LambdaMax {
    /// The same probe under other names, so that a run can follow both.
    fileprivate var renamed: any Probe { RenamedProbe(self) }
}

private final class RenamedProbe: Probe {
    let probe: LambdaMax
    let seriesNames = ["pair_1", "pair_2"]

    init(_ probe: LambdaMax) { self.probe = probe }

    func copy() -> any Probe { RenamedProbe(probe) }
    func code(_ coder: StateCoder) throws { try probe.code(coder) }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Experiments.Measurement]
    {
        try probe.measure(run, batch: batch, stream: stream)
    }
}
