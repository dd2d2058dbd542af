import Compute
import Foundation
import Graph
import Testing

@testable import Curvature

@Suite struct OperatorTests {
    @Test func theDenseMatrixOfAnOperatorIsItsMatrix() throws {
        let matrix = randomSymmetric(7, seed: 1)
        #expect(try dense(of: DenseOperator(matrix: matrix)) == matrix)
    }

    @Test func scaledShiftedAndSummedOperatorsAreThoseMatrices() throws {
        let (a, b) = (randomSymmetric(6, seed: 1), randomSymmetric(6, seed: 2))
        let (opA, opB) = (DenseOperator(matrix: a), DenseOperator(matrix: b))
        let sum = try dense(of: OperatorSum([(2, opA), (-0.5, opB)], shift: 3))
        let scaled = try dense(of: opA.scaled(by: -2))
        let shifted = try dense(of: opA.shifted(by: 1.5))
        let plus = try dense(of: opA.plus(opB))
        for i in 0..<6 {
            for j in 0..<6 {
                let one = i == j ? 1.0 : 0.0
                // One rounding each of a product and two sums of numbers of order 1.
                #expect(abs(sum[i, j] - (2 * a[i, j] - 0.5 * b[i, j] + 3 * one)) < 1e-14)
                #expect(scaled[i, j] == -2 * a[i, j])
                #expect(abs(shifted[i, j] - (a[i, j] + 1.5 * one)) < 1e-15)
                #expect(plus[i, j] == a[i, j] + b[i, j])
            }
        }
    }

    @Test func aBlockProductIsTheProductsOneByOne() throws {
        let matrix = try OperatorSum([(2, DenseOperator(matrix: randomSymmetric(9, seed: 3)))], shift: 1)
        var stream = RandomStream(seed: 1, purpose: .vector)
        let block = try (0..<4).map { _ in try Vector.randomNormal(count: 9, element: .f64, stream: &stream) }
        let products = try matrix.apply(block: block)
        for (v, product) in zip(block, products) { #expect(try matrix.apply(v) == product) }
    }

    @Test func theQuadraticFormIsThatOfTheProduct() throws {
        let matrix = try OperatorSum([(2, DenseOperator(matrix: randomSymmetric(9, seed: 3)))], shift: -4)
        var stream = RandomStream(seed: 1, purpose: .vector)
        let v = try Vector.randomNormal(count: 9, element: .f64, stream: &stream)
        #expect(abs(try matrix.quadratic(v) - v.dot(matrix.apply(v))) < 1e-13 * v.squaredNorm * 10)
    }

    @Test func theComplementOperatorKnowsNothingOfTheSubspace() throws {
        let matrix = try KnownSpectrum([5, 4, 3, 2, 1, 0])
        let top = try [matrix.eigenvector(0), matrix.eigenvector(1)]
        let rest = try dense(of: matrix.projected(outOf: top))
        let eigen = DenseEigen(symmetric: rest)
        for (value, expected) in zip(eigen.values, [3.0, 2, 1, 0, 0, 0]) { #expect(abs(value - expected) < 1e-13) }
    }

    @Test func operatorsOfDifferentSpacesDoNotAdd() throws {
        let (a, b) = (
            DenseOperator(matrix: randomSymmetric(3, seed: 1)), DenseOperator(matrix: randomSymmetric(4, seed: 1))
        )
        #expect(throws: CurvatureError.wrongDimension(expected: 3, got: 4)) { try a.plus(b) }
        let c = DenseOperator(matrix: randomSymmetric(3, seed: 1), element: .f32)
        #expect(throws: VectorError.self) { try a.plus(c) }
        #expect(throws: CurvatureError.self) { try OperatorSum([]) }
        #expect(throws: CurvatureError.self) { try a.projected(outOf: [Vector(zeros: 4, element: .f64)]) }
    }
}

@Suite struct DenseEigenTests {
    @Test(arguments: [1, 2, 3, 10, 60])
    func theDecompositionMultipliesOutToTheMatrix(n: Int) {
        let matrix = randomSymmetric(n, seed: UInt64(n))
        let eigen = DenseEigen(symmetric: matrix)
        #expect(eigen.values == eigen.values.sorted(by: >))
        for i in 0..<n {
            for j in 0..<n {
                let product = (0..<n).reduce(0) { $0 + eigen.vectors[i, $1] * eigen.values[$1] * eigen.vectors[j, $1] }
                let inner = (0..<n).reduce(0) { $0 + eigen.vectors[$1, i] * eigen.vectors[$1, j] }
                // Backward stable: rounding times a modest multiple of n times the norm, about 2√n.
                #expect(abs(product - matrix[i, j]) < 1e-14 * Double(n) * 2 * Double(n).squareRoot())
                #expect(abs(inner - (i == j ? 1 : 0)) < 1e-14 * Double(n))
            }
        }
    }

    @Test func theSecondDifferenceMatrixHasItsKnownEigenvalues() {
        let n = 30
        var matrix = DenseMatrix(zeros: n, n)
        for i in 0..<n {
            matrix[i, i] = 2
            if i > 0 {
                matrix[i, i - 1] = -1
                matrix[i - 1, i] = -1
            }
        }
        let eigen = DenseEigen(symmetric: matrix)
        for j in 0..<n {
            let angle = Double(n - j) * .pi / Double(n + 1)
            let s = sin(angle / 2)
            #expect(abs(eigen.values[j] - 4 * s * s) < 1e-13)
        }
    }

    @Test func repeatedTinyAndZeroEigenvaluesAreNoProblem() {
        #expect(DenseEigen(symmetric: DenseMatrix(zeros: 4, 4)).values == [0, 0, 0, 0])
        var identity = DenseMatrix(zeros: 3, 3)
        for i in 0..<3 { identity[i, i] = 7 }
        #expect(DenseEigen(symmetric: identity).values == [7, 7, 7])
        #expect(DenseEigen(symmetric: DenseMatrix(zeros: 0, 0)).values == [])
        var graded = DenseMatrix(zeros: 2, 2)
        graded[0, 0] = 1
        graded[1, 1] = 1e-300
        #expect(DenseEigen(symmetric: graded).values == [1, 1e-300])
    }
}
