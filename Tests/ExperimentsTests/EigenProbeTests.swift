import Compute
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature
@testable import Experiments

/// Of matrices small enough to be written out, the dense eigenvalues are the truth.
@Suite struct EigenProbes {
    private func eigen(_ run: Run, _ matrix: CurvatureMatrix = .hessian, over samples: BatchSelection = .all) throws
        -> DenseEigen
    {
        try DenseEigen(
            symmetric: dense(of: CurvatureOperator(matrix, of: run.oracle, at: run.parameters, over: samples)))
    }

    private func trained(_ steps: Int = 20) throws -> Run {
        let run = try SmallRun.make()
        try run.train(TrainingGoal(step: steps))
        return run
    }

    @Test func bothEndsAndTheNormOfTheHessianAreThoseOfTheDenseMatrix() throws {
        let run = try trained()
        let truth = try eigen(run).values
        let smallest = try run.measure("lambda_min", ["k": 3, "tolerance": 1e-7]).map(\.value)
        for (value, expected) in zip(smallest, truth.reversed()) { #expect(abs(value - expected) < 1e-6 * truth[0]) }
        let norm = try run.measure("hessian_norm", ["tolerance": 1e-7])[0]
        let largest = try #require(truth.map(abs).max())
        #expect(abs(norm.value / largest - 1) < 1e-6)
        #expect((norm.products ?? 0) > 0 && (norm.residual ?? 1) < 1e-5 * largest && norm.seconds != nil)
    }

    /// Where the Hessian's negative end is the larger one, the norm is positive all the same: −mse of a network that fits well.
    @Test func theNormIsTheSizeOfANegativeEigenvalueWhereThatIsLarger() throws {
        let run = try SmallRun.make()
        // Far out the network saturates and its Hessian loses its Gauss–Newton part: look for a point with |λ_min| > λ_max.
        var found = false
        for seed in 0..<40 where !found {
            var stream = RandomStream(seed: UInt64(seed), purpose: .test)
            try run.setParameters(
                1.5 * Vector.randomNormal(count: run.parameters.count, element: .f64, stream: &stream))
            let truth = try eigen(run).values
            guard -(truth.last ?? 0) > 1.05 * truth[0] else { continue }
            found = true
            let norm = try run.measure("hessian_norm", ["tolerance": 1e-6])[0].value
            #expect(abs(norm + truth[truth.count - 1]) < 1e-5 * norm)
        }
        #expect(found)
    }

    @Test func theGaussNewtonProbeIsOfTheDenseGaussNewtonMatrix() throws {
        let run = try trained()
        let truth = try eigen(run, .ggn).values
        let values = try run.measure("lambda_max_gn", ["k": 2, "tolerance": 1e-7]).map(\.value)
        for (value, expected) in zip(values, truth) { #expect(abs(value / expected - 1) < 1e-6) }
    }

    @Test func aSubsetIsTheSameForAllProbes() throws {
        let run = try trained()
        let subset = try #require(try ProbeScope(samples: 7).indices(of: run))
        let truth = try eigen(run, over: .indices(subset))
        let value = try run.measure("lambda_max", ["samples": 7, "tolerance": 1e-7])[0].value
        #expect(abs(value / truth.values[0] - 1) < 1e-6)
        let gradient = try run.oracle.gradient(at: run.parameters, over: .indices(subset)).gradient
        let u = try Vector(truth.vectors.column(0), element: .f64)
        let expected = abs(try u.dot(gradient)) / gradient.norm()
        let alignment = try run.measure("alignment", ["samples": 7, "tolerance": 1e-7])[0].value
        #expect(abs(alignment - expected) < 1e-5)
    }

    @Test func projectionsOfTheGradientAreThoseOfTheDenseEigenvectors() throws {
        let run = try trained(5)
        let truth = try eigen(run)
        let gradient = try run.gradient()
        let measured = try run.measure("gradient_projection", ["k": 3, "tolerance": 1e-8]).map(\.value)
        var sum = 0.0
        for i in 0..<3 {
            let c = try Vector(truth.vectors.column(i), element: .f64).dot(gradient)
            sum += c * c
            #expect(abs(measured[i] - sum.squareRoot() / gradient.norm()) < 1e-5)
        }
        #expect(measured.count == 4)
        #expect(abs(measured[2] * measured[2] + measured[3] * measured[3] - 1) < 1e-10)
        #expect(abs(try run.measure("alignment", ["tolerance": 1e-8])[0].value - measured[0]) < 1e-5)
    }

    /// (w₁w₂ − 1)² has a saddle at 0: there is no direction of the gradient, so the ratios are not numbers, and nothing traps.
    @Test func ratiosToAVanishingGradientAreNotNumbers() throws {
        let run = try ProductRun.make(0, 0)
        try #require(try run.gradient().norm() == 0)
        #expect(abs(try run.measure("lambda_max")[0].value - 2) < 1e-12)
        #expect(try run.measure("alignment")[0].value.isNaN)
        #expect(try run.measure("gradient_projection", ["k": 2]).allSatisfy { $0.value.isNaN })
    }

    @Test func theAngleBetweenSuccessiveEigenvectorsIsThatOfTheDenseOnes() throws {
        let run = try trained(5)
        let probe = try EigenvectorAngle(.init(k: 2, tolerance: 1e-8))
        #expect(try run.measure(probe)[0].value.isNaN)
        let before = try eigen(run).vectors
        #expect(try run.measure(probe)[0].value < 1e-6)
        try run.train(TrainingGoal(step: 25))
        let after = try eigen(run).vectors
        // sin² of the largest principal angle of two planes: the largest eigenvalue of the difference of projectors, squared.
        var difference = DenseMatrix(zeros: before.rows, before.rows)
        for i in 0..<before.rows {
            for j in 0..<before.rows {
                for l in 0..<2 { difference[i, j] += after[i, l] * after[j, l] - before[i, l] * before[j, l] }
            }
        }
        let sine = try #require(DenseEigen(symmetric: difference).values.first)
        let angle = try run.measure(probe)[0].value
        #expect(sine > 1e-3 && sine < 0.99, "an angle worth measuring")
        #expect(abs(sin(angle) - sine) < 1e-4)
    }

    /// Measured at the same point, one solve serves all: the first pays, the others' products are 0.
    @Test func probesAtOnePointShareOneSolve() throws {
        let run = try trained()
        let first = try run.measure("lambda_max", ["k": 2, "tolerance": 0.001])
        #expect((first[0].products ?? 0) > 0)
        let operations = run.oracle.work
        for name in ["gradient_projection", "eigenvector_angle"] {
            #expect(try run.measure(name, ["k": 2])[0].products == 0)
        }
        #expect(try run.measure("lambda_max")[0].value == first[0].value)
        // One gradient, and no products.
        let spent = run.oracle.work - operations
        #expect(spent < (try run.oracle.productWork()) * 2)
        #expect((try run.measure("lambda_max", ["tolerance": 1e-8])[0].products ?? 0) > 0)
        try run.train(TrainingGoal(step: 21))
        #expect((try run.measure("alignment")[0].products ?? 0) > 0)
    }

    @Test func measuringTwiceGivesTheSameBits() throws {
        let (a, b) = (try trained(), try trained())
        for name in ["lambda_max", "hessian_norm", "lambda_min", "lambda_max_gn", "self_stabilization"] {
            let value = try a.measure(name)[0].value
            #expect(try b.measure(name)[0].value == value)
            #expect(try a.measure(name)[0].value == value)
        }
    }

    @Test func crossingsAreFollowedBesideTheOrderedValues() throws {
        let run = try SmallRun.make(rate: 0.05)
        try run.track(LambdaMax(.init(k: 3, tolerance: 1e-4)), every: 5)
        try run.train(TrainingGoal(step: 20))
        let series = try (1...3).map { try run.series($0 == 1 ? "lambda_max" : "lambda_max_\($0)") }
        for i in series[0].steps.indices {
            #expect(series[0].values[i] >= series[1].values[i] && series[1].values[i] >= series[2].values[i])
            let lists = try #require(series[0].arrays[i])
            #expect(Set(lists["identity"] ?? []).count == 3)
            #expect(lists["cosine"]?.allSatisfy { abs($0) <= 1 + 1e-12 } == true)
        }
        #expect(series[0].arrays[0]?["identity"] == [0, 1, 2])
    }

    static let names = [
        "lambda_max", "lambda_min", "hessian_norm", "lambda_max_gn", "alignment", "gradient_projection",
        "eigenvector_angle", "progressive_sharpening", "self_stabilization", "fisher_max", "ntk_max",
        "second_moment_contraction", "spectral_density",
    ]

    @Test func parametersThatAreNotFiniteAreNamedWithTheProbe() throws {
        let run = try TinyRun.make()
        var theta = run.parameters
        theta[3] = .nan
        try run.setParameters(theta)
        for name in EigenProbes.names {
            let error = #expect(throws: CurvatureError.self) { try run.measure(name) }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains(name) && text.contains("diverged"), "\(text)")
        }
    }

    @Test func whatCannotBeIsRefusedWithBothFigures() throws {
        let run = try SmallRun.make()
        for name in ["lambda_max", "lambda_min", "lambda_max_gn", "gradient_projection", "eigenvector_angle"] {
            let many = #expect(throws: ExperimentError.self) { try run.measure(name, ["k": 84]) }
            #expect(
                many.map { "\($0)" } == "option 'k' is 84: the model has 83 parameters, and so many eigenvalues")
            let samples = #expect(throws: ExperimentError.self) { try run.measure(name, ["samples": 25]) }
            #expect(samples.map { "\($0)" } == "option 'samples' is 25: the data has 24 samples")
        }
        #expect(throws: ExperimentError.self) { try run.measure("hessian_norm", ["k": 2]) }
        #expect(throws: ExperimentError.self) { try run.measure("lambda_max", ["solver": "qr"]) }
        #expect(throws: ExperimentError.self) { try CurvatureEigenvalues(.norm, .init(k: 2)) }
    }
}
