import Compute
import Graph
import Testing

@testable import Curvature

/// C = AB for small matrices given by columns.
private func product(_ a: DenseMatrix, _ b: DenseMatrix) -> DenseMatrix { a.times(b) }

func expectEqual(_ a: DenseMatrix, _ b: DenseMatrix, within tolerance: Double) {
    #expect(a.rows == b.rows && a.columns == b.columns)
    for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) <= tolerance) }
}

/// vᵀAv of every operator equals ⟨v, Av⟩, for a block as for one.
func expectConsistentQuadratics(_ matrix: some LinearOperator, within tolerance: Double) throws {
    var stream = RandomStream(seed: 11, purpose: .test)
    let block = try (0..<3).map { _ in
        try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
    }
    let values = try matrix.quadratic(block: block)
    let products = try matrix.apply(block: block)
    for i in block.indices {
        #expect(try abs(values[i] - block[i].dot(products[i])) < tolerance)
        #expect(try matrix.apply(block[i]) == products[i])
    }
}

// Tolerances of 1e-12: some tens of roundings of numbers up to about 10.
@Suite struct RestrictionTests {
    private let a = randomSymmetric(8, seed: 1)

    @Test func aBlockIsTheseRowsAndColumns() throws {
        let block = try DenseOperator(matrix: a).restricted(to: [5..<7, 1..<3])
        let coordinates = [5, 6, 1, 2]
        let matrix = try dense(of: block)
        #expect(block.dimension == 4)
        for i in 0..<4 { for j in 0..<4 { #expect(matrix[i, j] == a[coordinates[i], coordinates[j]]) } }
        try expectConsistentQuadratics(block, within: 1e-12)
        let v = try Vector([1, 2, 3, 4], element: .f64)
        #expect(try block.embed(v).values == [0, 3, 4, 0, 0, 1, 2, 0])
        #expect(try block.restrict(block.embed(v)) == v)
    }

    @Test func aSubspaceGivesUTransposedAU() throws {
        let u = try [[3, 0, 0, 4, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]].map { try Vector($0, element: .f64) }
        let small = try DenseOperator(matrix: a).restricted(toSpanOf: u)
        let basis = DenseMatrix(rows: 8, columns: 2, values: small.basis.flatMap(\.values))
        #expect(try abs(small.basis[0].dot(u[0]) - 5) < 1e-14)
        expectEqual(try dense(of: small), basis.transposed.times(a).times(basis), within: 1e-12)
        try expectConsistentQuadratics(small, within: 1e-12)
    }

    @Test func theComplementIsProjectedFromBothSides() throws {
        // Neither orthogonal nor of length 1, the third depends on the first two.
        let u = try [[1, 1, 0, 0, 0, 0, 0, 0], [1, 2, 0, 0, 3, 0, 0, 0], [2, 3, 0, 0, 3, 0, 0, 0]].map {
            try Vector($0, element: .f64)
        }
        let rest = try DenseOperator(matrix: a).projected(outOf: u)
        let basis = DenseMatrix(
            rows: 8, columns: 2,
            values: try DenseOperator(matrix: a).restricted(toSpanOf: Array(u.prefix(2))).basis.flatMap(\.values))
        var projector = basis.times(basis.transposed)
        for i in 0..<8 { for j in 0..<8 { projector[i, j] = (i == j ? 1 : 0) - projector[i, j] } }
        expectEqual(try dense(of: rest), projector.times(a).times(projector), within: 1e-12)
        try expectConsistentQuadratics(rest, within: 1e-12)
    }

    @Test func restrictionsThatMakeNoSenseSayWhy() throws {
        let matrix = DenseOperator(matrix: a)
        for ranges in [[], [0..<0], [6..<9], [0..<3, 2..<4], [-1..<2]] {
            #expect(throws: CurvatureError.self) { try matrix.restricted(to: ranges) }
        }
        let u = try Vector([1, 0, 0, 0, 0, 0, 0, 0], element: .f64)
        #expect(throws: CurvatureError.self) { try matrix.restricted(toSpanOf: [u, 2 * u]) }
        #expect(throws: CurvatureError.self) { try matrix.restricted(toSpanOf: []) }
        #expect(throws: CurvatureError.wrongDimension(expected: 8, got: 3)) {
            try matrix.restricted(toSpanOf: [Vector(zeros: 3, element: .f64)])
        }
        #expect(throws: CurvatureError.wrongDimension(expected: 2, got: 8)) {
            try matrix.restricted(to: [0..<2]).apply(u)
        }
    }
}

