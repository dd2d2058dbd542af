import Compute
import Graph
import Testing

@testable import Curvature

private func solve(
    _ matrix: some LinearOperator, k: Int = 1, tolerance: Double = 0.01, warmStart: [Vector] = [], seed: UInt64 = 1,
    maxProducts: Int = 1000
) throws -> Eigenpairs {
    var stream = RandomStream(seed: seed, purpose: .probe)
    return try topEigenpairs(
        of: matrix, k: k, tolerance: tolerance, warmStart: warmStart, stream: &stream, maxProducts: maxProducts)
}

/// The largest deviation of XᵀX from the identity.
private func orthonormality(_ vectors: [Vector]) throws -> Double {
    let gram = try VectorBlock.dots(vectors, vectors)
    var worst = 0.0
    for i in vectors.indices { for j in vectors.indices { worst = max(worst, abs(gram[i, j] - (i == j ? 1 : 0))) } }
    return worst
}

/// Outliers with gaps of 2 to 18 %, as along the training of a classifier, then a bulk around 0.
private let outliers = [16.1, 15.6, 15.0, 14.7, 13.75, 13.2, 12.7, 12.1, 9, 6]

@Suite struct TopEigenpairsTests {
    @Test(arguments: [ElementType.f32, .f64], [1, 3, 8])
    func aSpectrumLikeANetworksIsFoundToTheTolerance(element: ElementType, k: Int) throws {
        let spectrum = networkSpectrum(20_000, outliers: outliers)
        let matrix = try KnownSpectrum(spectrum, element: element)
        let pairs = try solve(matrix, k: k)
        #expect(pairs.converged)
        #expect(pairs.products == matrix.products)
        #expect(pairs.products <= 30 + 8 * k)
        for j in 0..<k {
            #expect(pairs.values[j] <= outliers[j] * (1 + 1e-6))
            #expect(pairs.values[j] >= outliers[j] * 0.99)
            let residual = try trueResidual(matrix, pairs.values[j], pairs.vectors[j])
            #expect(abs(residual - pairs.residuals[j]) < (element == .f32 ? 1e-5 : 1e-12) * outliers[0])
        }
        #expect(try orthonormality(pairs.vectors) < (element == .f32 ? 1e-5 : 1e-13))
    }

    @Test func aHundredThousandDimensionsAreNoHarder() throws {
        let matrix = try KnownSpectrum(networkSpectrum(100_000, outliers: [10, 9, 8]), element: .f32)
        let pairs = try solve(matrix, k: 2)
        #expect(pairs.converged)
        #expect(abs(pairs.values[0] / 10 - 1) < 0.01 && abs(pairs.values[1] / 9 - 1) < 0.01)
        #expect(pairs.products <= 40)
    }

    /// Rounding of f64 times the norm; the solver gets there because the residuals do.
    @Test func aTightToleranceGivesEigenvaluesToRounding() throws {
        let matrix = try KnownSpectrum(networkSpectrum(3000, outliers: outliers))
        let pairs = try solve(matrix, k: 3, tolerance: 1e-13)
        #expect(pairs.converged)
        for j in 0..<3 {
            #expect(abs(pairs.values[j] - outliers[j]) < 1e-12 * outliers[0])
            // The error of a vector is residual/gap.
            let overlap = try abs(pairs.vectors[j].dot(matrix.eigenvector(j)))
            #expect(abs(overlap - 1) < 1e-10)
        }
    }

