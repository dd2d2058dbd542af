import Compute
import Foundation
import Graph
import Testing

@testable import Curvature

private func density(
    _ matrix: some LinearOperator, vectors: Int = 6, steps: Int = 16, seed: UInt64 = 1
) throws -> SpectralDensity {
    var stream = RandomStream(seed: seed, purpose: .test)
    return try lanczosDensity(of: matrix, vectors: vectors, steps: steps, stream: &stream)
}

/// As it is called: small matrices are decomposed.
private func chosen(_ matrix: some LinearOperator, vectors: Int = 6, steps: Int = 100) throws -> SpectralDensity {
    var stream = RandomStream(seed: 1, purpose: .test)
    return try spectralDensity(of: matrix, vectors: vectors, steps: steps, stream: &stream)
}

/// A semicircle-like bulk and three outliers.
private let spectrum = (0..<300).map { i in i < 3 ? 8 - Double(i) : cos(Double(i) / 300 * .pi) }

@Suite struct SpectralDensityTests {
    @Test func weightsAreProbabilitiesAndTheDensityIntegratesToOne() throws {
        let result = try density(KnownSpectrum(spectrum, reflections: 4))
        for (nodes, weights) in zip(result.nodes, result.weights) {
            #expect(nodes.count == 16 && nodes == nodes.sorted())
            #expect(abs(weights.reduce(0, +) - 1) < 1e-13)
        }
        let (lower, upper) = result.support
        let width = result.defaultWidth
        let (from, step) = (lower - 8 * width, (upper - lower + 16 * width) / 2000)
        let values = try result.density(at: (0...2000).map { from + Double($0) * step }).values
        // Gaussians sampled 1 % of the support apart, a sixth of their width: the trapezoidal rule is exact to rounding.
        #expect(abs(values.reduce(0, +) * step - 1) < 1e-9)
    }

