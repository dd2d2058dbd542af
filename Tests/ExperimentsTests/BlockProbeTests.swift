import Compute
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// Probes of some parameters alone, against blocks of matrices written out.
@Suite struct BlockProbes {
    /// Weights and biases of the first and the last layer, without the last bias: rows that do not follow one another.
    private static let patterns = ["layers.0", "layers.2.*", "-*.2.bias"]

    private func block(_ run: Run, _ patterns: [String] = BlockProbes.patterns) throws -> ParameterBlock {
        try ParameterBlock(patterns, of: run.objective.model.layout, called: "net")
    }

    private func indices(_ block: ParameterBlock) -> [Int] { block.coordinates.ranges.flatMap { Array($0) } }

    private func dense(
        _ matrix: CurvatureMatrix = .hessian, _ run: Run, _ rows: [Int], over samples: BatchSelection = .all
    ) throws -> DenseMatrix {
        let whole = try Curvature.dense(
            of: CurvatureOperator(matrix, of: run.oracle, at: run.parameters, over: samples))
        return DenseMatrix(
            rows: rows.count, columns: rows.count, values: rows.flatMap { j in rows.map { whole[$0, j] } })
    }

    private func trained() throws -> Run {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: 6))
        return run
    }

    @Test func aBlockIsThoseWhosePatternsCoverThem() throws {
        let run = try SmallRun.make()
        #expect(try block(run).entries.map(\.name) == ["layers.0.weight", "layers.0.bias", "layers.2.weight"])
        // 4·6 + 6 neighbours are one range; 6·5 + 5 lie between; 3·5.
        #expect(try block(run).coordinates.ranges == [0..<30, 65..<80])
        #expect(try block(run, ["-*.bias"]).entries.map(\.name).allSatisfy { $0.hasSuffix("weight") })
    }

    @Test(
        arguments: [
            ("lambda_max", CurvatureMatrix.hessian), ("lambda_min", .hessian), ("hessian_norm", .hessian),
            ("lambda_max_gn", .ggn), ("fisher_max", .fisher), ("ntk_max", .ntk), ("hessian_trace", .hessian),
        ])
    func valuesAreThoseOfTheDenseBlock(_ name: String, _ matrix: CurvatureMatrix) throws {
        let run = try trained()
        let rows = indices(try block(run))
        let written = try dense(matrix, run, rows)
        let values = DenseEigen(symmetric: written).values
        let truth =
            switch name {
            case "lambda_min": values[values.count - 1]
            case "hessian_norm": values.map(abs).max() ?? 0
            case "hessian_trace": values.reduce(0, +)
            default: values[0]
            }
        var arguments: ProbeArguments = ["block": .names(Self.patterns)]
        if name == "hessian_trace" {
            // As many vectors as rows: exact.
            (arguments["rel_error"], arguments["max_samples"]) = (0, 45)
        } else {
            arguments["tolerance"] = 1e-9
        }
        let measured = try run.measure(name, arguments)[0]
        #expect(abs(measured.value - truth) < 1e-7 * abs(truth), "\(measured.value) \(truth)")
        #expect(abs(try run.measure(name)[0].value - truth) > 1e-3 * abs(truth), "all parameters have another value")
    }

    @Test func normsAreThoseOfTheParts() throws {
        let run = try trained()
        let rows = indices(try block(run))
        func norm(_ v: Vector) -> Double { rows.reduce(0) { $0 + v[$1] * v[$1] }.squareRoot() }
        let arguments: ProbeArguments = ["block": .names(Self.patterns)]
        #expect(abs(try run.measure("gradient_norm", arguments)[0].value - norm(try run.gradient())) < 1e-14)
        #expect(abs(try run.measure("weight_norm", arguments)[0].value - norm(run.parameters)) < 1e-14)
    }

    @Test func eigenvaluesAboveAShareAreCountedInTheBlock() throws {
        let run = try trained()
        let values = DenseEigen(symmetric: try dense(run: run)).values
        let edge = try #require(run.edge(of: .lambdaMax))
        let share = (values[1] + values[2]) / 2 / edge
        let arguments: ProbeArguments = ["above": .number(share), "tolerance": 1e-8, "block": .names(Self.patterns)]
        let probe = try #require(try ProbeCatalogue.probe("eigenvalues", arguments, for: run) as? EigenvaluesAbove)
        let measured = try run.measure(probe)[0]
        #expect(measured.value == 2)
        let found = try #require(measured.arrays?["values"])
        #expect(abs(found[0] / values[0] - 1) < 1e-7 && abs(found[1] / values[1] - 1) < 1e-7)
        // Vectors of all parameters, which are 0 outside of the block.
        let rows = Set(indices(try block(run)))
        #expect(
            probe.vectors.allSatisfy { v in v.count == 83 && (0..<83).allSatisfy { rows.contains($0) || v[$0] == 0 } })
    }

    private func dense(run: Run) throws -> DenseMatrix { try dense(.hessian, run, indices(try block(run))) }

    /// The quadratic form of the block's part of g_B, over its square, batch by batch.
    @Test func batchSharpnessIsOfTheBlocksOfGradientAndHessian() throws {
        let run = try trained()
        let rows = indices(try block(run))
        let batches = [[0, 1, 2], [3, 7, 11], [20, 4, 5]]
        var forms: [Double] = []
        var squares: [Double] = []
        for batch in batches {
            let matrix = try dense(.hessian, run, rows, over: .indices(batch))
            let whole = try run.oracle.gradient(at: run.parameters, over: .indices(batch)).gradient
            let g = rows.map { whole[$0] }
            forms.append(
                g.indices.reduce(0) { sum, i in sum + g[i] * g.indices.reduce(0) { $0 + matrix[i, $1] * g[$1] } })
            squares.append(g.reduce(0) { $0 + $1 * $1 })
        }
        let arguments: ProbeArguments = ["batches": .batches(batches), "block": .names(Self.patterns)]
        let mean = zip(forms, squares).reduce(0) { $0 + $1.0 / $1.1 } / 3
        #expect(abs(try run.measure("batch_sharpness", arguments)[0].value - mean) < 1e-10 * mean)
        let ratio = forms.reduce(0, +) / squares.reduce(0, +)
        #expect(abs(try run.measure("batch_sharpness_ratio", arguments)[0].value - ratio) < 1e-10 * ratio)
        // Drawn batches: the mean over many is that over all pairs of samples, within five of its errors.
        let drawn = try run.measure(
            "batch_sharpness",
            ["batch_size": 23, "block": .names(Self.patterns), "rel_error": 1e-4, "max_samples": 400])[0]
        let all = (0..<24).map { left in (0..<24).filter { $0 != left } }
        let truth = try run.measure("batch_sharpness", ["batches": .batches(all), "block": .names(Self.patterns)])[0]
            .value
        #expect(abs(drawn.value - truth) <= 5 * (drawn.standardError ?? 0) + 1e-12 * truth)
    }

    @Test func aBlockOfAllParametersIsTheHessian() throws {
        let run = try trained()
        #expect(try run.measure("lambda_max", ["block": "layers"])[0].value == run.measure("lambda_max")[0].value)
    }

    /// λ_max of two blocks and of all, at each of ten steps: each finds its own, warm starts and all.
    @Test func seriesOfSeveralBlocksAreTheirOwn() throws {
        let run = try SmallRun.make(rate: 0.01)
        let names = ["first": ["layers.0"], "others": ["-layers.0"], "weights": ["layers.*.weight"]]
        for (name, patterns) in names.sorted(by: { $0.key < $1.key }) {
            let arguments: ProbeArguments = ["block": .names(patterns), "k": 2, "tolerance": 1e-6]
            try run.track(NamedProbe(name, ProbeCatalogue.probe("lambda_max", arguments, for: run)), every: 1)
        }
        try run.track(ProbeCatalogue.probe("lambda_max", ["tolerance": 1e-6], for: run), every: 1)
        #expect(run.seriesNames == ["first", "first_2", "others", "others_2", "weights", "weights_2", "lambda_max"])
        for step in 1...10 {
            try run.train(TrainingGoal(step: step))
            for (name, patterns) in names {
                let values = DenseEigen(symmetric: try dense(.hessian, run, indices(try block(run, patterns)))).values
                for (k, series) in [name, "\(name)_2"].enumerated() {
                    let found = try #require(try run.series(series).between(step, step).values.first)
                    #expect(abs(found / values[k] - 1) < 1e-5, "\(series) at \(step): \(found), \(values[k])")
                }
            }
        }
    }

    /// Warm starts of blocks are state: from a checkpoint each series goes on with the same bits.
    @Test func seriesOfBlocksGoOnFromACheckpointWithTheSameBits() throws {
        func program(_ run: Run) throws {
            for (name, patterns) in [("a", ["fc1"]), ("b", ["bn1.*", "fc2.weight"])] {
                for probe in ["lambda_max", "eigenvalues", "hessian_trace"] {
                    var arguments: ProbeArguments = ["block": .names(patterns)]
                    if probe == "lambda_max" { arguments["k"] = 2 }
                    if probe == "eigenvalues" { arguments["above"] = 0.01 }
                    let made = try ProbeCatalogue.probe(probe, arguments, for: run)
                    try run.track(NamedProbe("\(probe)_\(name)", made), .every(2), words: arguments.words)
                }
            }
            try run.train(TrainingGoal(step: 9))
        }
        var bytes = Data()
        let whole = try StateRun.make(SGD(learningRate: 0.02))
        whole.atStepBoundary = { run in if run.step == 5 { bytes = try run.checkpointBytes() } }
        try program(whole)
        let run = try StateRun.make(SGD(learningRate: 0.02))
        try run.resume(from: bytes, called: "step 5")
        try program(run)
        #expect(!run.isBeingResumed)
        try StateRun.expectSame(run, whole, "blocks", from: 5)
        #expect(try run.series("lambda_max_a").count > 0)
    }

    /// The names of questions in checkpoints say which block they are of.
    @Test func questionsOfBlocksAreToldApart() throws {
        let run = try SmallRun.make()
        let questions = try [["layers.0"], ["layers.0.weight", "layers.2"], ["layers"]].map {
            EigenQuestion(.largest(.hessian), over: ProbeScope(samples: 7, block: try block(run, $0)))
        }
        #expect(Set(questions).count == 3)
        for question in questions { #expect(EigenQuestion(name: question.name) == question) }
        #expect(
            questions.map(\.name) == [
                "largest hessian 7 batch 0-30", "largest hessian 7 batch 0-24,65-83", "largest hessian 7 batch",
            ])
        #expect(EigenQuestion(name: "largest hessian 7 batch 30-0") == nil)
    }

    @Test(
        arguments: [
            (
                ["lambda_max"], ["block": "layer.0"],
                ["unknown block 'layer.0' of mlp 4-6-5-3", "did you mean 'layers.0'?"]
            ),
            (["gni"], ["block": "layers.0"], ["option 'block' belongs to ", "lambda_max", "not to gni"]),
            (["lambda_max"], ["block": "layers.0", "k": 31], ["option 'k' is 31: the block has 30 parameters"]),
            (
                ["lambda_max"], ["block": .names([])],
                ["option 'block' of lambda_max: expected a string or a list of strings"]
            ),
            (["lambda_max"], ["block": .names(["layers.0", "-layers.*"])], ["has no parameters"]),
        ] as [([String], ProbeArguments, [String])])
    func whatIsNoBlockIsRefused(names: [String], arguments: ProbeArguments, words: [String]) throws {
        let run = try SmallRun.make()
        let error = #expect(throws: ExperimentError.self) { try ProbeCatalogue.probes(names, arguments, for: run) }
        let message = "\(try #require(error))"
        for word in words { #expect(message.contains(word), "\(message)") }
    }

    @Test func aNameOfOursIsNoNameOfAnother() throws {
        let run = try SmallRun.make()
        let probe = try ProbeCatalogue.probe("lambda_max", ["k": 2], for: run)
        #expect(throws: ExperimentError.self) { try NamedProbe("loss", probe) }
        #expect(try NamedProbe("lambda_max", probe).seriesNames == ["lambda_max", "lambda_max_2"])
        try run.track(probe, every: 1)
        let error = #expect(throws: ExperimentError.self) { try run.track(probe, every: 1) }
        #expect("\(try #require(error))".contains("a name of its own"))
    }
}
