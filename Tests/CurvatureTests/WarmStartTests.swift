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

    /// The trap of warm starts: the old eigenvector stays an exact eigenvector while others overtake, here the runner-up
    /// and then a direction out of the bulk. One measurement may miss that, by no more than 20 %; the next one does not.
    @Test(arguments: [ElementType.f32, .f64])
    func anEigenvalueThatOvertakesIsNoticed(element: ElementType) throws {
        var spectrum = networkSpectrum(10_000, outliers: [10, 9, 8])
        var stream = RandomStream(seed: 1, purpose: .probe)
        var pairs = try topEigenpairs(of: KnownSpectrum(spectrum, element: element), stream: &stream)
        var off: [Int] = []
        for step in 1...14 {
            let growth = Double(min(step, 10))
            spectrum[1] = 9 + 0.3 * growth
            spectrum[9000] = 1.3 * growth
            let matrix = try KnownSpectrum(spectrum, element: element)
            pairs = try topEigenpairs(of: matrix, warmStart: pairs.warmStart, stream: &stream)
            #expect(pairs.converged)
            let ratio = pairs.values[0] / (spectrum.max() ?? 0)
            #expect(ratio > 0.8 && ratio < 1 + 1e-6)
            if ratio < 0.99 {
                #expect(off.last != step - 1)
                off.append(step)
            }
        }
        #expect(off.count <= 3)
    }

    /// By the promise on what stays unseen a warm solve finds a top that is more than 30 % above its start (of the fourth
    /// and fifth eigenvectors, 7 and 6) with 50 % at least; with these seeds all chains are right by the third solve.
    @Test func anExactEigenvectorThatIsNotTheTopFoolsTheSolverForAMomentOnly() throws {
        let matrix = try KnownSpectrum(networkSpectrum(5000, outliers: [10, 9, 8, 7, 6]))
        for wrong in 1..<5 {
            var rightAtOnce = 0
            for seed in 0..<10 {
                var stream = RandomStream(seed: UInt64(seed), purpose: .probe)
                var warmStart = [try matrix.eigenvector(wrong)]
                for solve in 1...3 {
                    let pairs = try topEigenpairs(of: matrix, warmStart: warmStart, stream: &stream)
                    warmStart = pairs.warmStart
                    if abs(pairs.values[0] / 10 - 1) < 0.01 {
                        if solve == 1 { rightAtOnce += 1 }
                        break
                    }
                    #expect(solve < 3)
                }
            }
            if wrong >= 3 { #expect(rightAtOnce >= 5) }
        }
    }

    /// 200 solves from an exact eigenvector of 8 may overlook the eigenvalue 10, which is more than 20 % larger, and say
    /// that this is at most α likely, in a share α of the cases; five standard deviations of the count are added.
    @Test func overlookedEigenvaluesAreNoMoreFrequentThanSaid() throws {
        let matrix = try KnownSpectrum(networkSpectrum(1000, outliers: [10, 8, 7]))
        var saidWhenMissed: [Double] = []
        for seed in 0..<200 {
            var stream = RandomStream(seed: UInt64(seed), purpose: .probe)
            let pairs = try topEigenpairs(of: matrix, warmStart: [matrix.eigenvector(1)], stream: &stream)
            #expect(pairs.missProbability <= 0.5)
            if pairs.values[0] < 8.3 { saidWhenMissed.append(pairs.missProbability) }
        }
        #expect(!saidWhenMissed.isEmpty)
        for alpha in [0.05, 0.1, 0.2, 0.5] {
            let count = Double(saidWhenMissed.filter { $0 <= alpha }.count)
            #expect(count <= 200 * alpha + 5 * (200 * alpha * (1 - alpha)).squareRoot())
        }
    }

    /// u is the top eigenvector and hardly in the start; what the basis allows for it covers what is there. The bound is
    /// sharp when u lies in the span of the basis and its next block, so it cannot be much too large either.
    @Test func whatTheBasisAllowsForAnUnseenEigenvectorCoversIt() throws {
        let matrix = try KnownSpectrum([10, 5, 3, 2, 1, 0, -1, -4])
        let start = try (1...6).map { try matrix.eigenvector($0) }.reduce(Vector(zeros: 8, element: .f64), +)
        for inside in [1e-2, 1e-5, 1e-9] {
            var x = try start / start.norm()
            try x.add(inside, matrix.eigenvector(0))
            let problem = try EigenProblem(matrix, .largest(1), tolerance: 0.01, warmStart: [], maxProducts: 100)
            var basis = try KrylovBasis(start: [x], dimension: 8, element: .f64)
            for product in 1...6 {
                try basis.extend(by: problem)
                let ritz = RitzPairs(DenseEigen(symmetric: basis.projected), for: problem.goal) {
                    basis.residuals(of: $0)
                }
                guard ritz.values[0] < 9 else { break }
                let allowed = try #require(basis.largestMissed(at: 10, ritz)?[0])
                #expect(allowed >= 0.99 * inside)
                // Seven eigenvectors in the start: after six products the basis and its next vector hold nearly all of u.
                if product == 6 { #expect(allowed <= 10 * inside) }
            }
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
