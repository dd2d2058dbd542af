import Compute
import Graph
import Testing

@testable import Curvature

@Suite struct ConjugateGradientsTests {
    private func vector(_ count: Int, element: ElementType = .f64) throws -> Vector {
        var stream = RandomStream(seed: 3, purpose: .test)
        return try Vector.randomNormal(count: count, element: element, stream: &stream)
    }

    private func residual(_ matrix: some LinearOperator, _ b: Vector, _ x: Vector, damping: Double) throws -> Double {
        var r = try matrix.apply(x)
        try r.add(damping, x)
        return try (r - b).norm() / b.norm()
    }

    @Test(arguments: [0.0, 0.5])
    func theSolutionSolvesTheDampedSystem(damping: Double) throws {
        let matrix = try KnownSpectrum((1...200).map { Double($0) / 10 })
        let b = try vector(200)
        let solution = try solve(matrix, b, damping: damping, tolerance: 1e-9)
        #expect(solution.converged && !solution.stagnated)
        #expect(solution.products == matrix.products)
        #expect(solution.residual <= 1e-9)
        // The residual it reports is the true one, to rounding of a product.
        #expect(try abs(residual(matrix, b, solution.x, damping: damping) - solution.residual) < 1e-13)
    }

    @Test func kEigenvaluesTakeKProducts() throws {
        let matrix = try KnownSpectrum((0..<300).map { [1.0, 5, 20][$0 % 3] })
        // Three iterations, and the product that certifies the residual.
        #expect(try solve(matrix, vector(300), tolerance: 1e-10).products == 4)
    }

    @Test func negativeCurvatureIsNotSolvedButSaid() throws {
        let matrix = try KnownSpectrum([5, 4, 3, 2, 1, -2])
        let b = try vector(6)
        #expect {
            try solve(matrix, b)
        } throws: { error in
            guard case CurvatureError.negativeCurvature(let curvature, damping: 0) = error else { return false }
            return curvature < 0 && curvature >= -2 && "\(error)".contains("damping")
        }
        #expect(try solve(matrix, b, damping: 2.5).converged)
    }

    @Test func aSingularSystemWithoutSolutionIsAnError() throws {
        let matrix = try KnownSpectrum([5, 4, 3, 0])
        #expect(throws: CurvatureError.self) { try solve(matrix, vector(4), tolerance: 1e-10) }
        // With one it is none: b in the range of A.
        let b = try matrix.apply(vector(4))
        #expect(try solve(matrix, b, tolerance: 1e-10).converged)
        #expect(throws: CurvatureError.self) { try solve(KnownSpectrum([0, 0, 0]), vector(3)) }
    }

    @Test func theSmallestProblems() throws {
        let b = try Vector([3], element: .f64)
        #expect(try solve(KnownSpectrum([2], reflections: 0), b).x.values == [1.5])
        let zero = try solve(KnownSpectrum([1, 2, 3]), Vector(zeros: 3, element: .f64), start: vector(3))
        #expect(zero.converged && zero.x.values == [0, 0, 0] && zero.residual == 0 && zero.products == 0)
    }

    @Test func aStartAtTheSolutionTakesOneProduct() throws {
        let matrix = try KnownSpectrum((1...50).map(Double.init))
        let b = try vector(50)
        let first = try solve(matrix, b, tolerance: 1e-8)
        let again = try solve(matrix, b, tolerance: 1e-7, start: first.x)
        #expect(again.converged && again.products == 1)
    }

    @Test func aPreconditionerLikeTheMatrixSavesProducts() throws {
        // A diagonal of six orders of magnitude, with small off-diagonal entries.
        var matrix = randomSymmetric(60, seed: 5).mapColumns { 1e-6 * $1 }
        for i in 0..<60 { matrix[i, i] = [1e-3, 1, 1e3][i % 3] * Double(i + 1) }
        let diagonal = try Vector((0..<60).map { matrix[$0, $0] }, element: .f64)
        let b = try vector(60)
        let plain = try solve(DenseOperator(matrix: matrix), b, tolerance: 1e-8)
        let helped = try solve(
            DenseOperator(matrix: matrix), b, tolerance: 1e-8, preconditioner: .diagonal(diagonal))
        #expect(helped.converged)
        #expect(helped.products <= 8 && helped.products < plain.products / 4)
        #expect(try residual(DenseOperator(matrix: matrix), b, helped.x, damping: 0) <= 1e-8)
    }

    @Test func roundingThatKeepsTheResidualUpIsSaid() throws {
        // f32 keeps residuals of about 10⁻⁷ times the condition number: 10⁻¹⁰ is out of reach.
        let matrix = try KnownSpectrum((0..<100).map { 1 + Double($0) }, element: .f32)
        let b = try vector(100, element: .f32)
        let solution = try solve(matrix, b, tolerance: 1e-10)
        #expect(!solution.converged && solution.stagnated)
        #expect(solution.residual < 1e-5)
        #expect(try abs(residual(matrix, b, solution.x, damping: 0) / solution.residual - 1) < 1e-3)
        #expect(try solve(matrix, b, tolerance: 1e-5).converged)
    }

    @Test func productsThatRunOutAreSaid() throws {
        let matrix = try KnownSpectrum((1...400).map { Double($0) * Double($0) })
        let solution = try solve(matrix, vector(400), tolerance: 1e-10, maxProducts: 10)
        #expect(!solution.converged && !solution.stagnated && solution.products == 10)
        // Also from a start, whose residual takes the only one.
        for allowed in 1...3 {
            let matrix = try KnownSpectrum((1...400).map { Double($0) * Double($0) })
            let next = try solve(matrix, vector(400), tolerance: 1e-10, start: solution.x, maxProducts: allowed)
            #expect(!next.converged && next.products <= allowed && next.products == matrix.products)
            #expect(try abs(residual(matrix, vector(400), next.x, damping: 0) / next.residual - 1) < 1e-10)
        }
    }

    @Test func wrongRequestsSayWhatIsWrong() throws {
        let matrix = try KnownSpectrum([1, 2, 3])
        let b = try vector(3)
        #expect(throws: CurvatureError.wrongDimension(expected: 3, got: 4)) { try solve(matrix, vector(4)) }
        #expect(throws: VectorError.self) { try solve(matrix, vector(3, element: .f32)) }
        #expect(throws: CurvatureError.self) { try solve(matrix, b, tolerance: 0) }
        #expect(throws: CurvatureError.self) { try solve(matrix, b, damping: .nan) }
        #expect(throws: CurvatureError.self) { try solve(matrix, Vector([1, .nan, 0], element: .f64)) }
        #expect(throws: CurvatureError.self) { try solve(matrix, b, preconditioner: .scalar(-1)) }
    }
}
