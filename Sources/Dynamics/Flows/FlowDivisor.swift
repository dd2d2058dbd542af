import Compute
import Curvature

/// What a flow's step is divided by at one moment: P, with the rate in it, and how P moves by ν.
///
/// Of gradient descent P = I/η; of rules with ν, P = diag(√ν + ε)/η, one ν for each parameter or one for all, and
/// dν/dt = c(∇L⊙² + diag((HU)X(HU)ᵀ) − ν), c = (1 − β₂)/β₂; for all parameters ‖∇L‖² and the trace. Along directions that oscillate
/// HU = 2PU, by which the map X ↦ Uᵀ(2dP/dt)U is symmetric, and positive semidefinite as that of the third derivative is.
struct FlowDivisor {
    /// η.
    let rate: Double
    /// c.
    let speed: Double
    /// ν: none for gradient descent, one, or one for each parameter.
    let squares: [Double]
    /// The same of √ν.
    private let roots: [Double]
    /// P: one for all parameters, or one for each.
    let entries: [Double]

    /// Gradient descent.
    init(rate: Double) {
        (self.rate, speed, squares, roots) = (rate, 0, [], [])
        entries = [1 / rate]
    }

    /// - Throws: `UpdateRuleError.notPositive` where an entry of P is not.
    init(rate: Double, squares: [Double], factor: Double, epsilon: Double, rule: String) throws {
        (self.rate, self.squares) = (rate, squares)
        speed = (1 - factor) / factor
        roots = squares.map { $0.squareRoot() }
        entries = roots.map { ($0 + epsilon) / rate }
        let zeros = entries.count { !($0 > 0) }
        if zeros > 0 { throw UpdateRuleError.notPositive(rule: rule, count: zeros) }
    }

    /// P for products with matrices.
    func preconditioner() throws -> Preconditioner {
        entries.count == 1 ? .scalar(entries[0]) : .diagonal(try Vector(entries, element: .f64))
    }

    /// dν/dt without oscillations.
    func drift(_ gradient: Vector) -> [Double] {
        switch squares.count {
        case 0: []
        case 1: [speed * (gradient.squaredNorm - squares[0])]
        default: zip(gradient.values, squares).map { speed * ($0 * $0 - $1) }
        }
    }

    /// 2dP/dt by dν/dt, an entry of P.
    private func doubled(_ i: Int, _ drift: Double) -> Double { roots[i] > 0 ? drift / (rate * roots[i]) : 0 }

    /// Uᵀ(2dP/dt)U without oscillations, by pairs.
    /// - Parameters:
    ///   - products: uᵢ∘uⱼ of each pair.
    func turning(_ drift: [Double], _ products: [[Double]], _ pairs: [(i: Int, j: Int)]) -> [Double] {
        switch squares.count {
        case 0: return pairs.map { _ in 0 }
        case 1:
            // UᵀU = I/P.
            let own = doubled(0, drift[0]) / entries[0]
            return pairs.map { $0.i == $0.j ? own : 0 }
        default:
            let own = drift.indices.map { doubled($0, drift[$0]) }
            return products.map { product in zip(own, product).reduce(0) { $0 + $1.0 * $1.1 } }
        }
    }

    /// What a unit of X of one pair adds to Uᵀ(2dP/dt)U of another.
    func turning(by products: [[Double]], _ pairs: [(i: Int, j: Int)]) throws -> DenseMatrix {
        let count = pairs.count
        var map = DenseMatrix(zeros: count, count)
        switch squares.count {
        case 0: break
        case 1:
            let own = doubled(0, speed) * 4
            for a in 0..<count where pairs[a].i == pairs[a].j {
                for b in 0..<count where pairs[b].i == pairs[b].j { map[a, b] = own }
            }
        default:
            let weights = entries.indices.map { 2 * entries[$0] * doubled($0, speed).squareRoot() }
            let vectors = try products.map { try Vector(zip(weights, $0).map { $0 * $1 }, element: .f64) }
            map = try VectorBlock.dots(vectors, vectors)
        }
        return map
    }

    /// diag((HU)X(HU)ᵀ), one for each parameter where there is a ν of each, and its sum: by how much the oscillation raises the mean of
    /// ∇L⊙² and of ‖∇L‖².
    func squares(of x: [Double], _ products: [[Double]], _ pairs: [(i: Int, j: Int)], size: Int) -> (
        each: [Double], sum: Double
    ) {
        if entries.count == 1 {
            let sum = 4 * entries[0] * (0..<size).reduce(0) { $0 + x[$1 * size + $1] }
            return ([sum], sum)
        }
        var each = [Double](repeating: 0, count: entries.count)
        for (pair, product) in zip(pairs, products) {
            let weight = 4 * x[pair.i * size + pair.j] * (pair.i == pair.j ? 1 : 2)
            for p in each.indices { each[p] += weight * entries[p] * entries[p] * product[p] }
        }
        return (each, each.reduce(0, +))
    }
}