@Suite struct ProductOperatorTests {
    private let a = randomSymmetric(6, seed: 2)
    private let b = randomSymmetric(6, seed: 3)

    @Test func theProductIsSymmetrised() throws {
        let operators = (DenseOperator(matrix: a), DenseOperator(matrix: b))
        let both = try operators.0.times(operators.1)
        let expected = product(a, b).plus(product(b, a)).mapColumns { $1 / 2 }
        expectEqual(try dense(of: both), expected, within: 1e-12)
        try expectConsistentQuadratics(both, within: 1e-12)
        #expect(throws: CurvatureError.self) {
            try operators.0.times(DenseOperator(matrix: randomSymmetric(4, seed: 1)))
        }
    }

    @Test func theProductOfCommutingMatricesIsTheirProduct() throws {
        let matrix = DenseOperator(matrix: a)
        let cube = try matrix.squared().times(matrix)
        expectEqual(try dense(of: cube), product(a, product(a, a)), within: 1e-11)
    }

    @Test func theSquareIsTheProductWithItself() throws {
        let square = DenseOperator(matrix: a).squared()
        expectEqual(try dense(of: square), product(a, a), within: 1e-12)
        try expectConsistentQuadratics(square, within: 1e-11)
    }

    @Test func theAverageIsTheMean() throws {
        let mean = try average(of: [DenseOperator(matrix: a), DenseOperator(matrix: b)])
        expectEqual(try dense(of: mean), a.plus(b).mapColumns { $1 / 2 }, within: 1e-15)
        #expect(throws: CurvatureError.self) { try average(of: []) }
    }

    @Test func workAddsUpWhereItIsKnown() throws {
        let known = FunctionOperator(dimension: 6, element: .f64, productWork: 10) { $0 }
        let unknown = FunctionOperator(dimension: 6, element: .f64) { $0 }
        #expect(try known.plus(known).productWork == 20)
        #expect(try known.times(known).productWork == 40)
        #expect(known.squared().productWork == 20)
        #expect(try known.restricted(to: [0..<2]).productWork == 10)
        #expect(try known.plus(unknown).productWork == nil)
    }
}

@Suite struct PreconditionerTests {
    private let a = randomSymmetric(5, seed: 4)
    private let p: [Double] = [1, 4, 0.25, 9, 16]

    @Test func itScalesFromBothSides() throws {
        let matrix = try DenseOperator(matrix: a).preconditioned(by: .diagonal(Vector(p, element: .f64)))
        var expected = a
        for i in 0..<5 { for j in 0..<5 { expected[i, j] /= (p[i] * p[j]).squareRoot() } }
        expectEqual(try dense(of: matrix), expected, within: 1e-14)
        try expectConsistentQuadratics(matrix, within: 1e-12)
        let scalar = try DenseOperator(matrix: a).preconditioned(by: .scalar(4))
        expectEqual(try dense(of: scalar), a.mapColumns { $1 / 4 }, within: 1e-15)
    }

    @Test func itsEigenvectorsSolveTheGeneralisedProblem() throws {
        let preconditioner = Preconditioner.diagonal(try Vector(p, element: .f64))
        let matrix = try DenseOperator(matrix: a).preconditioned(by: preconditioner)
        let eigen = DenseEigen(symmetric: try dense(of: matrix))
        let u = try matrix.direction(of: Vector(eigen.vectors.column(0), element: .f64))
        // Au = λPu and uᵀPu = 1.
        let pu = try preconditioner.power(1, times: u)
        let difference = try DenseOperator(matrix: a).apply(u) - eigen.values[0] * pu
        #expect(difference.norm() < 1e-12)
        #expect(try abs(u.dot(pu) - 1) < 1e-13)
    }

    @Test func itMustBePositive() throws {
        let matrix = DenseOperator(matrix: a)
        let wrong = try Vector([1, 2, 0, 1, 1], element: .f64)
        #expect {
            try matrix.preconditioned(by: .diagonal(wrong))
        } throws: {
            "\($0)".contains("entry 3 of 5 is 0.0")
        }
        for value in [0, -1, Double.nan, .infinity] {
            #expect(throws: CurvatureError.self) { try matrix.preconditioned(by: .scalar(value)) }
        }
        #expect(throws: CurvatureError.wrongDimension(expected: 5, got: 2)) {
            try matrix.preconditioned(by: .diagonal(Vector([1, 1], element: .f64)))
        }
    }
}
