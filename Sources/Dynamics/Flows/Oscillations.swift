import Compute
import Curvature
import Objectives

/// Who oscillates at one point of a central flow, and how strongly: X, and by what it moves the flow.
struct Oscillations {
    /// How many eigenvectors.
    let size: Int
    /// i ≤ j.
    let pairs: [(i: Int, j: Int)]
    /// ∇³L[uᵢ, uⱼ] of each pair.
    let terms: [Vector]
    /// X, row by row.
    let x: [Double]
    /// diag((HU)X(HU)ᵀ), or its sum alone where ν is one number.
    let squares: (each: [Double], sum: Double)

    var trace: Double { (0..<size).reduce(0) { $0 + x[$1 * size + $1] } }

    /// - Parameters:
    ///   - values: λ, of P⁻¹H.
    ///   - vectors: U, with UᵀPU = I.
    ///   - drift: dν/dt without oscillations.
    init(
        _ values: [Double], _ vectors: [Vector], _ gradient: Vector, _ dt: Double, _ divisor: FlowDivisor,
        _ drift: [Double], _ preconditioner: Preconditioner, _ theta: Vector, _ batch: StepOracle
    ) throws {
        let k = values.count
        let pairs = (0..<k).flatMap { i in (i..<k).map { (i: i, j: $0) } }
        terms = try batch.oracle.directionals(at: theta, along: pairs.map { [vectors[$0.i], vectors[$0.j]] })
        var products: [[Double]] = []
        if divisor.squares.count > 1 {
            let values = vectors.map(\.values)
            products = pairs.map { pair in zip(values[pair.i], values[pair.j]).map { $0 * $1 } }
        }
        // A = diag(2 − λ) + dt·Uᵀ(2dP/dt − dH/dt)U with Uᵀ(dH/dt)U = ⟨∇³L[uᵢ, uⱼ], dθ/dt⟩.
        let divided = try terms.map { try preconditioner.power(-0.5, times: $0) }
        let slope = try preconditioner.power(-0.5, times: gradient)
        let turning = divisor.turning(drift, products, pairs)
        let turned = try divisor.turning(by: products, pairs)
        let gram = try VectorBlock.dots(divided, divided)
        var offset = [Double](repeating: 0, count: k * k)
        var map = [Double](repeating: 0, count: k * k * k * k)
        for (a, pair) in pairs.enumerated() {
            let own =
                (pair.i == pair.j ? 2 - values[pair.i] : 0) + dt * (turning[a] + (try divided[a].dot(slope)))
            for row in [pair.i * k + pair.j, pair.j * k + pair.i] {
                offset[row] = own
                for (b, other) in pairs.enumerated() {
                    for column in [other.i * k + other.j, other.j * k + other.i] {
                        map[row * k * k + column] = dt * (gram[a, b] / 2 + turned[a, b])
                    }
                }
            }
        }
        x = ConeComplementarity(size: k, offset: offset, map: map).solve()
        squares = divisor.squares(of: x, products, pairs, size: k)
        (size, self.pairs) = (k, pairs)
    }
}