    /// Of one vector v: vᵀAᵏv up to degree 2m − 1.
    @Test func momentsOfAVectorAreExact() throws {
        let matrix = try KnownSpectrum(spectrum, reflections: 4)
        let result = try density(matrix, vectors: 1, steps: 4)
        var stream = RandomStream(seed: 1, purpose: .test)
        var v = try Vector.randomNormal(count: 300, element: .f64, stream: &stream)
        try v.scale(1 / v.norm())
        var power = v
        for k in 0...8 {
            let exact = try v.dot(power)
            let relative = abs(result.moment(k).value / exact - 1)
            if k <= 7 { #expect(relative < 1e-11) } else { #expect(relative > 1e-6) }
            power = try matrix.apply(power)
        }
    }

    @Test func theFirstFourMomentsAreThoseOfTheMatrixWithinTheirErrors() throws {
        let matrix = try KnownSpectrum(spectrum, reflections: 4)
        let result = try density(matrix, vectors: 12, steps: 6)
        for k in 1...4 {
            let truth = spectrum.reduce(0) { $0 + pow($1, Double(k)) } / 300
            let moment = result.moment(k)
            // Student's t of 11 degrees exceeds 4 once in 500 times.
            #expect(abs(moment.value - truth) < 4 * moment.standardError)
            #expect(moment.standardError > 0 && moment.standardError < 0.5 * abs(truth) + 0.1)
        }
        #expect(result.products == 72 && matrix.products == 72)
    }

    /// The error over the standard error, in the mean square over 200 repetitions, is near 1 for few vectors too: of 200 the share is
    /// known to 5 %, and from one to two vectors the errors are meant to be large rather than small. One outlier carries the
    /// higher moments; by the scatter of values it is 1.3 for five vectors, 2.7 and more for three, and of one vector unknown.
    @Test(arguments: [1, 2, 3, 5]) func theErrorsOfMomentsAreHonestForFewVectors(vectors: Int) throws {
        let spectrum = (0..<100).map { $0 < 1 ? 8 : cos(Double($0) / 100 * .pi) }
        let matrix = try KnownSpectrum(spectrum, reflections: 2)
        var squares = [0.0, 0, 0]
        for repetition in 0..<200 {
            let result = try density(matrix, vectors: vectors, steps: 5, seed: UInt64(repetition))
            for k in 1...3 {
                let truth = spectrum.reduce(0) { $0 + pow($1, Double(k)) } / 100
                let moment = result.moment(k)
                let z = (moment.value - truth) / moment.standardError
                squares[k - 1] += z * z / 200
            }
        }
        for (k, square) in squares.enumerated() {
            #expect((0.45...1.3).contains(square.squareRoot()), "moment \(k + 1): \(square.squareRoot())")
        }
    }

    /// The same of the multiplicity of an outlier.
    @Test(arguments: [2, 4]) func theErrorsOfMultiplicitiesAreHonestForFewVectors(vectors: Int) throws {
        let spectrum = (0..<100).map { $0 < 1 ? 8 : cos(Double($0) / 100 * .pi) }
        let matrix = try KnownSpectrum(spectrum, reflections: 2)
        var square = 0.0
        for repetition in 0..<200 {
            let result = try density(matrix, vectors: vectors, steps: 12, seed: UInt64(repetition))
            let outlier = try #require(result.outliers(separation: 1).first)
            let z = (outlier.multiplicity.value - 1) / outlier.multiplicity.standardError
            square += z * z / 200
        }
        #expect((0.45...1.3).contains(square.squareRoot()), "\(square.squareRoot())")
    }

    @Test func smallMatricesAreDecomposed() throws {
        let result = try chosen(KnownSpectrum([3, 2, 2, -1]))
        #expect(result.isExact && result.products == 4)
        for (value, expected) in zip(result.nodes[0], [-1.0, 2, 2, 3]) { #expect(abs(value - expected) < 1e-14) }
        #expect(result.moment(1).standardError == 0)
        #expect(abs(result.mean(of: { exp($0) }).value - (exp(3) + 2 * exp(2) + exp(-1)) / 4) < 1e-12)
    }

    /// With fewer products than rows Lanczos runs, with more the matrix is decomposed: neither costs more than p products.
    @Test func theCheaperWayIsTaken() throws {
        let matrix = try KnownSpectrum(spectrum)
        #expect(try !chosen(matrix, vectors: 6, steps: 49).isExact && matrix.products == 294)
        #expect(try chosen(matrix, vectors: 6, steps: 50).isExact && matrix.products == 594)
    }

    /// Two eigenvalues are exhausted by two steps.
    @Test(arguments: [ElementType.f64, .f32])
    func anInvariantSubspaceEndsTheRecurrence(element: ElementType) throws {
        let matrix = try KnownSpectrum((0..<400).map { $0 < 100 ? 5 : -1 }, element: element)
        let result = try density(matrix)
        let tolerance = element == .f64 ? 1e-12 : 1e-5
        for (nodes, weights) in zip(result.nodes, result.weights) {
            #expect(nodes.count == 2)
            #expect(abs(nodes[0] + 1) < tolerance && abs(nodes[1] - 5) < tolerance)
            // A quarter, with the scatter of χ²: √(2·¼·¾/400) is 3 %.
            #expect(abs(weights[1] - 0.25) < 0.15)
        }
    }

    @Test func zeroAndIdentityHaveASinglePeak() throws {
        for value in [0.0, 7] {
            let result = try density(KnownSpectrum(Array(repeating: value, count: 200)))
            #expect(result.nodes.allSatisfy { $0.count == 1 && abs($0[0] - value) < 1e-12 })
            #expect(result.defaultWidth > 0)
            #expect(result.moment(1).standardError < 1e-12)
        }
    }

    @Test func eigenvaluesThatStandApartAreFoundWithTheirMultiplicity() throws {
        // 8, 7 and 6 above a bulk within ±1, −5 below, four times.
        let values = spectrum.enumerated().map { (296...).contains($0.offset) ? -5 : $0.element }
        let outliers = try density(KnownSpectrum(values, reflections: 4), vectors: 12, steps: 20).outliers()
        #expect(outliers.count == 4)
        for (outlier, (value, count)) in zip(outliers, [(8.0, 1.0), (7, 1), (6, 1), (-5, 4)]) {
            #expect(abs(outlier.value - value) <= max(outlier.residual, 1e-10))
            #expect(outlier.residual < 0.08)
            // Five standard errors of a mean of twelve χ² variables.
            #expect(abs(outlier.multiplicity.value - count) < 5 * count * (2 / (12 * count)).squareRoot())
        }
    }

    @Test func aBulkHasNoOutliers() throws {
        #expect(try density(KnownSpectrum(spectrum.map { min($0, 1) }), steps: 40).outliers().isEmpty)
        #expect(try chosen(KnownSpectrum((0..<100).map(Double.init))).outliers().isEmpty)
        #expect(try density(KnownSpectrum(Array(repeating: 2, count: 300))).outliers().isEmpty)
    }

    @Test func outliersOfADecomposedMatrixAreItsEigenvalues() throws {
        let values = (0..<60).map { $0 < 2 ? 20 - Double($0) : Double($0) / 60 }
        let outliers = try chosen(KnownSpectrum(values)).outliers()
        #expect(outliers.count == 2 && abs(outliers[0].value - 20) < 1e-12 && abs(outliers[1].value - 19) < 1e-12)
        for outlier in outliers {
            #expect(abs(outlier.multiplicity.value - 1) < 1e-12 && outlier.multiplicity.standardError == 0)
        }
    }

    @Test func wrongRequestsSayWhatIsWrong() throws {
        let matrix = try KnownSpectrum(spectrum)
        for (vectors, steps) in [(0, 1), (1, 0), (1, -1), (Int.max, 2), (2, Int.max)] {
            #expect(throws: CurvatureError.self) { try chosen(matrix, vectors: vectors, steps: steps) }
        }
        #expect(throws: CurvatureError.self) { try density(matrix).density(at: [0], width: 0) }
        let broken = FunctionOperator(dimension: 300, element: .f64) { try .nan * $0 }
        #expect(throws: CurvatureError.self) { try density(broken) }
        #expect(throws: CurvatureError.self) { try chosen(broken) }
    }
}
