import Compute
import Dynamics
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// Probes of eigenvalues along runs, and on networks of other kinds.
@Suite struct EigenProbesAlongRuns {
    /// Only a loss that is not finite stops a run: what is tracked has no number there, and says so.
    @Test func aDivergedRunStopsAtItsLossWhateverIsTracked() throws {
        let run = try SmallRun.make(rate: 0.01, batch: .full)
        try run.track(LambdaMax(.init(k: 2)), every: 1)
        try run.track(ProbeCatalogue.probe("hessian_trace", for: run), every: 1)
        var broken = run.parameters
        broken[0] = .nan
        try run.setParameters(broken)
        let error = #expect(throws: ExperimentError.self) { try run.train(TrainingGoal(step: 10)) }
        #expect("\(try #require(error))".contains("diverged: at step 1"))
        for name in ["lambda_max", "lambda_max_2", "hessian_trace"] {
            let series = try run.series(name)
            #expect(series.steps == [0] && series.values.allSatisfy(\.isNaN), "\(name): \(series.values)")
        }
    }

    /// Probes with several counts, cadences and tolerances share solves and warm starts; every value of each is right all the
    /// same, to the probe's own tolerance.
    @Test(arguments: [true, false])
    func sharedSolvesAreRightAtEveryStep(isTiny: Bool) throws {
        let run = try isTiny ? TinyRun.make(batch: .full, rate: 0.08) : SmallRun.make(rate: 0.01, batch: .full)
        let last = isTiny ? 24 : 6
        try run.track(LambdaMax(.init(k: 1)), every: 1)
        try run.track(CurvatureEigenvalues(.smallest), every: 2)
        try run.track(GradientProjection(.init(k: 3, tolerance: 1e-4)), every: 3)
        try run.track(EigenvectorAngle(.init(k: 2, tolerance: 1e-3)), every: 5)
        var truth: [(largest: Double, smallest: Double)] = []
        for step in 0..<last {
            let values = try DenseEigen(
                symmetric: dense(of: CurvatureOperator(of: run.oracle, at: run.parameters))
            ).values
            truth.append((values[0], values[values.count - 1]))
            try run.train(TrainingGoal(step: step + 1))
        }
        let (largest, smallest) = (try run.series("lambda_max"), try run.series("lambda_min"))
        for (step, value) in zip(largest.steps, largest.values) where step < last {
            #expect(abs(value / truth[step].largest - 1) < 0.01, "step \(step)")
        }
        for (step, value) in zip(smallest.steps, smallest.values) where step < last {
            #expect(abs(value - truth[step].smallest) < 0.01 * truth[step].largest, "step \(step)")
        }
    }

    /// The dearer a probe, the more products it is charged; one that comes later at the same point gets its eigenpairs for
    /// nothing, also while training.
    @Test func whoComesLaterPaysNothing() throws {
        let run = try TinyRun.make()
        try run.track(LambdaMax(), every: 1)
        try run.track(Alignment(), every: 1)
        try run.track(StabilizationProbe(.progressiveSharpening), every: 1)
        try run.track(StabilizationProbe(.selfStabilization), every: 1)
        try run.train(TrainingGoal(step: 5))
        let products = run.trackers.map(\.spent.products)
        #expect(products[0] > 0 && products[1...].allSatisfy { $0 == 0 })
        // The second of the two that need ∇S takes it from the first.
        let operations = run.trackers.map(\.spent.operations)
        #expect(operations[2] > 0 && operations[3] == 0)
    }

    @Test func runsThatTrackTheSameHaveTheSameBits() throws {
        func tracked() throws -> [Double] {
            let run = try TinyRun.make()
            let names = EigenProbes.names + ["batch_lambda_max", "step_batch_lambda_max"]
            for name in names { try run.track(ProbeCatalogue.probe(name, for: run), every: 2) }
            try run.train(TrainingGoal(step: 2))
            return try run.seriesNames.flatMap { try run.series($0).values }.filter { !$0.isNaN }
        }
        #expect(try tracked() == tracked())
    }

    /// A tighter tolerance is never served by a looser solve, nor another solver by the one that was asked for by name.
    @Test func aSolveServesNobodyWhoAsksForMore() throws {
        let run = try SmallRun.make()
        #expect(try run.measure("lambda_max", ["tolerance": 1e-3])[0].products != 0)
        #expect(try run.measure("lambda_max", ["tolerance": 1e-2])[0].products == 0)
        #expect(try run.measure("lambda_max", ["tolerance": 1e-9])[0].products != 0)
        #expect(try run.measure("lambda_max", ["k": 2, "tolerance": 1e-3])[0].products != 0)
        #expect(try run.measure("lambda_max", ["samples": 4])[0].products != 0)
        #expect(try run.measure("lambda_max", ["solver": "lobpcg"])[0].products != 0)
        #expect(try run.measure("lambda_max_gn")[0].products != 0)
        try run.setParameters(run.parameters)
        #expect(try run.measure("lambda_max")[0].products != 0)
    }

