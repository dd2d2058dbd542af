import Compute
import Graph

/// Which eigenpairs are wanted.
enum EigenGoal {
    /// So many of the algebraically largest.
    case largest(Int)
    /// The one of largest magnitude.
    case magnitude
    /// All above a threshold, but no more than so many.
    case above(Double, atMost: Int)
}

/// A request for eigenpairs, checked: what the solvers have in common.
struct EigenProblem {
    let matrix: any LinearOperator
    let goal: EigenGoal
    let tolerance: Double
    let warmStart: [Vector]
    let maxProducts: Int

    /// - Throws: ``CurvatureError`` for an impossible request.
    init(
        _ matrix: any LinearOperator, _ goal: EigenGoal, tolerance: Double, warmStart: [Vector], maxProducts: Int
    ) throws {
        switch goal {
        case .largest(let k):
            guard k >= 1, k <= matrix.dimension else {
                throw CurvatureError.impossibleCount(k: k, dimension: matrix.dimension)
            }
        case .magnitude, .above:
            guard matrix.dimension >= 1 else {
                throw CurvatureError.impossibleCount(k: 1, dimension: matrix.dimension)
            }
        }
        guard tolerance > 0 else { throw CurvatureError.badSetting("the tolerance must be positive, not \(tolerance)") }
        for w in warmStart where w.count != matrix.dimension {
            throw CurvatureError.wrongDimension(expected: matrix.dimension, got: w.count)
        }
        self.matrix = matrix
        self.goal = goal
        self.tolerance = tolerance
        self.warmStart = warmStart
        self.maxProducts = maxProducts
    }

    func solve(
        by solver: EigenSolver, _ preconditioner: ((Vector) throws -> Vector)?, _ stream: inout RandomStream
    ) throws -> Eigenpairs {
        switch solver {
        case .lobpcg: return try lobpcg(&stream, preconditioner: preconditioner)
        case .lanczos:
            guard preconditioner == nil else {
                throw CurvatureError.badSetting("Lanczos has no use for a preconditioner: take lobpcg")
            }
            return try lanczos(&stream)
        case .automatic:
            return try preconditioner == nil && fitsLanczos()
                ? lanczos(&stream) : lobpcg(&stream, preconditioner: preconditioner)
        }
    }

    /// Whether the basis of Lanczos, with the vectors of a restart beside it, fits into so many bytes.
    ///
    /// - Parameter room: half of the memory limit, whatever else is in memory at the moment: of a number that is computed nothing
    ///   but the question and the limit may decide how.
    func fitsLanczos(room: Int = MemoryAccount.shared.limit / 2) -> Bool {
        let wanted: Int
        switch goal {
        case .largest(let k): wanted = k
        case .magnitude: wanted = 1
        case .above: return true
        }
        let basis = Self.largestBasis(wanted: wanted)
        // What a restart keeps, the block to be multiplied and its products.
        let vectors = basis + wanted + (basis - wanted) / 3 + 2 * min(wanted, 8)
        return Double(vectors) * Double(matrix.dimension) * Double(matrix.element.byteCount) <= Double(room)
    }

    /// AX, counted and checked.
    func products(of block: [Vector]) throws -> [Vector] {
        try Cancellation.check()
        let image = try matrix.apply(block: block)
        guard image.count == block.count else {
            throw CurvatureError.wrongBlock(expected: block.count, got: image.count)
        }
        for w in image {
            guard w.count == matrix.dimension else {
                throw CurvatureError.wrongDimension(expected: matrix.dimension, got: w.count)
            }
            guard w.isFinite else { throw CurvatureError.notFinite(what: "a product of the operator") }
        }
        return image
    }

    /// Below this part of ‖A‖ a residual is rounding.
    var unitRoundoff: Double { Roundoff.unit(matrix.element) }
}

/// Eigenvalues of a projected matrix in the order of the goal, with what is known of their errors.
struct RitzPairs {
    /// Wanted first.
    let values: [Double]
    /// Columns: coefficients in the basis.
    let vectors: DenseMatrix
    let residuals: [Double]
    /// How many of the values are wanted.
    let wanted: Int
    /// ‖A‖ as far as it has shown itself.
    let norm: Double

    /// - Parameter residuals: of all columns of the coefficients.
    init(_ eigen: DenseEigen, for goal: EigenGoal, residuals: (DenseMatrix) -> [Double]) {
        norm = eigen.values.reduce(0) { max($0, abs($1)) }
        switch goal {
        case .magnitude:
            let order = eigen.values.indices.sorted { abs(eigen.values[$0]) > abs(eigen.values[$1]) }
            values = order.map { eigen.values[$0] }
            vectors = DenseMatrix(
                rows: eigen.vectors.rows, columns: order.count, values: order.flatMap { eigen.vectors.column($0) })
        default:
            values = eigen.values
            vectors = eigen.vectors
        }
        self.residuals = residuals(vectors)
        switch goal {
        case .magnitude: wanted = 1
        case .largest(let k): wanted = min(k, values.count)
        case .above(let threshold, let atMost): wanted = min(atMost, values.prefix { $0 > threshold }.count)
        }
    }

    /// What residuals and distances of eigenvalue i are compared with: its size, or a hundredth of the norm of A where
    /// it is smaller than that, because relative accuracy of an eigenvalue near 0 means nothing.
    func scale(_ i: Int) -> Double { scale(of: values[i]) }

    func scale(of value: Double) -> Double { max(abs(value), 0.01 * norm) }

    /// Whether the residuals of all that is wanted, or may turn out to be, are within `tolerance`·scale, or rounding.
    func areKnown(_ goal: EigenGoal, tolerance: Double, roundoff: Double) -> Bool {
        var relevant = wanted
        if case .above(let threshold, let atMost) = goal, wanted < atMost {
            // One that rises above the threshold while it converges is wanted.
            relevant = values.indices.last { values[$0] + residuals[$0] > threshold }.map { $0 + 1 } ?? 0
        }
        return (0..<relevant).allSatisfy { residuals[$0] <= max(tolerance * scale($0), roundoff * norm) }
    }

    /// The first value of those that would count as overlooked.
    ///
    /// - Parameter share: how far beyond, relative to their size; half as far above a threshold.
    func margin(_ goal: EigenGoal, blockWidth: Int, share: Double) -> Double {
        switch goal {
        case .above(let threshold, _): threshold + share / 2 * scale(of: threshold)
        default:
            // A block as wide as what is wanted sees all of it grow; a narrower one may see too few of a cluster.
            if wanted <= blockWidth || wanted == 0 {
                (values.first ?? 0) + share * scale(of: values.first ?? 0)
            } else {
                values[wanted - 1] + share * scale(wanted - 1)
            }
        }
    }
}
