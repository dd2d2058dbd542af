import Compute
import Dynamics
import Foundation
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// Monte-Carlo probes against their definitions, written out with gradients and Hessian-vector products of single batches, in
/// f64 on a small network.
@Suite struct MonteCarloProbes {
    /// A run some steps into training, so that nothing is special, and what its probes are made of.
    struct Laboratory {
        let run: Run
        var theta: Vector { run.parameters }

        init(rule: any UpdateRule = SGD(learningRate: 0.02), batch: Run.BatchSize = .samples(4)) throws {
            run = try SmallRun.make(batch: batch)
            try run.setRule(rule)
            try run.train(TrainingGoal(step: 10))
        }

        func gradient(_ batch: [Int]) throws -> Vector {
            try run.oracle.gradient(at: theta, over: .indices(batch)).gradient
        }

        func form(_ v: Vector, _ batch: [Int], _ matrix: CurvatureMatrix = .hessian) throws -> Double {
            try v.dot(CurvatureOperator(matrix, of: run.oracle, at: theta, over: .indices(batch)).apply(v))
        }

        func loss(at theta: Vector, _ batch: [Int]) throws -> Double {
            try run.oracle.evaluate(at: theta, over: .indices(batch)).loss
        }

        /// The five samples that probes with `samples = 5` look at, and the ten batches of two of them: all that E_B goes over.
        func five() throws -> (samples: [Int], batches: [[Int]]) {
            let samples = try #require(try ProbeScope(samples: 5).indices(of: run))
            return (samples, (0..<5).flatMap { i in (0..<i).map { [samples[i], samples[$0]] } })
        }
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The estimate over random batches of two out of five lies within four standard errors of the mean over all ten; over the ten
    /// by name, and where the probe is exact, it is that mean.
    private func expect(
        _ name: String, _ lab: Laboratory, is truth: Double, series: Int = 0, isExact: Bool = false,
        draws: Int = 400, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let options: ProbeArguments = [
            "samples": 5, "batch_size": 2, "rel_error": 0, "max_samples": .integer(draws),
        ]
        let found = try lab.run.measure(name, options)[series]
        let error = try #require(found.standardError, sourceLocation: sourceLocation)
        if isExact {
            #expect(error == 0 && found.samples == 5, sourceLocation: sourceLocation)
            #expect(abs(found.value / truth - 1) < 1e-10, "\(found.value), \(truth)", sourceLocation: sourceLocation)
        } else {
            #expect(error > 0 && error < 0.2 * abs(truth), "\(error)", sourceLocation: sourceLocation)
            #expect(found.samples == draws, sourceLocation: sourceLocation)
            #expect(
                abs(found.value - truth) < 4 * error, "\(found.value) ± \(error), \(truth)",
                sourceLocation: sourceLocation)
        }
    }

    @Test func batchSharpnessAndItsVariants() throws {
        let lab = try Laboratory()
        let batches = try lab.five().batches
        let (forms, squares) = (
            try batches.map { try lab.form(lab.gradient($0), $0) }, try batches.map { try lab.gradient($0).squaredNorm }
        )
        let gaussNewton = try batches.map { try lab.form(lab.gradient($0), $0, .ggn) / lab.gradient($0).squaredNorm }
        try expect("batch_sharpness", lab, is: mean(zip(forms, squares).map { $0 / $1 }))
        try expect("batch_sharpness_ratio", lab, is: mean(forms) / mean(squares))
        try expect("batch_sharpness_gn", lab, is: mean(gaussNewton))
        let named: ProbeArguments = ["batches": .batches(batches)]
        let ratio = try lab.run.measure("batch_sharpness_ratio", named)[0]
        #expect(abs(ratio.value / (mean(forms) / mean(squares)) - 1) < 1e-10 && ratio.standardError == 0)
        let gn = try lab.run.measure("batch_sharpness_gn", named)[0]
        #expect(abs(gn.value / mean(gaussNewton) - 1) < 1e-10 && gn.samples == 10)
    }

