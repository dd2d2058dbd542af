import Compute
import Graph
import Testing

@testable import Curvature

@Suite struct DiagonalTests {
    @Test(arguments: [ElementType.f64, .f32])
    func theExactDiagonalIsThatOfTheMatrix(element: ElementType) throws {
        let matrix = randomSymmetric(37, seed: 1)
        let estimate = try exactDiagonal(of: DenseOperator(matrix: matrix, element: element))
        for i in 0..<37 { #expect(abs(estimate.values[i] - matrix[i, i]) < (element == .f64 ? 1e-15 : 1e-6)) }
        #expect(estimate.products == 37 && estimate.standardErrors.squaredNorm == 0)
    }

    @Test func everyEntryHasItsOwnErrorBar() throws {
        // Rows of very different sizes: errors of entry i are √(Σ_{j≠i} aᵢⱼ²/n).
        var matrix = randomSymmetric(60, seed: 2)
        for i in 0..<60 { for j in 0..<60 { matrix[i, j] *= Double((i + 1) * (j + 1)) / 900 } }
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 50)
        var covered = 0
        var ratios = [Double](repeating: 0, count: 60)
        for repetition in 0..<20 {
            var stream = RandomStream(seed: 1, purpose: .test, index: UInt64(repetition))
            let estimate = try diagonal(of: DenseOperator(matrix: matrix), samples: rule, stream: &stream)
            #expect(estimate.products == 50)
            for i in 0..<60 {
                let error = estimate.standardErrors[i]
                if abs(estimate.values[i] - matrix[i, i]) <= 2.01 * error { covered += 1 }
                let row = (0..<60).reduce(0) { $0 + ($1 == i ? 0 : matrix[i, $1] * matrix[i, $1]) }
                ratios[i] += error * error / (row / 50) / 20
            }
        }
        // Student's t of 49 degrees: 95 % of 1,200 entries, that depend on each other a little.
        #expect(abs(Double(covered) / 1200 - 0.95) < 0.03)
        // A sample variance of 50 values has an error of 20 %, the mean of twenty 5 %.
        for ratio in ratios { #expect(abs(ratio - 1) < 0.25) }
    }

    @Test func drawingStopsAtTheAskedErrorOfTheWhole() throws {
        let matrix = try KnownSpectrum((0..<300).map { 1 + Double($0) / 100 })
        var stream = RandomStream(seed: 7, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0.02, minSamples: 4, maxSamples: 250, chunk: 4)
        let estimate = try diagonal(of: matrix, samples: rule, stream: &stream)
        #expect(estimate.standardErrors.norm() <= 0.02 * estimate.values.norm())
        #expect(estimate.samples < 250)
        let exact = try exactDiagonal(of: matrix)
        #expect(try (estimate.values - exact.values).norm() <= 0.03 * exact.values.norm())
    }

    @Test func asManySamplesAsRowsAreSpentOnTheExactDiagonal() throws {
        let matrix = randomSymmetric(10, seed: 3)
        var stream = RandomStream(seed: 8, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0.1, minSamples: 1, maxSamples: 100)
        let estimate = try diagonal(of: DenseOperator(matrix: matrix), samples: rule, stream: &stream)
        #expect(estimate.values.values == (0..<10).map { matrix[$0, $0] })
    }
}
