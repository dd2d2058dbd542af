import Compute
import Testing

@testable import Curvature

@Suite struct FrobeniusNormTests {
    private func norm(_ matrix: DenseMatrix) -> Double { matrix.values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

    @Test func asManySamplesAsRowsGiveItExactly() throws {
        let matrix = randomSymmetric(20, seed: 4)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 20)
        let estimate = try frobeniusNorm(of: DenseOperator(matrix: matrix), samples: rule, stream: &stream)
        #expect(abs(estimate.value / norm(matrix) - 1) < 1e-13)
        #expect(estimate.standardError == 0 && estimate.products == 20)
    }

    /// Of 400 intervals 95 % ± 5.5 % (five deviations) cover the truth; the squares have no bias: their mean is within five of their
    /// own errors of it.
    @Test func theErrorBarCoversTheDenseNorm() throws {
        let matrix = randomSymmetric(30, seed: 4)
        let truth = norm(matrix)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 25, chunk: 25)
        var covered = 0
        var squares: [Double] = []
        for repetition in 0..<400 {
            var stream = RandomStream(seed: 1, purpose: .probe, index: UInt64(repetition))
            let estimate = try frobeniusNorm(of: DenseOperator(matrix: matrix), samples: rule, stream: &stream)
            let (lower, upper) = estimate.interval()
            if lower <= truth && truth <= upper { covered += 1 }
            squares.append(estimate.value * estimate.value)
            #expect(estimate.products == 25 && estimate.samples == 25)
        }
        #expect(abs(Double(covered) / 400 - 0.95) < 0.055, "\(covered)")
        let mean = squares.reduce(0, +) / 400
        let variance = squares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399
        #expect(abs(mean - truth * truth) < 5 * (variance / 400).squareRoot())
    }

    /// The error asked for is that of the norm, not of its square.
    @Test func itStopsAtTheErrorOfTheNorm() throws {
        let matrix = try KnownSpectrum((0..<400).map { Double($0) / 400 }, reflections: 3)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let rule = try MonteCarlo(relativeError: 0.02, minSamples: 16, maxSamples: 300, chunk: 4)
        let estimate = try frobeniusNorm(of: matrix, samples: rule, stream: &stream)
        #expect(estimate.relativeError <= 0.02 && estimate.standardError > 0)
        let truth = matrix.eigenvalues.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(abs(estimate.value / truth - 1) < 0.1)
    }
}