    @Test func momentumBatchSharpnessIsAlongTheStepOfMomentum() throws {
        let lab = try Laboratory(rule: try HeavyBall(learningRate: 0.005, factor: 0.5))
        let batches = try lab.five().batches
        let v = try #require(lab.run.rule.momentum?.velocity)
        let steps = try batches.map { try 0.5 * v + lab.gradient($0) }
        let forms = try zip(steps, batches).map { try lab.form($0, $1) }
        let slopes = try zip(steps, batches).map { try $0.dot(lab.gradient($1)) }
        let quotients = zip(forms, slopes).map { $0 / $1 }
        // Whether the quotient may have no variance is a matter of the batches, told from their cosines.
        let cosines = try zip(steps, batches).map { step, batch in
            let gradient = try lab.gradient(batch)
            return try step.dot(gradient) / (step.norm() * gradient.norm())
        }
        let keepsAway = cosines.allSatisfy { $0 >= 0.1 }
        if keepsAway { try expect("momentum_batch_sharpness", lab, is: mean(quotients), draws: 4000) }
        let options: ProbeArguments = ["samples": 5, "batch_size": 2, "rel_error": 0, "max_samples": 200]
        let drawn = try lab.run.measure("momentum_batch_sharpness", options)
        #expect((drawn[0].standardError != nil) == keepsAway && (drawn[0].interval != nil) == keepsAway)
        let median = mean(Array(quotients.sorted()[4...5]))
        #expect(try #require(drawn[2].interval).contains(median))
        try expect("momentum_batch_sharpness", lab, is: mean(forms) / mean(slopes), series: 1)
        let named = try lab.run.measure("momentum_batch_sharpness", ["batches": .batches(batches)])
        #expect(abs(named[0].value / mean(zip(forms, slopes).map { $0 / $1 }) - 1) < 1e-10)
        #expect(abs(named[1].value / (mean(forms) / mean(slopes)) - 1) < 1e-10 && named[1].standardError == 0)
        #expect(abs(named[2].value / median - 1) < 1e-10 && named[2].standardError == 0)
    }

    @Test func withoutAVelocityYetTheStepIsTheGradient() throws {
        let run = try SmallRun.make()
        try run.setRule(HeavyBall(learningRate: 0.01))
        let batches: ProbeArguments = ["batches": .batches([[1, 2, 3], [4, 5, 6]])]
        let (ours, plain) = (
            try run.measure("momentum_batch_sharpness", batches)[0].value,
            try run.measure("batch_sharpness", batches)[0].value
        )
        #expect(abs(ours / plain - 1) < 1e-10)
    }

