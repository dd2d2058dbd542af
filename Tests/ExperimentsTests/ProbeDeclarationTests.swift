import Compute
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

@Suite struct ProbeDeclarations {
    @Test func everyNameIsDeclaredOnce() {
        let names = ProbeCatalogue.names
        #expect(Set(names).count == names.count)
        for declaration in ProbeCatalogue.all {
            let options = declaration.options.map(\.name)
            #expect(Set(options).count == options.count, "\(declaration.name)")
            #expect(declaration.summary.hasSuffix(".") || declaration.summary.hasSuffix("]"), "\(declaration.name)")
        }
    }

    @Test func aProbeWritesTheSeriesThatItDeclares() throws {
        let run = try SmallRun.make()
        for declaration in ProbeCatalogue.all {
            // Probes that cannot be of this run say so; the others write what they declare.
            guard let probe = try? declaration.probe(for: run) else { continue }
            #expect(try probe.seriesNames == declaration.series([:]), "\(declaration.name)")
        }
        let three = try ProbeCatalogue.probe("lambda_max", ["k": 3], for: run)
        #expect(try three.seriesNames == ProbeCatalogue.declaration(of: "lambda_max").series(["k": 3]))
    }

    /// What each error must name: the option, and the figures or names that help.
    @Test(
        arguments: [
            (["loss"], ["k": 3], ["option 'k' belongs to lambda_max", "not to loss"]),
            (["loss"], ["kk": 3], ["unknown option 'kk'", "did you mean 'k'?"]),
            (["lamda_max"], ["k": 3], ["unknown probe 'lamda_max'", "did you mean 'lambda_max'?"]),
            (["lambda_max"], ["k": 84], ["option 'k' is 84", "83 parameters"]),
            (["lambda_max"], ["k": 0], ["option 'k' of lambda_max: expected an integer >= 1, got 0"]),
            (["lambda_max"], ["samples": 25], ["option 'samples' is 25", "24 samples"]),
            (["lambda_max"], ["tolerance": -1], ["expected a number > 0, got -1"]),
            (["batch_sharpness"], ["batch_size": 25], ["option 'batch_size' is 25", "24 samples"]),
            (["batch_sharpness"], ["batch_size": 9, "samples": 8], ["option batch_size 9", "8 samples"]),
            (["batch_sharpness"], ["samples": 3], ["run 'small' has batch_size 4", "3 samples"]),
            (["gni"], ["samples": 25], ["option 'samples' is 25", "24 samples"]),
            (["momentum_batch_sharpness"], [:], ["run 'small' has sgd", "eoss.optim.momentum"]),
            (["loss"], ["method": "xtrace"], ["option 'method' belongs to hessian_trace"]),
            (["hessian_trace"], ["method": "hutch"], ["'hutchinson' or 'hutch++' or 'xtrace'", "got 'hutch'"]),
            (["batch_sharpness"], ["batches": .batches([[0], [24]])], ["sample 25 of 24"]),
            (["batch_sharpness"], ["batches": .batches([[0]]), "batch_size": 3], ["option 'batches'", "batch_size"]),
            (
                ["batch_sharpness"], ["rel_error": "small"],
                ["option 'rel_error'", "expected a number >= 0, got 'small'"]
            ),
            (["batch_sharpness"], ["statistics": "runing"], ["expected 'batch' or 'running', got 'runing'"]),
            (["hessian_trace"], ["max_samples": 0], ["option 'max_samples'", "expected an integer >= 1, got 0"]),
        ] as [([String], ProbeArguments, [String])])
    func optionsThatCannotBeAreRefusedWithTheirFigures(
        names: [String], arguments: ProbeArguments, words: [String]
    ) throws {
        let run = try SmallRun.make()
        let error = #expect(throws: ExperimentError.self) {
            try ProbeCatalogue.probes(names, arguments, for: run)
        }
        let message = "\(try #require(error))"
        for word in words { #expect(message.contains(word), "\(message)") }
    }

    @Test func eachProbeOfAListTakesTheOptionsThatItHas() throws {
        let run = try SmallRun.make()
        let probes = try ProbeCatalogue.probes(
            ["lambda_max", "loss", "batch_sharpness"], ["k": 2, "batch_size": 3], for: run)
        #expect(probes.map(\.seriesNames) == [["lambda_max", "lambda_max_2"], ["loss"], ["batch_sharpness"]])
    }

    @Test func probesOfOneRunLookAtTheSameSubset() throws {
        let run = try SmallRun.make()
        let indices = try #require(try ProbeScope(samples: 7).indices(of: run))
        #expect(Set(indices).count == 7 && indices.allSatisfy { (0..<24).contains($0) })
        #expect(try ProbeScope(samples: 7).indices(of: run) == indices)
        // λ_max over the subset is that of the Hessian over these samples.
        let value = try run.measure("lambda_max", ["samples": 7, "tolerance": 1e-6])[0].value
        let hessian = CurvatureOperator(of: run.oracle, at: run.parameters, over: .indices(indices))
        let truth = DenseEigen(symmetric: try dense(of: hessian)).values[0]
        #expect(abs(value / truth - 1) < 1e-5)
        // A batch as large as the subset is the subset.
        let whole = try run.measure("batch_sharpness", ["samples": 7, "batch_size": 7])[0]
        let named = try run.measure("batch_sharpness", ["batches": .batches([indices])])[0]
        #expect(whole.standardError == 0 && abs(whole.value / named.value - 1) < 1e-12)
    }

    @Test func aProbeOfAStepTakesABatchOfItsOwn() throws {
        let run = try SmallRun.make()
        let given = try run.measure("step_sharpness", ["batch": .samples([3, 5, 8])])[0]
        let named = try run.measure("batch_sharpness", ["batches": .batches([[3, 5, 8]])])[0]
        #expect(given.value == named.value)
        #expect(throws: ExperimentError.self) { try run.measure("step_sharpness") }
    }
}
