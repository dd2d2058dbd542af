import Compute
import Dynamics
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// Probes of matrices beside the Hessian, against the matrices written out.
@Suite struct EigenProbesOfOtherMatrices {
    private func hessian(_ run: Run, over samples: BatchSelection = .all) throws -> DenseMatrix {
        try dense(of: CurvatureOperator(of: run.oracle, at: run.parameters, over: samples))
    }

    private func trained(_ rule: (any UpdateRule)? = nil, batch: Run.BatchSize = .samples(4)) throws -> Run {
        let run = try SmallRun.make(batch: batch)
        if let rule { try run.setRule(rule) }
        try run.train(TrainingGoal(step: 6))
        return run
    }

    /// 24 samples and 83 parameters: Fisher by its 24 × 24 Gram matrix, the tangent kernel by its 72 × 72 one, each with the
    /// largest eigenvalues of Σ gᵢgᵢᵀ/n and Σ JᵢᵀJᵢ/n.
    @Test(arguments: [(CurvatureEigenvalues.Quantity.fisher, CurvatureMatrix.fisher), (.tangentKernel, .ntk)])
    func gramMatricesHaveTheEigenvaluesOfTheirMatrices(
        _ quantity: CurvatureEigenvalues.Quantity, _ matrix: CurvatureMatrix
    ) throws {
        let run = try trained()
        let truth = try DenseEigen(
            symmetric: dense(of: CurvatureOperator(matrix, of: run.oracle, at: run.parameters))
        ).values
        let probe = try CurvatureEigenvalues(quantity, .init(k: 3, tolerance: 1e-8))
        let direct = try run.largestEigenpairs(matrix, .init(k: 3, tolerance: 1e-8)).values
        let values = try run.measure(probe).map(\.value)
        for i in 0..<3 {
            #expect(abs(values[i] / truth[i] - 1) < 1e-7)
            #expect(abs(direct[i] / truth[i] - 1) < 1e-7)
        }
    }

    @Test func theGramMatrixIsTakenWhereItIsTheSmallerOne() throws {
        let run = try SmallRun.make()
        #expect(try GramMatrix(.gradients, .init()).isPreferred(for: run))
        // 24 rows have no more than 24 eigenvalues, and (w₁w₂ − 1)² has more parameters than none.
        #expect(try !GramMatrix(.gradients, .init(k: 25)).isPreferred(for: run))
        #expect(try !GramMatrix(.jacobians, .init(k: 80)).isPreferred(for: run))
        let values = try run.measure("fisher_max", ["k": 25]).map(\.value)
        #expect(abs(values[24]) < 1e-10 * values[0])
    }

    /// P of RMSProp at θ_t from the gradients of the steps and the one at θ_t, by hand, at several t.
    @Test func preconditionedIsOfTheMatrixWrittenOut() throws {
        let (rate, factor, epsilon) = (1e-3, 0.9, 1e-3)
        let rule = try AdaptiveGradient(learningRate: rate, kind: .rmsprop, factor: factor, epsilon: epsilon)
        let run = try SmallRun.make(batch: .full)
        try run.setRule(rule)
        var squares = [Double](repeating: 0, count: run.parameters.count)
        for step in 1...4 {
            let g = try run.gradient().values
            for i in g.indices { squares[i] = factor * squares[i] + (1 - factor) * g[i] * g[i] }
            try run.train(TrainingGoal(step: step))
        }
        // The gradient at θ_t enters, by which the step from there is divided.
        func truth() throws -> [Double] {
            let g = try run.gradient().values
            let now = zip(squares, g).map { factor * $0 + (1 - factor) * $1 * $1 }
            var matrix = try hessian(run)
            let roots = now.map { ($0.squareRoot() + epsilon).squareRoot() }
            for i in roots.indices { for j in roots.indices { matrix[i, j] /= roots[i] * roots[j] } }
            return DenseEigen(symmetric: matrix).values
        }
        let values = try run.measure("preconditioned_lambda_max", ["k": 2, "tolerance": 1e-7]).map(\.value)
        let expected = try truth()
        #expect(abs(values[0] / expected[0] - 1) < 1e-6 && abs(values[1] / expected[1] - 1) < 1e-6)
        let effective = try run.measure("effective_sharpness")[0]
        #expect(abs(effective.value - rate * values[0]) < 1e-12 * values[0])
        #expect(effective.products == 0, "shared")
        #expect(run.rule.edge(of: .effectiveSharpness, isFullBatch: true) == 2)
        #expect(try run.measure("gradient_norm")[0].operations == 0, "the gradient is the run's own")
    }

    /// Adam's: bias corrections of step t + 1, with the gradient over the probe's samples whatever the batches are.
    @Test(arguments: [nil, 7]) func ofMiniBatchesTheGradientOfTheProbesSamplesEnters(samples: Int?) throws {
        let run = try SmallRun.make(batch: .samples(3))
        let rule = try Adam(learningRate: 1e-3, momentumFactor: 0.8, squareFactor: 0.9, epsilon: 1e-3)
        try run.setRule(rule)
        var squares = [Double](repeating: 0, count: run.parameters.count)
        var sampler = run.sampler
        for step in 1...3 {
            let batch = sampler.next(3) { Array($0) }
            let g = try run.oracle.gradient(at: run.parameters, over: .indices(batch)).gradient.values
            for i in g.indices { squares[i] = 0.9 * squares[i] + 0.1 * g[i] * g[i] }
            try run.train(TrainingGoal(step: step))
        }
        let scope = ProbeScope(samples: samples)
        let g = try run.oracle.gradient(at: run.parameters, over: scope.selection(of: run)).gradient.values
        let roots = zip(squares, g).map { square, g in
            let nu = (0.9 * square + 0.1 * g * g) / (1 - pow(0.9, 4))
            return ((1 - pow(0.8, 4)) * (nu.squareRoot() + 1e-3)).squareRoot()
        }
        var matrix = try dense(
            of: CurvatureOperator(of: run.oracle, at: run.parameters, over: scope.selection(of: run)))
        for i in roots.indices { for j in roots.indices { matrix[i, j] /= roots[i] * roots[j] } }
        var options: ProbeArguments = ["tolerance": 1e-7]
        if let samples { options["samples"] = .integer(samples) }
        let value = try run.measure("preconditioned_lambda_max", options)[0].value
        #expect(abs(value / DenseEigen(symmetric: matrix).values[0] - 1) < 1e-6)
    }