    @Test func aRuleWithoutMomentumIsNamed() throws {
        let run = try SmallRun.make()
        let error = #expect(throws: ExperimentError.self) {
            try ProbeCatalogue.probe("momentum_batch_sharpness", for: run)
        }
        #expect("\(try #require(error))".contains("run 'small' has sgd"))
        // A rule that is changed later leaves a gap, and training goes on.
        try run.setRule(HeavyBall(learningRate: 0.01))
        let probe = try ProbeCatalogue.probe("momentum_batch_sharpness", ["max_samples": 4], for: run)
        try run.setRule(SGD(learningRate: 0.01))
        #expect(try run.measure(probe).allSatisfy { $0.value.isNaN })
    }

    @Test func theGradientNoiseInteraction() throws {
        let lab = try Laboratory()
        let (samples, batches) = try lab.five()
        let square = try lab.gradient(samples).squaredNorm
        let truth = try mean(batches.map { try lab.form(lab.gradient($0), samples) }) / square
        try expect("gni", lab, is: truth)
    }

    /// What is known of g_BᵀHg_B is taken off with its mean: what is left scatters less. Of 24 samples with 3 outputs the sketch
    /// of 16 directions leaves little, so the bound is far from what is measured, a hundredth.
    @Test func theControlVariatesOfGNILowerItsError() throws {
        let lab = try Laboratory()
        let gradient = try lab.run.gradient()
        let hessian = CurvatureOperator(of: lab.run.oracle, at: lab.theta)
        var stream = RandomStream(seed: 4, purpose: .test)
        let plain = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 200).mean { count in
            try (0..<count).map { _ in try lab.gradient(stream.sample(4, from: 24)) }
                .map { try $0.dot(hessian.apply($0)) / gradient.squaredNorm }
        }
        let found = try lab.run.measure("gni", ["max_samples": 200])[0]
        #expect(abs(found.value - plain.value) < 4 * plain.standardError)
        #expect(try #require(found.standardError) < 0.2 * plain.standardError)
    }

    /// How the batches of batch sharpness are drawn: of 24 samples, in batches of three, eight make a permutation, and the means of
    /// ‖g_B‖² and L_B cost as much as 16: 40 and 397 batches have control variates, 400 are whole permutations. Each way has the
    /// expectation, and a smaller error than independent batches.
    @Test(arguments: ["batch_sharpness", "batch_sharpness_ratio", "batch_sharpness_gn"], [40, 397, 400])
    func batchesAreDrawnInTheWayThatCostsLeast(name: String, draws: Int) throws {
        let lab = try Laboratory()
        let found = try lab.run.measure(
            name, ["batch_size": 3, "rel_error": 0, "max_samples": .integer(draws)])[0]
        let batches = (0..<24).flatMap { i in (0..<i).flatMap { j in (0..<j).map { [i, j, $0] } } }
        let curvature = try lab.run.oracle.batchCurvature(
            name == "batch_sharpness_gn" ? .ggn : .hessian, at: lab.theta, batches: batches.flatMap { $0 }, size: 3)
        let meanSquare = mean(curvature.map(\.squaredGradientNorm))
        let ratio = mean(curvature.map(\.quadratic)) / meanSquare
        let isRatio = name == "batch_sharpness_ratio"
        let truth = isRatio ? ratio : mean(curvature.map(\.ratio))
        let error = try #require(found.standardError)
        #expect(found.samples == draws && abs(found.value - truth) < 4 * error)
        let scatter =
            isRatio
            ? mean(curvature.map { pow(($0.quadratic - ratio * $0.squaredGradientNorm) / meanSquare, 2) }).squareRoot()
            : mean(curvature.map { pow($0.ratio - truth, 2) }).squareRoot()
        // The error of 40 draws is itself known to a fifth or so.
        let bound = draws == 40 ? 1.5 : 0.95
        #expect(error < bound * scatter / Double(draws).squareRoot(), "\(error), \(scatter)")
    }

    /// Asked for little, a probe stops before it would pay for more.
    @Test func anEstimateThatIsSoonPreciseIsOfAFewBatches() throws {
        let lab = try Laboratory()
        let found = try lab.run.measure("batch_sharpness", ["rel_error": 0.2, "batch_size": 8, "max_samples": 5000])[0]
        #expect(try #require(found.samples) <= 64)
        #expect(try #require(found.standardError) <= 0.2 * found.value)
    }

    @Test func theMeanSquaredGradientOfBatchesIsExact() throws {
        let lab = try Laboratory()
        let truth = try mean(lab.five().batches.map { try lab.gradient($0).squaredNorm })
        try expect("gradient_norm_mc", lab, is: truth, isExact: true)
    }

    @Test func theProjectedNoiseIsExact() throws {
        let lab = try Laboratory()
        let (samples, batches) = try lab.five()
        let hessian = CurvatureOperator(of: lab.run.oracle, at: lab.theta, over: .indices(samples))
        let u = try Vector(
            DenseEigen(symmetric: dense(of: hessian)).vectors.column(0), element: .f64)
        let slopes = try batches.map { try lab.gradient($0).dot(u) }
        let truth = mean(slopes.map { ($0 - mean(slopes)) * ($0 - mean(slopes)) })
        let found = try lab.run.measure("projected_noise", ["samples": 5, "batch_size": 2, "tolerance": 1e-9])[0]
        // The eigenvector is as good as its residual, about the root of the eigenvalue's tolerance.
        #expect(abs(found.value / truth - 1) < 1e-3 && found.samples == 5)
        // Nothing is sampled: what is not known is the eigenvector, and that is its residual's to say.
        #expect(found.standardError == nil && found.residual != nil)
        #expect(try #require(found.products) > 0)
        // λ_max that follows, by its own formula.
        let both = try lab.run.measure("projected_noise", ["tolerance": 1e-9])
        let edge = try lab.run.selfStabilization(EigenSettings(tolerance: 1e-9))
        let predicted = 100 - 0.02 * edge.strength * both[0].value / (4 * edge.progressiveSharpening)
        #expect(edge.progressiveSharpening > 0 ? abs(both[1].value / predicted - 1) < 1e-6 : both[1].value.isNaN)
        try lab.run.setRule(HeavyBall(learningRate: 0.02))
        #expect(try lab.run.measure("projected_noise")[1].value.isNaN)
    }

    /// The pairs of batches that are drawn where statistics are shared have the same expectation.
    @Test func theVarianceOverPairsOfBatches() throws {
        let lab = try Laboratory()
        let (_, batches) = try lab.five()
        let source = try BatchSampling(
            relativeError: 0, minSamples: 1, maxSamples: 2000, batchSize: 2, scope: ProbeScope(samples: 5)
        ).source(of: lab.run, RandomStream(seed: 1, purpose: .test))
        let all = batches.map { Double($0[0] * $0[1]) }
        let truth = mean(all.map { ($0 - mean(all)) * ($0 - mean(all)) })
        let found = try source.variance { numbers, size in
            stride(from: 0, to: numbers.count, by: size).map { Double(numbers[$0] * numbers[$0 + 1]) }
        }
        #expect(found.samples == 2000 && abs(found.value - truth) < 4 * found.standardError)
        #expect(found.standardError < 0.1 * truth)
    }

    @Test(arguments: ["sgd", "momentum", "nesterov", "adam"])
    func oneStepOfTheRuleChangesTheLoss(name: String) throws {
        let rule: any UpdateRule =
            switch name {
            case "sgd": SGD(learningRate: 0.02)
            case "momentum": try HeavyBall(learningRate: 0.01, factor: 0.5)
            case "nesterov": try HeavyBall(learningRate: 0.01, factor: 0.5, kind: .nesterov)
            default: try Adam(learningRate: 0.003)
            }
        let lab = try Laboratory(rule: rule)
        #expect(lab.run.rule.name == name)
        let (samples, batches) = try lab.five()
        let before = try lab.loss(at: lab.theta, samples)
        let changes = try batches.map { batch in
            var rule = lab.run.rule
            var theta = lab.theta
            _ = try batch.withUnsafeBufferPointer { try rule.step(&theta, StepOracle(lab.run.oracle, batch: $0)) }
            return try lab.loss(at: theta, samples) - before
        }
        let scale = try lab.run.learningRate * lab.gradient(samples).squaredNorm
        try expect("one_step_loss_change", lab, is: mean(changes) / scale)
    }

    /// −1 + (η/2)·gni + O(η²): at a hundredth of the rate the remainder is a ten-thousandth.
    @Test func toSecondOrderTheLossChangeIsThatOfGNI() throws {
        let lab = try Laboratory()
        try lab.run.setLearningRate(1e-5)
        let pairs = try lab.five().batches
        let change = try lab.run.measure("one_step_loss_change", ["batches": .batches(pairs)])[0].value
        let gni = try lab.run.measure("gni", ["batches": .batches(pairs)])[0].value
        let all = try lab.run.gradient()
        // Over named batches the mean gradient is not g: the first-order term is their own.
        let first = try mean(pairs.map { try lab.gradient($0).dot(all) }) / all.squaredNorm
        #expect(abs(change + first - 0.5e-5 * gni) < 1e-3 * 0.5e-5 * gni)
    }

    @Test(arguments: TraceMethod.allCases) func everyMethodEstimatesTheTrace(_ method: TraceMethod) throws {
        let lab = try Laboratory()
        let matrix = try dense(of: CurvatureOperator(of: lab.run.oracle, at: lab.theta))
        let truth = (0..<matrix.rows).reduce(0) { $0 + matrix[$1, $1] }
        let found = try lab.run.measure(
            "hessian_trace", ["method": .text(method.rawValue), "rel_error": 0, "max_samples": 40])[0]
        #expect(abs(found.value - truth) < 4 * (try #require(found.standardError)))
        #expect(try #require(found.products) <= 40)
    }

    @Test func theTemperatureIsOfRateBatchAndMomentum() throws {
        let lab = try Laboratory(rule: try HeavyBall(learningRate: 0.03, factor: 0.75))
        #expect(abs(try lab.run.measure("temperature")[0].value - 0.03 / (4 * 0.25)) < 1e-15)
        let probe = try ProbeCatalogue.probe("temperature", for: lab.run)
        try lab.run.setRule(SGD(learningRate: 0.03))
        #expect(try lab.run.measure("temperature")[0].value == 0.03 / 4)
        // A rule that divides by a P has a rate for each direction.
        let rules: [any UpdateRule] = [
            try Adam(learningRate: 0.03), try Adam(learningRate: 0.03, weightDecay: 0.1),
            try AdaptiveGradient(learningRate: 0.03, kind: .rmsprop),
        ]
        for rule in rules {
            try lab.run.setRule(rule)
            #expect(try lab.run.measure(probe)[0].value.isNaN)
            let error = #expect(throws: ExperimentError.self) { try lab.run.measure("temperature") }
            #expect("\(try #require(error))".contains("\(rule.name), which run 'small' has, divides its step"))
        }
    }

    /// Of a full batch there is nothing to draw, and the curvatures agree: all are that of the Hessian along the gradient.
    @Test func ofTheFullBatchAllAreExact() throws {
        let lab = try Laboratory(rule: try HeavyBall(learningRate: 0.005, factor: 0), batch: .full)
        let all = Array(0..<24)
        let g = try lab.run.gradient()
        let truth = try lab.form(g, all) / g.squaredNorm
        for name in ["batch_sharpness", "batch_sharpness_ratio", "momentum_batch_sharpness", "gni"] {
            let found = try lab.run.measure(name)[0]
            #expect(found.standardError == 0 && found.samples == 1, "\(name)")
            #expect(abs(found.value / truth - 1) < 1e-10, "\(name)")
        }
        let norm = try lab.run.measure("gradient_norm_mc")[0]
        #expect(abs(norm.value / g.squaredNorm - 1) < 1e-10 && norm.standardError == 0)
        let noise = try lab.run.measure("projected_noise")[0]
        #expect(noise.value == 0 && noise.standardError == 0)
        let change = try lab.run.measure("one_step_loss_change")[0]
        #expect(change.standardError == 0 && change.value < 0)
    }

    /// Every probe there is, under a rule that has it.
    @Test(arguments: [false, true]) func probesDoNotDisturbTheTraining(adaptive: Bool) throws {
        let plain = try SmallRun.make(element: .f32)
        let measured = try SmallRun.make(element: .f32)
        for run in [plain, measured] {
            try run.setRule(adaptive ? Adam(learningRate: 0.001) : HeavyBall(learningRate: 0.01))
        }
        let adaptiveOnes: Set = ["preconditioned_lambda_max", "effective_sharpness"]
        let momentumOnes: Set = ["momentum_batch_sharpness", "temperature"]
        for declaration in ProbeCatalogue.all
        where !(adaptive ? momentumOnes : adaptiveOnes).contains(declaration.name) {
            let options: ProbeArguments = declaration.takes("max_samples") ? ["max_samples": 20] : [:]
            try measured.track(declaration.probe(options, for: measured), every: 7)
        }
        for run in [plain, measured] { try run.train(TrainingGoal(step: 22)) }
        #expect(measured.parameters.hasSameBits(as: plain.parameters))
        if !adaptive {
            let velocities = [plain, measured].map { $0.rule.momentum?.velocity }
            #expect(try #require(velocities[0]).hasSameBits(as: try #require(velocities[1])))
        }
        let missing = ProbeCatalogue.all.map(\.name).filter { !measured.seriesNames.contains($0) }
        #expect(Set(missing) == (adaptive ? momentumOnes : adaptiveOnes))
        for name in measured.seriesNames {
            let steps = try measured.series(name).steps
            #expect(steps == [0, 7, 14, 21] || steps == [7, 14, 21], "\(name)")
        }
    }

    /// Where samples share batch statistics there are no gradients of single samples: batches are drawn, of the gradients of
    /// which the mean is not that of all samples.
    @Test func withBatchStatisticsEverythingIsDrawn() throws {
        let model = try Model(
            name: "normalised", element: .f64,
            parameters: [.init(name: "w", shape: [3, 4], initializer: .normal(std: 0.6))],
            statistics: [.init(name: "bn", shape: [3])], inputShape: [4], seed: 2
        ) { x, p, statistics in
            let z = try p[0].dot(x)
            let (mean, variance) = try statistics.moments("bn", of: z, over: [])
            return try ((z - mean) / (variance + 1e-5).sqrt()).tanh()
        }
        let data = try SmallRun.data()
        let run = try Run(
            name: "normalised", objective: Objective(model: model, loss: .mse, data: data), data: data,
            rule: SGD(learningRate: 0.05), batchSize: .samples(6), seed: 1)
        try run.train(TrainingGoal(step: 5))
        for name in ["gradient_norm_mc", "projected_noise", "gni", "one_step_loss_change"] {
            let drawn = try run.measure(name, ["rel_error": 0, "max_samples": 60])[0]
            #expect(try #require(drawn.standardError) > 0, "\(name)")
            // With running values samples are apart.
            let running = try run.measure(name, ["statistics": "running", "rel_error": 0, "max_samples": 60])[0]
            #expect(running.value.isFinite && abs(running.value / drawn.value - 1) > 1e-6, "\(name)")
        }
    }
}
