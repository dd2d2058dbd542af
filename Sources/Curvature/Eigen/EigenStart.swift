import Compute
import Graph

/// The start of a solve, and how much it must be shown to be worth.
struct EigenStart {
    /// The start vectors: each the sum of its part of the warm start, of length 1, and a random vector.
    private(set) var block: [Vector]
    /// The random part of each start vector of length 1.
    private(set) var randomShares: [Double]

    /// Length of the random part beside a warm start of length 1.
    private static let randomPart = 0.7

    private var isWarm: Bool { randomShares.allSatisfy { $0 < 1 } }
    /// How likely an eigenvalue beyond the margin may have stayed unseen.
    var allowedMiss: Double { isWarm ? 0.5 : 0.05 }
    /// How far beyond those found, relative to them, an eigenvalue counts as overlooked.
    var margin: Double { isWarm ? 0.3 : 0.2 }
    /// How large a residual may be, in tolerances.
    var residualFactor: Double { isWarm ? 2 : 1 }

    /// - Parameters:
    ///   - warmStart: vectors of the operator's dimension, dealt out over the block in turn.
    ///   - width: vectors in the block.
    init(_ matrix: any LinearOperator, warmStart: [Vector], width: Int, stream: inout RandomStream) throws {
        var block = try (0..<width).map { _ in
            var random = try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
            let length = random.norm()
            if length > 0 { try random.scale(1 / length) }
            return random
        }
        var warm = [Vector?](repeating: nil, count: width)
        for (i, given) in warmStart.enumerated() {
            var w = try given.converted(to: matrix.element)
            // A vector without a direction is no warm start: that place stays random.
            let length = w.norm()
            guard length > 0, length.isFinite else { continue }
            try w.scale(1 / length)
            if var mix = warm[i % width] {
                try mix.add(1, w)
                warm[i % width] = mix
            } else {
                warm[i % width] = w
            }
        }
        var shares = [Double](repeating: 1, count: width)
        for j in 0..<width {
            guard let w = warm[j] else { continue }
            let length = w.norm()
            guard length > 0 else { continue }
            try block[j].scale(Self.randomPart)
            try block[j].add(1 / length, w)
            shares[j] = Self.randomPart / (1 + Self.randomPart * Self.randomPart).squareRoot()
        }
        self.block = block
        self.randomShares = shares
    }

    /// Puts random vectors in the place of those that no basis vector came from.
    ///
    /// - Parameter triangle: of the block, as ``Orthonormaliser`` gives it.
    mutating func replaceDependent(
        _ triangle: DenseMatrix, _ matrix: any LinearOperator, _ stream: inout RandomStream
    ) throws {
        let pivots = Set((0..<triangle.rows).compactMap { i in (0..<triangle.columns).first { triangle[i, $0] != 0 } })
        for j in block.indices where !pivots.contains(j) {
            block[j] = try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
            randomShares[j] = 1
        }
    }

    /// How likely it is that random start vectors have no more of an unseen eigenvector than allowed
    /// (``Eigenpairs/missProbability``).
    ///
    /// The inner product of a unit vector u with a random unit vector is normal with variance 1/p, and to stay within ±t
    /// it has probability at most t√(2p/π), wherever the warm part has moved its centre. The start vectors are
    /// independent.
    ///
    /// - Parameters:
    ///   - allowed: for each start vector of length 1, the most that |⟨x, u⟩| can be.
    ///   - shares: the random part of each.
    static func missProbability(allowed: [Double], shares: [Double], dimension: Int) -> Double {
        zip(allowed, shares).reduce(1) { probability, column in
            probability * min(1, column.0 / column.1 * (2 * Double(dimension) / .pi).squareRoot())
        }
    }
}
