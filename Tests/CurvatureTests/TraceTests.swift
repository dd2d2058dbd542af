import Compute
import Testing

@testable import Curvature

@Suite struct TraceTests {
    @Test func theTraceOfADiagonalMatrixIsExactWhateverTheSigns() throws {
        let matrix = try KnownSpectrum((0..<50).map(Double.init), reflections: 0)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 2, maxSamples: 100, chunk: 2)
        let estimate = try trace(of: matrix, samples: rule, stream: &stream)
        #expect(estimate.value == 1225)
        #expect(estimate.standardError == 0)
        // Sixteen draws: of fewer an error, here none, is not believed.
        #expect(estimate.samples == 16 && estimate.products == 16)
    }

    /// The samples' variance is 2(‖A‖²_F − Σaᵢᵢ²); of 600 intervals, 95 % ± 4.5 % (five deviations) cover
    /// the truth.
    @Test func theErrorBarIsTheOneOfTheTheory() throws {
        let matrix = randomSymmetric(30, seed: 4)
        let truth = (0..<30).map { matrix[$0, $0] }.reduce(0, +)
        var offDiagonal = 0.0
        for i in 0..<30 { for j in 0..<30 where i != j { offDiagonal += matrix[i, j] * matrix[i, j] } }
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 25, chunk: 25)
        var covered = 0
        var squares = 0.0
        for repetition in 0..<600 {
            var stream = RandomStream(seed: 1, purpose: .probe, index: UInt64(repetition))
            let estimate = try trace(of: DenseOperator(matrix: matrix), samples: rule, stream: &stream)
            let (lower, upper) = estimate.interval()
            if lower <= truth && truth <= upper { covered += 1 }
            squares += estimate.standardError * estimate.standardError
        }
        #expect(abs(Double(covered) / 600 - 0.95) < 0.045)
        // The mean of 600 sample variances of 25 samples each: within 6 %, five deviations of √(2/24/600), and a kurtosis.
        #expect(abs(squares / 600 / (2 * offDiagonal / 25) - 1) < 0.1)
    }

    @Test(arguments: TraceMethod.allCases)
    func asManySamplesAsRowsAreSpentOnTheExactTrace(method: TraceMethod) throws {
        let matrix = randomSymmetric(20, seed: 4)
        let truth = (0..<20).map { matrix[$0, $0] }.reduce(0, +)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 20)
        let estimate = try trace(of: DenseOperator(matrix: matrix), method: method, samples: rule, stream: &stream)
        #expect(abs(estimate.value - truth) < 1e-13)
        #expect(estimate.standardError == 0 && estimate.products == 20)
    }

    @Test func theSameStreamGivesTheSameBits() throws {
        let matrix = DenseOperator(matrix: randomSymmetric(20, seed: 4))
        let rule = try MonteCarlo(relativeError: 0.1, minSamples: 10, maxSamples: 50)
        var first = RandomStream(seed: 9, purpose: .probe)
        var second = first
        let a = try trace(of: matrix, samples: rule, stream: &first)
        let b = try trace(of: matrix, samples: rule, stream: &second)
        #expect(a.value.bitPattern == b.value.bitPattern)
        #expect(first == second)
    }
}
