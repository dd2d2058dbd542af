import Compute
import Graph
import Networks

extension Oracle {
    /// D^{k+1}L(θ) contracted with k directions: a vector. One direction gives Hv.
    /// - Parameter directions: at least one.
    public func directional(
        at theta: Vector, along directions: [Vector], over selection: BatchSelection = .all
    ) throws -> Vector {
        try check(theta)
        for direction in directions { try check(direction) }
        guard !directions.isEmpty else { throw GraphError("a derivative along no direction") }
        let rows = try rows(of: selection)
        let order = directions.count
        var result = try Vector(zeros: layout.count, element: element)
        try withViews(of: theta) { parameters in
            try withViews(of: directions) { tangents in
                try result.withUnsafeMutableBytes { sum in
                    var operands = operands(at: parameters)
                    operands.set(.sums, layout.views(of: sum.baseAddress!, element: element))
                    set(tangents, numberedIn: &operands)
                    try forEachPiece(of: rows, for: .directional(order: order)) { piece in
                        try run(.directional(order: order), over: piece, operands)
                    }
                }
            }
        }
        return result
    }

    /// The same for a list of such sets of directions, as many in each, in one block: what depends on θ alone is computed once for
    /// all of them, and threads work on sets of their own where one has too little for them. ∇³L[uᵢ, uⱼ] for all i ≤ j, say.
    /// - Parameter room: bytes that may be kept of the point; by default half of the memory limit.
    public func directionals(
        at theta: Vector, along sets: [[Vector]], over selection: BatchSelection = .all, room: Int? = nil
    ) throws -> [Vector] {
        try check(theta)
        guard let order = sets.first?.count else { return [] }
        guard order > 0, sets.allSatisfy({ $0.count == order }) else {
            throw GraphError("derivatives along as many directions each, at least one")
        }
        for direction in sets.joined() { try check(direction) }
        let oracle = try frozen()
        let pieces = try LinearizedPieces(
            .linearizedDirectional(order: order), oracle: oracle, theta: theta, rows: oracle.rows(of: selection),
            adds: true, room: room ?? MemoryAccount.shared.limit / 2)
        var results = try sets.map { _ in try Vector(zeros: layout.count, element: element) }
        try Vector.withUnsafeBytes(of: Array(sets.joined())) { bytes in
            let tangents = bytes.map { layout.views(of: $0, element: element) }
            try Vector.withUnsafeMutableBytes(of: &results) { sums in
                try pieces.run(
                    tangents: sets.indices.map { Array(tangents[$0 * order..<($0 + 1) * order].joined()) },
                    outputs: sums.map { layout.views(of: $0, element: element) })
            }
        }
        return results
    }
}
