import Compute
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Curvature

/// Estimators and composed operators on the curvature of a real network, against its dense matrix. f64: what remains beside
/// sampling errors is rounding, 1e-10 of sums of some thousand terms.
@Suite struct NetworkEstimatorTests {
    private let problem: NetworkProblem
    private let hessian: CurvatureOperator
    private let matrix: DenseMatrix
    private let eigen: DenseEigen

    init() throws {
        problem = try NetworkProblem()
        hessian = CurvatureOperator(of: problem.oracle, at: problem.theta)
        matrix = try dense(of: hessian)
        eigen = DenseEigen(symmetric: matrix)
    }

    private var p: Int { matrix.rows }

    @Test func blocksAndSubspacesAreThoseOfTheDenseMatrix() throws {
        let block = try dense(of: hessian.restricted(to: [0..<20]))
        let (top, next) = (eigen.vectors.column(0), eigen.vectors.column(1))
        let span = try [top, zip(top, next).map { $0 + $1 }].map { try Vector($0, element: .f64) }
        let small = DenseEigen(symmetric: try dense(of: hessian.restricted(toSpanOf: span)))
        let rest = DenseEigen(symmetric: try dense(of: hessian.projected(outOf: span)))
        for i in 0..<20 { for j in 0..<20 { #expect(abs(block[i, j] - matrix[i, j]) < 1e-10) } }
        for i in 0..<2 { #expect(abs(small.values[i] - eigen.values[i]) < 1e-10) }
        #expect(abs(rest.values[0] - eigen.values[2]) < 1e-10)
        try expectConsistentQuadratics(hessian.restricted(to: [3..<9, 20..<39]), within: 1e-9)
        try expectConsistentQuadratics(hessian.projected(outOf: span), within: 1e-9)
    }

    @Test func squaresProductsAndPreconditionedMatricesAreThoseOfTheDenseMatrix() throws {
        let ggn = CurvatureOperator(.ggn, of: problem.oracle, at: problem.theta)
        let other = try dense(of: ggn)
        let mixed = matrix.times(other).plus(other.times(matrix)).mapColumns { $1 / 2 }
        expectEqual(try dense(of: hessian.times(ggn)), mixed, within: 1e-9)
        expectEqual(try dense(of: hessian.squared()), matrix.times(matrix), within: 1e-9)
        let diagonal = (0..<p).map { 0.5 + Double($0 % 5) }
        let scaled = try dense(of: hessian.preconditioned(by: .diagonal(Vector(diagonal, element: .f64))))
        for i in 0..<p {
            for j in 0..<p {
                #expect(abs(scaled[i, j] - matrix[i, j] / (diagonal[i] * diagonal[j]).squareRoot()) < 1e-10)
            }
        }
        try expectConsistentQuadratics(hessian.squared(), within: 1e-8)
        try expectConsistentQuadratics(hessian.times(ggn), within: 1e-8)
    }

    @Test func theHessianIsTheAverageOfThoseOfItsBatches() throws {
        let batches = (0..<4).map { i in
            CurvatureOperator(
                of: problem.oracle, at: problem.theta, over: .indices(Array(3 * i..<3 * i + 3))) as any LinearOperator
        }
        expectEqual(try dense(of: average(of: batches)), matrix, within: 1e-10)
        #expect(try average(of: batches).productWork != nil)
    }

    @Test(arguments: TraceMethod.allCases)
    func theTraceIsWithinItsErrorBar(method: TraceMethod) throws {
        let truth = (0..<p).reduce(0) { $0 + matrix[$1, $1] }
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 30)
        let estimate = try trace(of: hessian, method: method, samples: rule, stream: &stream)
        #expect(estimate.standardError > 0)
        // 99.9 %: one seed in a thousand fails.
        let (lower, upper) = estimate.interval(0.999)
        #expect(lower <= truth && truth <= upper)
        #expect(try abs(exactTrace(of: hessian).value - truth) < 1e-10)
    }

    @Test func theDiagonalIsWithinItsErrorBars() throws {
        let exact = try exactDiagonal(of: hessian)
        for i in 0..<p { #expect(abs(exact.values[i] - matrix[i, i]) < 1e-10) }
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 30)
        let estimate = try diagonal(of: hessian, samples: rule, stream: &stream)
        for i in 0..<p { #expect(abs(estimate.values[i] - matrix[i, i]) <= 5 * estimate.standardErrors[i]) }
    }

    @Test func dampedSystemsAreSolvedAndIndefiniteOnesSaid() throws {
        let b = try problem.oracle.gradient(at: problem.theta).gradient
        #expect(throws: CurvatureError.self) { try solve(hessian, b) }
        let damping = 0.1 - min(0, eigen.values[p - 1])
        let solution = try solve(hessian, b, damping: damping, tolerance: 1e-10)
        #expect(solution.converged)
        // x = Σ uᵢ(uᵢᵀb)/(λᵢ + δ).
        let expected = (0..<p).map { row in
            (0..<p).reduce(0) { sum, i in
                let share = (0..<p).reduce(0) { $0 + eigen.vectors[$1, i] * b[$1] }
                return sum + eigen.vectors[row, i] * share / (eigen.values[i] + damping)
            }
        }
        #expect(try (solution.x - Vector(expected, element: .f64)).norm() < 1e-8 * solution.x.norm())
    }

    @Test func theDensityHasTheMomentsOfTheDenseMatrix() throws {
        // Less products than p = 129, so that Lanczos runs.
        let problem = try NetworkProblem(hidden: 14, loss: .crossEntropy)
        let hessian = CurvatureOperator(of: problem.oracle, at: problem.theta)
        var stream = RandomStream(seed: 1, purpose: .test)
        let density = try spectralDensity(of: hessian, vectors: 8, steps: 12, stream: &stream)
        #expect(!density.isExact && hessian.products == 96)
        let matrix = try dense(of: hessian)
        let square = matrix.values.reduce(0) { $0 + $1 * $1 }
        let truths = [(0..<129).reduce(0) { $0 + matrix[$1, $1] } / 129, square / 129]
        for (k, truth) in zip([1, 2], truths) {
            let (lower, upper) = density.moment(k).interval(0.999)
            #expect(lower <= truth && truth <= upper)
        }
    }
}
