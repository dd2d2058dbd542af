import Compute
import Testing

@testable import Dynamics

/// 0 ⪯ X ⊥ B + M(X) ⪰ 0.
@Suite struct ConeComplementarities {
    /// M(X) = Σ ⟨Tᵢⱼ, Tₖₗ⟩Xₖₗ for random symmetric families of vectors, as central flows have it, and a random symmetric B.
    private func random(_ k: Int, _ number: UInt64) -> ConeComplementarity {
        var stream = RandomStream(seed: number, purpose: .test, index: UInt64(k))
        var families = [[Double]](repeating: [], count: k * k)
        for i in 0..<k {
            for j in i..<k {
                let vector = (0..<20).map { _ in stream.normal() }
                (families[i * k + j], families[j * k + i]) = (vector, vector)
            }
        }
        var offset = [Double](repeating: 0, count: k * k)
        for i in 0..<k {
            for j in i..<k {
                let value = stream.normal()
                (offset[i * k + j], offset[j * k + i]) = (value, value)
            }
        }
        let map = (0..<k * k * k * k).map { place in
            zip(families[place / (k * k)], families[place % (k * k)]).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return ConeComplementarity(size: k, offset: offset, map: map)
    }

    @Test func conditionsHold() {
        for k in 1...6 {
            for number in 0..<20 {
                let problem = random(k, UInt64(number))
                let x = problem.solve()
                #expect(problem.residual(x) < 1e-8, "\(k), \(number): \(problem.residual(x))")
                // X itself is symmetric and positive semidefinite.
                let nearest = ConeComplementarity.projected(x, k)
                #expect(zip(x, nearest).allSatisfy { abs($0 - $1) < 1e-10 })
            }
        }
    }

    /// Two by two, against a search over all X = LLᵀ on a grid that is made finer around the best.
    @Test func bruteForce() {
        for number in 0..<4 {
            let problem = random(2, UInt64(100 + number))
            func objective(_ a: Double, _ b: Double, _ c: Double) -> Double {
                let x = [a * a, a * b, a * b, b * b + c * c]
                let slack = problem.slack(x)
                return zip(x, zip(slack, problem.offset)).reduce(0) { $0 + $1.0 * ($1.1.0 + $1.1.1) / 2 }
            }
            var (best, centre, width) = (Double.infinity, [0.0, 0, 0], 2.0)
            for _ in 0..<40 {
                let middle = centre
                for i in -6...6 {
                    for j in -6...6 {
                        for l in -6...6 {
                            let point = [i, j, l].enumerated().map { middle[$0] + width * Double($1) / 6 }
                            let value = objective(point[0], point[1], point[2])
                            if value < best { (best, centre) = (value, point) }
                        }
                    }
                }
                width *= 0.7
            }
            let x = problem.solve()
            let value = zip(x, zip(problem.slack(x), problem.offset)).reduce(0) { $0 + $1.0 * ($1.1.0 + $1.1.1) / 2 }
            #expect(abs(value - best) < 1e-6, "\(number): \(value), by search \(best)")
        }
    }

    @Test func nothingOscillates() {
        #expect(ConeComplementarity(size: 1, offset: [0.5], map: [2]).solve() == [0])
        #expect(ConeComplementarity(size: 1, offset: [-0.5], map: [2]).solve() == [0.25])
        #expect(
            ConeComplementarity(size: 2, offset: [1, 0, 0, 2], map: [Double](repeating: 0, count: 16)).solve() == [
                0, 0, 0, 0,
            ])
    }
}
