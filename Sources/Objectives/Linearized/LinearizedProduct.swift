import Compute
import Graph
import Networks

/// v ↦ Av and v ↦ vᵀAv for a curvature matrix at fixed parameters: for each piece of the data, what depends on the point alone
/// (activations, backward deltas, second derivatives of the loss) is computed at the first use and kept, and a product walks
/// what depends on v only: of a fully connected layer behind the first, six contractions for a Hessian-vector product and three
/// for vᵀHv.
///
/// What does not fit beside the rest is computed anew for each block, by the same plans. The product with a vector has the same
/// bits whatever block it is in.
public final class LinearizedProduct {
    public let matrix: CurvatureMatrix
    private let oracle: Oracle
    private let theta: Vector
    private let rows: Oracle.Rows
    private let room: Int
    private var linear: LinearizedPieces?
    private var forms: LinearizedPieces?
    /// Products made so far.
    public private(set) var products = 0

    /// - Parameters:
    ///   - oracle: one whose running values do not change.
    ///   - room: bytes that may be kept; by default half of the memory limit.
    init(
        _ matrix: CurvatureMatrix = .hessian, oracle: Oracle, theta: Vector, rows: Oracle.Rows, room: Int? = nil
    ) {
        self.matrix = matrix
        self.oracle = oracle
        self.theta = theta
        self.rows = rows
        self.room = room ?? MemoryAccount.shared.limit / 2
    }

    /// Computes and keeps what products need of the point, if that is not done.
    /// - Throws: `MemoryError` where not even one piece of the data fits.
    @discardableResult func prepared() throws -> LinearizedPieces {
        if let linear { return linear }
        let made = try pieces(.linearized(matrix), adds: true)
        linear = made
        return made
    }

    private func pieces(_ work: OracleWork, adds: Bool) throws -> LinearizedPieces {
        let kept = (linear?.keptBytes ?? 0) + (forms?.keptBytes ?? 0)
        return try LinearizedPieces(
            work, oracle: oracle, theta: theta, rows: rows, adds: adds, room: max(0, room - kept))
    }

    /// Pieces that the data are walked in for a product; 0 before the first.
    public var pieces: Int { linear?.count ?? 0 }
    /// Pieces whose point is computed for each block of products.
    public var recomputedPieces: Int { linear?.recomputed ?? 0 }

    /// The cost of one product alone in its block, in multiply-adds of the cost model. Nothing is run.
    public var productWork: Double {
        get throws { try linear?.cost() ?? oracle.productWork(matrix, count: rows.count) }
    }

    /// Av, over the samples that this was linearized on.
    public func apply(_ direction: Vector) throws -> Vector { try apply(block: [direction])[0] }

    /// The products with all vectors of a block: what is computed of the point is computed once for all, and threads work on
    /// vectors of their own where one product has too little for them.
    public func apply(block: [Vector]) throws -> [Vector] {
        for direction in block { try oracle.check(direction) }
        let pieces = try prepared()
        products += block.count
        let (layout, element) = (oracle.layout, oracle.element)
        var results = try block.map { _ in
            pieces.count > 1
                ? try Vector(zeros: layout.count, element: element)
                : try Vector(uninitialized: layout.count, element: element)
        }
        try Vector.withUnsafeBytes(of: block) { tangents in
            try Vector.withUnsafeMutableBytes(of: &results) { sums in
                try pieces.run(
                    tangents: tangents.map { layout.views(of: $0, element: element) },
                    outputs: sums.map { layout.views(of: $0, element: element) })
            }
        }
        return results
    }

    /// vᵀAv for all vectors of a block, each by one forward sweep.
    public func quadratic(block: [Vector]) throws -> [Double] {
        for direction in block { try oracle.check(direction) }
        let pieces = try forms ?? self.pieces(.linearizedQuadratic(matrix), adds: false)
        forms = pieces
        var values = [Double](repeating: 0, count: block.count)
        try oracle.withScratch(count: block.count, stride: MemoryAccount.alignment, for: "quadratic forms") { cells in
            let places = block.indices.map { cells + $0 * MemoryAccount.alignment }
            try Vector.withUnsafeBytes(of: block) { tangents in
                try pieces.run(
                    tangents: tangents.map { oracle.layout.views(of: $0, element: oracle.element) },
                    outputs: places.map { [$0] }
                ) {
                    for (index, place) in places.enumerated() { values[index] += oracle.number(place) }
                }
            }
        }
        return values
    }
}
