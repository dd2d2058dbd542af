import Compute
import Graph
import Testing

@testable import Curvature

@Suite struct WarmStartTests {
    private let outliers = [16.1, 14.2, 13.1, 12.7, 11.9, 11.0, 10.2]

    @Test func aWarmStartOnTheSameMatrixNeedsFewProducts() throws {
        let matrix = try KnownSpectrum(networkSpectrum(20_000, outliers: outliers), element: .f32)
        var stream = RandomStream(seed: 1, purpose: .probe)
        let cold = try topEigenpairs(of: matrix, k: 1, stream: &stream)
        let warm = try topEigenpairs(of: matrix, k: 1, warmStart: cold.warmStart, stream: &stream)
        #expect(warm.converged)
        #expect(warm.products < cold.products)
        #expect(abs(warm.values[0] / outliers[0] - 1) < 0.01)
    }

    @Test func signsContinueAlongARun() throws {
        let matrix = try KnownSpectrum(networkSpectrum(3000, outliers: outliers))
        var stream = RandomStream(seed: 1, purpose: .probe)
        var previous = try topEigenpairs(of: matrix, k: 3, tolerance: 1e-4, stream: &stream)
        for _ in 0..<5 {
            let next = try topEigenpairs(
                of: matrix, k: 3, tolerance: 1e-4, warmStart: previous.warmStart, stream: &stream)
            for (v, w) in zip(previous.vectors, next.vectors) { #expect(try v.dot(w) > 0.9) }
            previous = next
        }
    }

    /// The trap of warm starts: the old eigenvector stays an exact eigenvector while another eigenvalue overtakes.
    @Test(arguments: [ElementType.f32, .f64])
    func anEigenvalueThatOvertakesIsNoticed(element: ElementType) throws {
        var spectrum = networkSpectrum(10_000, outliers: [10, 9, 8])
        var stream = RandomStream(seed: 1, purpose: .probe)
        var pairs = try topEigenpairs(of: KnownSpectrum(spectrum, element: element), stream: &stream)
        for step in 1...10 {
            // The runner-up, then a direction out of the bulk, grow past the top.
            spectrum[1] = 9 + 0.3 * Double(step)
            spectrum[9000] = 1.3 * Double(step)
            let matrix = try KnownSpectrum(spectrum, element: element)
            pairs = try topEigenpairs(of: matrix, warmStart: pairs.warmStart, stream: &stream)
            let truth = spectrum.max() ?? 0
            #expect(pairs.converged)
            #expect(abs(pairs.values[0] / truth - 1) < 0.01)
        }
    }

    @Test func uselessWarmStartsDoNoHarm() throws {
        let matrix = try KnownSpectrum(networkSpectrum(4000, outliers: outliers), element: .f32)
        var top = try matrix.eigenvector(0)
        let near = top
        try top.add(1e-6, matrix.eigenvector(1))
        var broken = try Vector(zeros: 4000, element: .f32)
        broken[7] = .nan
        let cases: [[Vector]] = [
            [near, top, top],  // nearly dependent
            [try Vector(zeros: 4000, element: .f32)], [broken, broken],
            [try Vector(zeros: 4000, element: .f64)],  // another element
            try (0..<9).map { try matrix.eigenvector($0) },  // more than asked
        ]
        for warmStart in cases {
            var stream = RandomStream(seed: 3, purpose: .probe)
            let pairs = try topEigenpairs(of: matrix, k: 3, warmStart: warmStart, stream: &stream)
            #expect(pairs.converged)
            for j in 0..<3 { #expect(abs(pairs.values[j] / outliers[j] - 1) < 0.01) }
        }
    }
}
