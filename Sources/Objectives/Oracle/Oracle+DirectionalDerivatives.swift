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
}
