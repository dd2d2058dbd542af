import Compute
import Graph
import Networks
import Objectives

/// A norm of steps: descent in it goes along the d of ‖d‖ = 1 by which the loss falls fastest.
public enum StepNorm: String, Sendable, CaseIterable {
    /// max |dᵢ|, that of sign descent and Lion.
    case linf
    /// That of Muon: the largest over the parameters, of a matrix its spectral norm over √max(1, rows/columns), of a vector the root of
    /// the mean of its squares.
    case spectral

    /// The d of ‖d‖ ≤ 1 with the largest ⟨v, d⟩, which is the dual norm ‖v‖_*; 0 where v is.
    public func steepest(_ v: Vector, _ oracle: Oracle) throws -> Vector {
        var (direction, state) = (v, UpdateState())
        try oracle.apply(
            self == .linf ? Self.signs : Self.orthogonal, &direction, &state, gradient: v,
            scalars: UnsafeBufferPointer(start: nil, count: 0))
        return direction
    }

    private static let signs = ElementwiseUpdate(scalars: []) { x in [try x.gradient.sign()] }

    private static let orthogonal = ElementwiseUpdate(scalars: [], isByTensor: true) { x in
        [try unit(x.gradient) { try polar($0) }]
    }

    /// The direction of unit norm that belongs to one parameter's part of a vector.
    /// - Parameter polar: the orthogonal factor of a matrix.
    static func unit(_ v: Symbolic, polar: (Symbolic) throws -> Symbolic) throws -> Symbolic {
        guard let rows = v.shape.first, v.shape.count > 1 else {
            let count = Double(v.shape.reduce(1, *))
            return try v.quotient(by: ((1 / count) * (v * v).sum()).sqrt().broadcast(to: v.shape))
        }
        let matrix = try v.reshaped(to: [rows, v.shape.dropFirst().reduce(1, *)])
        let scale = max(1, Double(rows) / Double(matrix.shape[1])).squareRoot()
        return try (scale * polar(matrix)).reshaped(to: v.shape)
    }

    /// Five steps of Newton and Schulz with the coefficients of Jordan et al. 2024: singular values between about 0.7 and 1.2, but for those
    /// that are below a hundredth of ‖M‖_F.
    static func nearlyPolar(_ matrix: Symbolic) throws -> Symbolic {
        try iterated(matrix, [[Double]](repeating: jordan, count: 5))
    }

    /// Singular values that are at least 10⁻⁴ of ‖M‖_F become 1 to 10⁻⁷: eight of these steps bring them near, and four that have 1 as
    /// their fixed point, to third order, the rest of the way. Smaller ones, which hardly matter to ⟨M, UVᵀ⟩, lie between 0 and 1.
    private static func polar(_ matrix: Symbolic) throws -> Symbolic {
        try iterated(
            matrix, [[Double]](repeating: jordan, count: 8) + [[Double]](repeating: [1.875, -1.25, 0.375], count: 4))
    }

    private static let jordan = [3.4445, -4.7750, 2.0315]

    /// X ← aX + (bA + cA²)X with A = XXᵀ for each (a, b, c), from M/(‖M‖_F + 10⁻⁷).
    private static func iterated(_ matrix: Symbolic, _ coefficients: [[Double]]) throws -> Symbolic {
        let isTall = matrix.shape[0] > matrix.shape[1]
        var x = isTall ? try matrix.transposed([1, 0]) : matrix
        x = try x / ((x * x).sum().sqrt() + 1e-7)
        for c in coefficients {
            let a = try x.dot(x.transposed([1, 0]))
            x = try c[0] * x + (c[1] * a + c[2] * a.dot(a)).dot(x)
        }
        return isTall ? try x.transposed([1, 0]) : x
    }
}
