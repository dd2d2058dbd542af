import Compute
import Networks

extension Oracle {
    /// vᵀAv over a selection, at θ.
    public func quadratic(
        _ matrix: CurvatureMatrix = .hessian, at theta: Vector, along direction: Vector,
        over selection: BatchSelection = .all
    ) throws -> Double {
        try check(theta)
        return try quadratic(matrix, at: theta, along: direction, rows: rows(of: selection))
    }

    func quadratic(
        _ matrix: CurvatureMatrix, at theta: Vector, along direction: Vector, rows: Rows
    ) throws -> Double {
        try check(direction)
        var value = 0.0
        try withScratch(count: 1, stride: 8, for: "a quadratic form") { cell in
            try withViews(of: theta) { parameters in
                try withViews(of: direction) { tangents in
                    var operands = operands(at: parameters)
                    operands.set(.tangents(), tangents)
                    operands.set(.value("quadratic"), cell)
                    try forEachPiece(of: rows, for: .quadratic(matrix)) { piece in
                        try run(.quadratic(matrix), over: piece, operands)
                        value += number(cell)
                    }
                }
            }
        }
        return value
    }
}
