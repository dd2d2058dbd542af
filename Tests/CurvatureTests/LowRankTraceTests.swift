import Compute
import Graph
import Testing

@testable import Curvature

/// A few large eigenvalues above a bulk, as Hessians have: what Hutchinson's estimator is bad at.
private func steep(_ p: Int, element: ElementType = .f64) throws -> KnownSpectrum {
    try KnownSpectrum(networkSpectrum(p, outliers: [16, 14, 13, 12, 9, 6, 5, 4]), element: element, reflections: 4)
}

private struct Repeated {
    var covered = 0.0
    var error = 0.0
    var bar = 0.0

    /// Share of 95 % intervals that cover, root mean square errors and root mean square bars.
    init(
        _ matrix: some LinearOperator, truth: Double, _ method: TraceMethod, _ rule: MonteCarlo, repetitions: Int
    ) throws {
        for i in 0..<repetitions {
            var stream = RandomStream(seed: 1, purpose: .test, index: UInt64(i))
            let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
            let (lower, upper) = estimate.interval()
            if lower <= truth && truth <= upper { covered += 1 / Double(repetitions) }
            error += (estimate.value - truth) * (estimate.value - truth) / Double(repetitions)
            bar += estimate.standardError * estimate.standardError / Double(repetitions)
        }
        (error, bar) = (error.squareRoot(), bar.squareRoot())
    }
}

@Suite struct LowRankTraceTests {
    @Test(arguments: [TraceMethod.hutchPlusPlus, .xtrace])
    func theErrorBarIsThatOfRepetitions(method: TraceMethod) throws {
        let matrix = try steep(150)
        let truth = matrix.eigenvalues.reduce(0, +)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 36)
        let repeated = try Repeated(matrix, truth: truth, method, rule, repetitions: 120)
        // Of 120 repetitions at 95 % five deviations are 10 %; a ratio of root mean squares has 8 %.
        #expect(repeated.covered > 0.85, "\(repeated)")
        #expect(repeated.bar / repeated.error > 0.75 && repeated.bar / repeated.error < 1.4, "\(repeated)")
        let plain = try Repeated(matrix, truth: truth, .hutchinson, rule, repetitions: 120)
        #expect(repeated.error < 0.5 * plain.error, "\(repeated) \(plain)")
    }

    /// A matrix of rank 5 is known after products with more than five vectors, without an error but rounding.
    @Test(arguments: [TraceMethod.hutchPlusPlus, .xtrace], [ElementType.f64, .f32])
    func aLowRankIsExact(method: TraceMethod, element: ElementType) throws {
        let matrix = try KnownSpectrum(
            (0..<200).map { $0 < 5 ? Double($0 + 1) : 0 }, element: element, reflections: 4)
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 16, maxSamples: 60)
        let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
        #expect(abs(estimate.value - 15) < (element == .f64 ? 1e-11 : 1e-4))
        #expect(estimate.standardError < (element == .f64 ? 1e-11 : 1e-4))
        #expect(estimate.products <= 33)
    }

    @Test(arguments: TraceMethod.allCases)
    func theAskedErrorIsReachedWithTheProductsThatAreCounted(method: TraceMethod) throws {
        let matrix = try steep(800)
        let truth = matrix.eigenvalues.reduce(0, +)
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0.02, minSamples: 20, maxSamples: 600, chunk: 8)
        let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
        #expect(estimate.products == matrix.products)
        #expect(estimate.relativeError <= 0.02)
        #expect(abs(estimate.value / truth - 1) < 0.08)
    }

    /// Where sampling would take more products than the matrix has rows, the rows are taken.
    @Test(arguments: TraceMethod.allCases)
    func noEstimateCostsMoreThanTheExactTraceBesideIt(method: TraceMethod) throws {
        let matrix = DenseOperator(matrix: randomSymmetric(40, seed: 9))
        let truth = (0..<40).map { matrix.matrix[$0, $0] }.reduce(0, +)
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 1e-4, minSamples: 10, maxSamples: 5000, chunk: 4)
        let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
        #expect(abs(estimate.value - truth) < 1e-12 && estimate.standardError == 0)
        #expect(estimate.products <= 80)
    }

    /// The first step of XTrace takes 24 products, so 20 rows are taken at once.
    @Test(arguments: TraceMethod.allCases, [10, 17, 20, 24])
    func fewRowsAreTakenOneByOne(method: TraceMethod, rows: Int) throws {
        let matrix = try KnownSpectrum((0..<rows).map(Double.init))
        var stream = RandomStream(seed: 6, purpose: .test)
        let rule = try MonteCarlo(relativeError: 1e-6, minSamples: 10, maxSamples: 5000, chunk: 4)
        let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
        #expect(abs(estimate.value - Double(rows * (rows - 1) / 2)) < 1e-11 && estimate.standardError == 0)
        #expect(matrix.products == estimate.products && estimate.products <= 2 * rows)
    }

    /// Never more products than allowed: a sketch and a test vector take four at least, which is said.
    @Test(arguments: TraceMethod.allCases, 1...9)
    func noMoreProductsThanAllowedAreTaken(method: TraceMethod, allowed: Int) throws {
        let matrix = try steep(100)
        var stream = RandomStream(seed: 1, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: allowed)
        guard method == .hutchinson || allowed >= 4 else {
            #expect(throws: CurvatureError.self) {
                try trace(of: matrix, method: method, samples: rule, stream: &stream)
            }
            return
        }
        let estimate = try trace(of: matrix, method: method, samples: rule, stream: &stream)
        #expect(estimate.products == matrix.products)
        // XTrace takes two a test vector.
        #expect(estimate.products == (method == .xtrace ? allowed - allowed % 2 : allowed))
    }

    @Test(arguments: TraceMethod.allCases)
    func zeroAndOneDimensionalMatricesAreNoProblem(method: TraceMethod) throws {
        var stream = RandomStream(seed: 4, purpose: .test)
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 10, maxSamples: 100)
        let zero = try trace(
            of: KnownSpectrum(Array(repeating: 0, count: 300)), method: method, samples: rule, stream: &stream)
        #expect(zero.value == 0 && zero.standardError == 0)
        let one = try trace(of: KnownSpectrum([-3], reflections: 0), method: method, samples: rule, stream: &stream)
        #expect(one.value == -3 && one.standardError == 0)
    }
}