    /// In f32 the same network gives the same numbers to its rounding, relative to the largest eigenvalue.
    @Test func singlePrecisionAgrees() throws {
        let (single, double) = (try SmallRun.make(element: .f32), try SmallRun.make())
        try double.setParameters(single.parameters.converted(to: .f64))
        let scale = try double.measure("lambda_max")[0].value
        for name in ["lambda_max", "lambda_min", "hessian_norm", "lambda_max_gn", "fisher_max", "ntk_max"] {
            let options: ProbeArguments = ["tolerance": 1e-5]
            let (a, b) = (try single.measure(name, options)[0].value, try double.measure(name, options)[0].value)
            #expect(abs(a - b) < 1e-4 * max(scale, abs(b)), "\(name)")
        }
        for name in ["alignment", "gradient_projection"] {
            let options: ProbeArguments = ["tolerance": 1e-5]
            let (a, b) = (try single.measure(name, options)[0].value, try double.measure(name, options)[0].value)
            #expect(abs(a - b) < 1e-3, "\(name)")
        }
        for name in ["progressive_sharpening", "self_stabilization"] {
            let (a, b) = (
                try single.measure(name, ["tolerance": 1e-5])[0].value,
                try double.measure(name, ["tolerance": 1e-5])[0].value
            )
            #expect(abs(a - b) < 1e-2 * abs(b), "\(name)")
        }
    }

    /// Of one sample, and of as many eigenvalues as parameters.
    @Test func theSmallestProblemsHaveEigenvaluesToo() throws {
        let run = try ProductRun.make(0.5, 1.5)
        // H = 2[w₂², 2w₁w₂ − 1; 2w₁w₂ − 1, w₁²]: trace 5, determinant 4(w₁²w₂² − (2w₁w₂ − 1)²).
        let values = try run.measure("lambda_max", ["k": 2]).map(\.value)
        #expect(abs(values[0] + values[1] - 5) < 1e-12)
        #expect(abs(values[0] * values[1] - 4 * (0.5625 - 0.25)) < 1e-12)
        // One sample: the Fisher matrix is ggᵀ, the tangent kernel JJᵀ with J = (w₂, w₁).
        let gradient = try run.gradient()
        #expect(abs(try run.measure("fisher_max")[0].value - gradient.squaredNorm) < 1e-12)
        #expect(abs(try run.measure("ntk_max")[0].value - 2.5) < 1e-12)
        #expect(abs(try run.measure("lambda_max_gn")[0].value - 5) < 1e-12)
    }

    /// With batch statistics samples have no gradients of their own, so there is no Gram matrix of these: Fisher and tangent
    /// kernel are taken by products, through the statistics. Nothing moves the running values.
    @Test func batchStatisticsAreThoseOfTheDataDifferentiated() throws {
        let model = try Model(
            name: "normalised", layer: .sequential(.linear(4, 3), .batchNorm(3), .activation(.tanh), .linear(3, 3)),
            inputShape: [4], seed: 3, element: .f64)
        let data = try SmallRun.data()
        let run = try Run(
            name: "normalised", objective: Objective(model: model, loss: .mse, data: data), data: data,
            rule: SGD(learningRate: 0.05), batchSize: .samples(6), seed: 1)
        try run.train(TrainingGoal(step: 3))
        let statistics = try run.statistics()
        let theta = run.parameters
        for (use, running) in [("batch", false), ("running", true)] {
            let oracle = try run.oracle(running ? StatisticsUse.running : .batch)
            func truth(_ matrix: CurvatureMatrix) throws -> Double {
                try DenseEigen(symmetric: dense(of: CurvatureOperator(matrix, of: oracle, at: theta))).values[0]
            }
            let options: ProbeArguments = ["statistics": .text(use), "tolerance": 1e-8]
            #expect(abs(try run.measure("lambda_max", options)[0].value / truth(.hessian) - 1) < 1e-6)
            #expect(abs(try run.measure("lambda_max_gn", options)[0].value / truth(.ggn) - 1) < 1e-6)
            #expect(abs(try run.measure("ntk_max", options)[0].value / truth(.ntk) - 1) < 1e-6)
            #expect(try run.measure("self_stabilization", options)[0].value > 0)
            #expect(abs(try run.measure("fisher_max", options)[0].value / truth(.fisher) - 1) < 1e-6)
            #expect(
                try GramMatrix(.gradients, .init(scope: ProbeScope(statistics: oracle.use))).isPreferred(for: run)
                    == running)
        }
        #expect(try run.statistics().hasSameBits(as: statistics))
    }
}
