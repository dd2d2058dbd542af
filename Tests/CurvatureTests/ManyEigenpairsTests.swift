import Compute
import Graph
import Testing

@testable import Curvature

/// Eigenvalues above a threshold, and more of them than a block is wide.
@Suite struct ManyEigenpairsTests {
    private func above(
        _ threshold: Double, _ spectrum: [Double], element: ElementType = .f64, tolerance: Double = 1e-3,
        warmStart: [Vector] = [], seed: UInt64 = 1, maxProducts: Int = 1000, atMost: Int = 100
    ) throws -> Eigenpairs {
        var stream = RandomStream(seed: seed, purpose: .probe)
        return try eigenpairs(
            of: KnownSpectrum(spectrum, element: element), above: threshold, tolerance: tolerance, warmStart: warmStart,
            stream: &stream, maxProducts: maxProducts, atMost: atMost)
    }

    @Test(arguments: [17, 12.5, 10, 5.5, 4.9])
    func allEigenvaluesAboveAThresholdAreFound(threshold: Double) throws {
        let outliers = [16.1, 15.6, 15.0, 14.7, 13.75, 13.2, 12.7, 12.1, 9, 6]
        let spectrum = networkSpectrum(5000, outliers: outliers)
        for seed in 1...3 {
            let pairs = try above(threshold, spectrum, element: .f32, seed: UInt64(seed))
            #expect(pairs.converged && pairs.isComplete && pairs.missProbability <= 0.05)
            let expected = outliers.filter { $0 > threshold }
            #expect(pairs.values.count == expected.count)
            for (value, expected) in zip(pairs.values, expected) { #expect(abs(value / expected - 1) < 1e-3) }
        }
    }

    @Test func aWarmStartFindsThemAgainForLess() throws {
        let spectrum = networkSpectrum(5000, outliers: [16.1, 15.6, 15.0, 14.7, 9, 6])
        let cold = try above(12, spectrum, tolerance: 0.01)
        let warm = try above(12, spectrum, tolerance: 0.01, warmStart: cold.warmStart, seed: 2)
        #expect(cold.values.count == 4 && warm.values.count == 4)
        #expect(warm.products < cold.products)
    }

    @Test func negativeThresholdsAndSpectraBelowThem() throws {
        let spectrum = (0..<400).map { -1 - Double($0) }
        #expect(try above(-0.5, spectrum).values.isEmpty)
        let pairs = try above(-4.5, spectrum)
        #expect(pairs.converged)
        #expect(pairs.values.count == 4)
        for (value, expected) in zip(pairs.values, [-1.0, -2, -3, -4]) { #expect(abs(value - expected) < 0.01) }
    }

    @Test func moreThanAskedForIsSaid() throws {
        let pairs = try above(4, networkSpectrum(2000, outliers: [9, 8, 7, 6, 5]), atMost: 3)
        #expect(pairs.converged && !pairs.isComplete)
        #expect(pairs.values.count == 3)
        for (value, expected) in zip(pairs.values, [9.0, 8, 7]) { #expect(abs(value / expected - 1) < 1e-3) }
    }

    @Test func aClusterAboveTheThresholdComesWithItsMultiplicity() throws {
        var spectrum = networkSpectrum(600, outliers: [9, 3, 3])
        for i in 100..<112 { spectrum[i] = 7 }
        let pairs = try above(5, spectrum)
        #expect(pairs.converged)
        #expect(pairs.values.count == 13)
        for value in pairs.values.dropFirst() { #expect(abs(value / 7 - 1) < 1e-3) }
    }

    @Test func thresholdsWithoutMeaningAreErrors() {
        #expect(throws: CurvatureError.self) { try above(.nan, [1, 2]) }
        #expect(throws: CurvatureError.self) { try above(1, [1, 2], atMost: 0) }
    }

    @Test(arguments: [EigenSolver.lanczos, .lobpcg])
    func manyPairsComeInOrderAndOrthonormal(solver: EigenSolver) throws {
        let k = solver == .lanczos ? 120 : 40
        let spectrum: [Double] = (0..<800).map { (i: Int) -> Double in (i % 3 == 2 ? -30 : 100) / (10 + Double(i)) }
        let sorted = spectrum.sorted(by: >)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let matrix = try KnownSpectrum(spectrum)
        let pairs = try topEigenpairs(of: matrix, k: k, tolerance: 1e-4, solver: solver, stream: &stream)
        #expect(pairs.converged)
        #expect(pairs.solver == solver)
        for j in 0..<k { #expect(abs(pairs.values[j] / sorted[j] - 1) < 1e-4) }
        let gram = try VectorBlock.dots(pairs.vectors, pairs.vectors)
        for i in 0..<k { for j in 0..<i { #expect(abs(gram[i, j]) < 1e-12) } }
        for j in [0, k / 2, k - 1] {
            let residual = try trueResidual(matrix, pairs.values[j], pairs.vectors[j])
            #expect(abs(residual - pairs.residuals[j]) < 1e-10)
        }
    }

    /// More copies than a block has vectors: they come with the fresh random vectors.
    @Test func multiplicityBeyondTheBlockIsFound() throws {
        var spectrum = networkSpectrum(500, outliers: [9, 4, 3])
        for i in 200..<220 { spectrum[i] = 8 }
        var stream = RandomStream(seed: 1, purpose: .probe)
        let pairs = try topEigenpairs(of: KnownSpectrum(spectrum), k: 22, tolerance: 1e-6, stream: &stream)
        #expect(pairs.converged)
        for (value, expected) in zip(pairs.values, [9.0] + Array(repeating: 8, count: 20) + [4]) {
            #expect(abs(value - expected) < 1e-4)
        }
    }
}

@Suite struct DenseEigenLibraryTests {
    /// Both agree to rounding times the norm, √n·2 for such a matrix, and give AV = VΛ and VᵀV = I to it.
    @Test(arguments: [1, 2, 33, 70])
    func rotationsAndTheLibraryAgree(n: Int) throws {
        let matrix = randomSymmetric(n, seed: 5)
        let a = DenseEigen(symmetric: matrix)
        let b = DenseEigen(rotating: matrix)
        for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) < 1e-13 * Double(n) * 10) }
        for eigen in [a, b] {
            #expect(eigen.values == eigen.values.sorted(by: >))
            let product = matrix.times(eigen.vectors)
            let gram = eigen.vectors.transposed.times(eigen.vectors)
            for i in 0..<n {
                for j in 0..<n {
                    #expect(abs(product[i, j] - eigen.values[j] * eigen.vectors[i, j]) < 1e-12 * Double(n))
                    #expect(abs(gram[i, j] - (i == j ? 1 : 0)) < 1e-12)
                }
            }
        }
    }
}
