import Compute
import Dynamics
import Foundation
import Objectives
import Testing

@testable import Experiments

/// `step_sharpness`: measured by the steps themselves, and its running mean.
@Suite struct StepSharpnessProbe {
    private func rules() throws -> [any UpdateRule] {
        [
            SGD(learningRate: 0.02), try HeavyBall(learningRate: 0.01), try Adam(learningRate: 0.001),
            try AdaptiveGradient(learningRate: 0.001, kind: .scalarRMSProp),
        ]
    }

    /// In any cadence the parameters have the bits of a run without it, and a step has the number it has in any other cadence.
    @Test func measuringByStepsDoesNotChangeTheTraining() throws {
        for rule in try rules() {
            for batch in [Run.BatchSize.samples(4), .full] {
                func run(every: Int?) throws -> Run {
                    let run = try SmallRun.make(batch: batch, activation: .relu, element: .f32)
                    try run.setRule(rule)
                    if let every { try run.track(StepSharpness(), every: every) }
                    try run.train(TrainingGoal(step: 40))
                    return run
                }
                let plain = try run(every: nil)
                let (each, some) = (try run(every: 1), try run(every: 7))
                #expect(each.parameters.hasSameBits(as: plain.parameters), "\(rule.name)")
                #expect(some.parameters.hasSameBits(as: plain.parameters), "\(rule.name)")
                let (all, few) = (try each.series("step_sharpness"), try some.series("step_sharpness"))
                #expect(all.steps == Array(1...40) && few.steps == [7, 14, 21, 28, 35])
                for (step, value) in zip(few.steps, few.values) { #expect(all.values[step - 1] == value) }
            }
        }
    }

    /// What steps measure costs a part of a step; what they earn for budgets is the step without it.
    @Test func theStepEarnsAsWithoutIt() throws {
        let (plain, measured) = (try SmallRun.make(), try SmallRun.make())
        try measured.track(StepSharpness(), every: 1)
        try plain.train(TrainingGoal(step: 5))
        try measured.train(TrainingGoal(step: 5))
        #expect(measured.training.operations == plain.training.operations)
        let spent = measured.trackers[0].spent
        #expect(spent.measurements == 5 && spent.operations > 0)
        #expect(abs(measured.work - plain.work - spent.operations) < 1e-6 * plain.work)
    }

    /// A condition and single steps decide as for any probe.
    @Test func conditionsDecideWhichStepsMeasure() throws {
        let run = try SmallRun.make()
        try run.track(StepSharpness(), Cadence(.every(1), when: { $0.step % 3 == 0 }))
        try run.train(TrainingGoal(step: 10))
        #expect(try run.series("step_sharpness").steps == [1, 4, 7, 10])
    }

    /// The mean of the last 20, every second step, with the error of ten means of two.
    @Test func theRunningMeanIsThatOfTheLastValues() throws {
        let run = try SmallRun.make()
        try run.track(ProbeCatalogue.probe("step_sharpness", ["average": 20], for: run), every: 1)
        try run.train(TrainingGoal(step: 30))
        let (values, mean) = (try run.series("step_sharpness").values, try run.series("step_sharpness_mean"))
        #expect(mean.steps == [20, 22, 24, 26, 28, 30])
        for (number, step) in mean.steps.enumerated() {
            let window = Array(values[step - 20..<step])
            let average = window.reduce(0, +) / 20
            #expect(abs(mean.values[number] / average - 1) < 1e-13)
            var squares = 0.0
            for first in stride(from: 0, to: 20, by: 2) {
                let part: Double = (window[first] + window[first + 1]) / 2
                squares += (part - average) * (part - average)
            }
            let error: Double = (squares / 90).squareRoot()
            #expect(abs(mean.standardErrors[number] / error - 1) < 1e-9)
        }
        #expect(throws: ExperimentError.self) { try ProbeCatalogue.probe("step_sharpness", ["average": 25], for: run) }
        #expect(throws: ExperimentError.self) {
            try ProbeCatalogue.probe("step_sharpness", ["average": 20, "batch": .samples([1, 2])], for: run)
        }
    }

    /// The error of the mean of a correlated series: xₜ = ρxₜ₋₁ + εₜ with ρ = 0.8 has the mean of 1,000 values with the variance
    /// (1 + ρ)/(1 − ρ)/1000 · 1/(1 − ρ²), nine times that of independent values. Over 400 windows the mean square of the ratio of
    /// deviation to standard error is that of Student's t with 9 degrees of freedom, 9/7, but for what neighbouring parts of 100 have
    /// in common, under 10 %; its own error is 2·√(400)⁻¹ of it, about 0.15. Errors as of independent values would give 9.
    @Test func theErrorOfTheMeanKnowsOfCorrelation() throws {
        var stream = RandomStream(seed: 3, purpose: .test)
        var (x, squares) = (0.0, 0.0)
        for _ in 0..<200 { x = 0.8 * x + stream.normal() }
        for _ in 0..<400 {
            var means = BatchMeans(over: 1000)
            var found: (value: Double, error: Double, count: Int)?
            for _ in 0..<1000 {
                x = 0.8 * x + stream.normal()
                found = means.add(x) ?? found
            }
            let mean = try #require(found)
            #expect(mean.count == 1000)
            squares += mean.value * mean.value / (mean.error * mean.error)
        }
        #expect(squares / 400 > 0.85 && squares / 400 < 2)
    }
}