    /// Before the first step the preconditioner is that of the full gradient; the solve is not taken for another rule's.
    @Test func atTheStartThePreconditionerIsThatOfTheFirstGradient() throws {
        let run = try SmallRun.make(batch: .full)
        try run.setRule(AdaptiveGradient(learningRate: 1e-3, kind: .scalarRMSProp, factor: 0.75, epsilon: 0))
        let lambda = try run.measure("lambda_max", ["tolerance": 1e-7])[0].value
        let norm = try run.gradient().norm()
        let measured = try run.measure("preconditioned_lambda_max", ["tolerance": 1e-7])[0].value
        #expect(abs(measured * 0.5 * norm / lambda - 1) < 1e-6)
        try run.setRule(AdaptiveGradient(learningRate: 1e-3, kind: .scalarRMSProp, factor: 0, epsilon: 0))
        let again = try run.measure("preconditioned_lambda_max", ["tolerance": 1e-7])[0].value
        #expect(abs(again * norm / lambda - 1) < 1e-6)
    }

    @Test func aRuleWithoutAPreconditionerIsRefusedWhenTracked() throws {
        let run = try SmallRun.make()
        for name in ["preconditioned_lambda_max", "effective_sharpness"] {
            let error = #expect(throws: ExperimentError.self) { try run.measure(name) }
            #expect(error.map { "\($0)" }?.contains("sgd has no preconditioner") == true)
        }
        try run.setRule(AdaptiveGradient(learningRate: 1e-3, kind: .rmsprop))
        let probe = try ProbeCatalogue.probe("effective_sharpness", for: run)
        #expect(try run.measure(probe)[0].value > 0)
        try run.setRule(SGD(learningRate: 0.1))
        #expect(try run.measure(probe)[0].value.isNaN)
    }

    @Test func secondMomentsAreThoseOfTheMatricesWrittenOut() throws {
        let run = try TinyRun.make()
        let batches = [[0, 1, 2, 3], [4, 4, 5], [7], [6, 2]]
        let rate = run.learningRate
        var matrix = try hessian(run)
        for i in matrix.values.indices { matrix.values[i] *= -2 * rate }
        for batch in batches {
            let h = try hessian(run, over: .indices(batch))
            let square = h.times(h)
            for i in matrix.values.indices { matrix.values[i] += rate * rate / 4 * square.values[i] }
        }
        let truth = DenseEigen(symmetric: matrix).values[0]
        let measured = try run.measure(
            "second_moment_contraction", ["batches": .batches(batches), "tolerance": 1e-6])[0]
        #expect(abs(measured.value - truth) < 1e-5 * abs(truth))
        #expect(measured.standardError == 0 && measured.samples == 4)
    }

    /// Of all samples, −2ηλ + η²λ²: at its largest where λ is smallest, or above 2/η.
    @Test func secondMomentsOfTheFullBatchAreAPolynomialOfTheHessian() throws {
        let run = try TinyRun.make(batch: .full)
        let rate = run.learningRate
        let values = try DenseEigen(symmetric: hessian(run)).values.map { -2 * rate * $0 + rate * rate * $0 * $0 }
        let truth = try #require(values.max())
        let measured = try run.measure("second_moment_contraction", ["tolerance": 1e-6])[0]
        #expect(abs(measured.value - truth) < 1e-5 * abs(truth))
        #expect(measured.samples == 1 && measured.standardError == 0)
    }

    @Test func secondMomentsOfRandomBatchesHaveAnError() throws {
        let run = try TinyRun.make()
        let measured = try run.measure("second_moment_contraction", ["batch_size": 2, "max_samples": 12])[0]
        #expect(measured.samples == 12 && (measured.standardError ?? 0) > 0)
        #expect(
            try run.measure("second_moment_contraction", ["batch_size": 2, "max_samples": 12])[0].value
                == measured.value)
        #expect(throws: ExperimentError.self) {
            try run.measure("second_moment_contraction", ["batches": .batches([[1]]), "max_samples": 3])
        }
        #expect(throws: ExperimentError.self) { try run.measure("second_moment_contraction", ["batch_size": 9]) }
    }

    @Test func theDensityKeepsItsQuadrature() throws {
        let run = try trained()
        let truth = try DenseEigen(symmetric: hessian(run)).values
        let measured = try run.measure("spectral_density", ["vectors": 3, "steps": 20])[0]
        let lists = try #require(measured.arrays)
        let (nodes, weights) = (lists["nodes"] ?? [], lists["weights"] ?? [])
        #expect(nodes.count == weights.count && nodes.count == lists["vector"]?.count)
        #expect(Set(lists["vector"] ?? []) == [0, 1, 2])
        #expect(abs(weights.reduce(0, +) - 1) < 1e-12)
        #expect(abs(measured.value / truth[0] - 1) < 0.01)
        #expect(measured.value == nodes.max() && (measured.residual ?? 1) < 0.01 * truth[0])
        #expect((measured.products ?? 0) == 60)
    }
}
