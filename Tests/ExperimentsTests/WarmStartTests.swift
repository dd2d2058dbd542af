import Compute
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// A solve starts from another one only as long as training led from there to here.
@Suite struct WarmStarts {
    /// λ_max at the last of these steps, of a run that tracks it at all of them, with what `change` does at step 5.
    private func last(
        of steps: [Int], cold: Bool = false, change: @escaping (Run) throws -> Void = { _ in }
    ) throws -> Experiments.Measurement {
        let run = try SmallRun.make(rate: 0.01)
        let kept = try Kept(LambdaMax(EigenSettings(isCold: cold)))
        try run.track(kept, .at(steps))
        try run.at(5, change)
        try run.train(TrainingGoal(step: steps.max() ?? 0))
        return try #require(kept.last)
    }

    /// Keeps the whole of the last measurement: a series has values alone.
    private final class Kept: Probe {
        let probe: LambdaMax
        var last: Experiments.Measurement?
        var seriesNames: [String] { probe.seriesNames }
        init(_ probe: LambdaMax) { self.probe = probe }

        func copy() -> any Probe { Kept(probe) }
        func code(_ coder: StateCoder) throws { try probe.code(coder) }

        func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Experiments
            .Measurement]
        {
            let measured = try probe.measure(run, batch: batch, stream: stream)
            last = measured[0]
            return measured
        }
    }

    /// What was found before leaves no bit behind; the control, two steps along the way, does.
    @Test func anAssignmentEndsThem() throws {
        let parameters: (Run) throws -> Void = { run in try run.setParameters(0.5 * run.parameters) }
        let rule: (Run) throws -> Void = { run in try run.setRule(SGD(learningRate: 0.005)) }
        let statistics: (Run) throws -> Void = { run in try run.setStatistics(run.statistics()) }
        let changes = [parameters, rule, statistics]
        for change in changes {
            let (warm, cold) = (try last(of: [4, 6], change: change), try last(of: [6], change: change))
            #expect(warm.value == cold.value && warm.residual == cold.residual && warm.products == cold.products)
        }
        let (warm, cold) = (try last(of: [4, 6]), try last(of: [6]))
        #expect(warm.residual != cold.residual)
    }

    @Test func aHundredStepsEndThem() throws {
        #expect(try last(of: [4, 105]).residual == last(of: [105]).residual)
        #expect(try last(of: [4, 104]).residual != last(of: [104]).residual)
    }

    @Test func aColdProbeHasNone() throws {
        #expect(try last(of: [4, 6], cold: true).residual == last(of: [6]).residual)
        let run = try SmallRun.make()
        let probe = try ProbeCatalogue.probe("lambda_max", ["cold": true], for: run)
        #expect(try #require(probe as? LambdaMax).options.isCold)
    }

    /// What is looked at by hand does not depend on what was looked at before, and is as sure as a first look.
    @Test func looksAreCold() throws {
        let run = try SmallRun.make()
        let (here, elsewhere) = (run.parameters, try -2 * run.parameters)
        try run.setParameters(elsewhere)
        _ = try run.measure("lambda_max")
        try run.setParameters(here)
        let second = try run.measure("lambda_max")[0]
        let first = try SmallRun.make().measure("lambda_max")[0]
        #expect(second.value == first.value && second.products == first.products)
        #expect(try #require(second.missProbability) <= 0.05 && second.converged == true)
        // Also on the way, a few steps further.
        try run.train(TrainingGoal(step: 2))
        let other = try SmallRun.make()
        try other.train(TrainingGoal(step: 2))
        #expect(try run.measure("lambda_max")[0].value == other.measure("lambda_max")[0].value)
    }

    /// A solve that ran out is no eigenvalue, and says so: the tolerance lies below rounding.
    @Test func whetherASolveConvergedStaysWithItsMeasurement() throws {
        let run = try SmallRun.make(element: .f32)
        let found = try run.measure("lambda_max", ["tolerance": 1e-12])[0]
        #expect(found.converged == false)
        // In f64 all tolerances can be met, those of probes of directions too.
        let exact = try SmallRun.make()
        for name in [
            "lambda_min", "hessian_norm", "lambda_max_gn", "alignment", "gradient_projection", "eigenvector_angle",
            "progressive_sharpening", "projected_noise", "batch_lambda_max", "second_moment_contraction",
        ] {
            let options: ProbeArguments =
                name.hasPrefix("batch") || name.hasPrefix("second") ? ["max_samples": 4] : [:]
            for measurement in try exact.measure(name, options) {
                #expect(measurement.converged == true, "\(name)")
                #expect(try #require(measurement.missProbability) <= 0.05, "\(name)")
            }
        }
        #expect(try run.measure("loss")[0].converged == nil)
    }

    @Test func theRunFileKeepsIt() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try SmallRun.make()
        run.makeFile = { _ in try RunFile.create(name: "r", in: folder) }
        try run.track(LambdaMax(), every: 1)
        try run.train(TrainingGoal(step: 1))
        let file = try #require(run.file)
        try file.close()
        let read = try RunFileReader(file.url).series("lambda_max")
        #expect(read.count == 2 && read.allSatisfy { $0.converged == true && $0.extra == nil })
        #expect(read.allSatisfy { ($0.missProbability ?? -1) >= 0 && ($0.missProbability ?? 2) <= 0.5 })
    }

    /// What else stands in the column stays as it was.
    @Test(arguments: [nil, #"{"values":[1,2]}"#, "[1]", "not json", #"{"converged":"yes"}"#])
    func whatIsStoredBesideItStays(extra: String?) throws {
        var written = Experiments.Measurement(step: 1, value: 2, extra: extra, converged: false, missProbability: 1)
        written.extra = try written.storedExtra
        var read = written
        (read.converged, read.missProbability) = (nil, nil)
        read.takeStoredExtra()
        if extra == "[1]" || extra == "not json" {
            #expect(read.extra == extra && read.converged == nil)
        } else {
            #expect(read.converged == false && read.missProbability == 1)
            #expect(read.extra == (extra == #"{"converged":"yes"}"# ? nil : extra))
        }
        // What another program wrote under these names is no claim of ours.
        var foreign = Experiments.Measurement(step: 1, value: 2, extra: #"{"converged":"yes"}"#)
        foreign.takeStoredExtra()
        #expect(foreign.converged == nil && foreign.extra == #"{"converged":"yes"}"#)
    }
}