    @Test func clusteredEigenvaluesAreFoundWithinTheCluster() throws {
        var spectrum = networkSpectrum(2000, outliers: [5])
        for i in 0..<6 { spectrum[i] = 5 - 1e-6 * Double(i) }
        let pairs = try solve(KnownSpectrum(spectrum), k: 3)
        #expect(pairs.converged)
        for value in pairs.values { #expect(abs(value - 5) < 0.05) }
    }

    @Test(arguments: [ElementType.f32, .f64])
    func repeatedEigenvaluesComeWithTheirMultiplicity(element: ElementType) throws {
        var spectrum = networkSpectrum(1000, outliers: [7, 7, 7, 5, 5, 3])
        spectrum.swapAt(0, 500)
        let matrix = try KnownSpectrum(spectrum, element: element)
        let pairs = try solve(matrix, k: 5, tolerance: 1e-5)
        #expect(pairs.converged)
        for (value, expected) in zip(pairs.values, [7, 7, 7, 5, 5.0]) { #expect(abs(value / expected - 1) < 1e-5) }
        #expect(try orthonormality(pairs.vectors) < 1e-5)
    }

    @Test(arguments: [1, 3])
    func theZeroOperatorHasEigenvalueZero(k: Int) throws {
        let pairs = try solve(KnownSpectrum(Array(repeating: 0, count: 50), element: .f32), k: k)
        #expect(pairs.converged)
        #expect(pairs.values == Array(repeating: 0, count: k))
        #expect(pairs.residuals == Array(repeating: 0, count: k))
        #expect(try orthonormality(pairs.vectors) < 1e-6)
    }

    @Test func theIdentityIsSolvedByOneBlock() throws {
        let pairs = try solve(KnownSpectrum(Array(repeating: 2, count: 300)), k: 4, tolerance: 1e-10)
        #expect(pairs.converged)
        #expect(pairs.products == 4)
        for value in pairs.values { #expect(abs(value - 2) < 1e-13) }
    }

    @Test func aColdStartLooksUntilLittleCanBeOverlooked() throws {
        let pairs = try solve(KnownSpectrum(networkSpectrum(5000, outliers: outliers)))
        #expect(pairs.missProbability <= 0.05)
        // A whole space leaves nothing to overlook.
        #expect(try solve(KnownSpectrum([1, 2]), k: 2).missProbability == 0)
    }

    @Test func dimensionOneIsAMatrixToo() throws {
        let pairs = try solve(FunctionOperator(dimension: 1, element: .f64) { try -3 * $0 })
        #expect(pairs.values == [-3])
        #expect(pairs.converged)
        #expect(pairs.products == 1)
        #expect(abs(pairs.vectors[0][0]) == 1)
    }

    @Test(arguments: [1, 5, 11, 12])
    func anyNumberOfPairsUpToTheDimensionCanBeAsked(k: Int) throws {
        let dense = randomSymmetric(12, seed: 8)
        let exact = DenseEigen(symmetric: dense).values
        let pairs = try solve(DenseOperator(matrix: dense), k: k, tolerance: 1e-10)
        #expect(pairs.converged)
        #expect(pairs.values.count == k)
        for (value, expected) in zip(pairs.values, exact) { #expect(abs(value - expected) < 1e-9) }
    }

    @Test func aMoreNegativeEnvironmentDoesNotDistract() throws {
        // Most of the spectrum's weight is far below 0; the top is 1 and 0.8.
        var spectrum = (0..<3000).map { -Double($0) / 60 }
        spectrum[0] = 1
        spectrum[1] = 0.8
        let pairs = try solve(KnownSpectrum(spectrum), k: 2, tolerance: 1e-3)
        #expect(pairs.converged)
        // s in the stopping rule is max(|θ|, 0.01‖A‖), here |θ| for both.
        #expect(abs(pairs.values[0] - 1) < 1e-3 && abs(pairs.values[1] - 0.8) < 1e-3)
    }

    @Test func aNegativeDefiniteOperatorHasItsLeastNegativeEigenvalueOnTop() throws {
        let spectrum = (0..<500).map { -1 - Double($0) / 50 }
        let pairs = try solve(KnownSpectrum(spectrum), tolerance: 1e-6)
        #expect(pairs.converged)
        #expect(abs(pairs.values[0] + 1) < 1e-6)
    }

    @Test func aLongSolveGoesThroughRestarts() throws {
        // Equally spaced eigenvalues are the hard case: no gap stands out, and a basis of 32 vectors is too small.
        let spectrum = (0..<1000).map { Double($0) / 1000 }
        let matrix = try KnownSpectrum(spectrum)
        let pairs = try solve(matrix, k: 2, tolerance: 1e-6)
        #expect(pairs.converged)
        #expect(pairs.products > 64)
        for (value, expected) in zip(pairs.values, [0.999, 0.998]) { #expect(abs(value - expected) < 2e-6) }
        for j in 0..<2 {
            let residual = try trueResidual(matrix, pairs.values[j], pairs.vectors[j])
            #expect(abs(residual - pairs.residuals[j]) < 1e-12)
        }
    }

    @Test func whenProductsRunOutTheResultSaysSo() throws {
        let spectrum = (0..<1000).map { Double($0) / 1000 }
        let pairs = try solve(KnownSpectrum(spectrum), tolerance: 1e-9, maxProducts: 40)
        #expect(!pairs.converged)
        #expect(pairs.products <= 40)
        #expect(pairs.residuals[0] > 1e-9)
    }

    @Test func theSameStreamGivesTheSameBits() throws {
        let matrix = try KnownSpectrum(networkSpectrum(5000, outliers: outliers), element: .f32)
        let (a, b) = (try solve(matrix, k: 3), try solve(matrix, k: 3))
        #expect(a.values.map(\.bitPattern) == b.values.map(\.bitPattern))
        #expect(a.residuals.map(\.bitPattern) == b.residuals.map(\.bitPattern))
        for (v, w) in zip(a.vectors + a.warmStart, b.vectors + b.warmStart) { #expect(v.hasSameBits(as: w)) }
    }

    @Test func impossibleRequestsAreErrors() throws {
        let matrix = try KnownSpectrum([1, 2, 3])
        #expect(throws: CurvatureError.impossibleCount(k: 4, dimension: 3)) { try solve(matrix, k: 4) }
        #expect(throws: CurvatureError.impossibleCount(k: 0, dimension: 3)) { try solve(matrix, k: 0) }
        #expect(throws: CurvatureError.self) { try solve(matrix, tolerance: 0) }
        #expect(throws: CurvatureError.wrongDimension(expected: 3, got: 4)) {
            try solve(matrix, warmStart: [Vector(zeros: 4, element: .f64)])
        }
    }

    @Test func aProductThatIsNotFiniteIsAnErrorAndNotAnEndlessLoop() {
        let broken = FunctionOperator(dimension: 10, element: .f32) { v in
            var product = v
            product[3] = .nan
            return product
        }
        #expect(throws: CurvatureError.notFinite(what: "a product of the operator")) { try solve(broken) }
    }
}
