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

    /// Binds directions that follow each other: `x.tangent1`, `x.tangent2`, …
    func set(_ tangents: [UnsafeRawPointer], numberedIn operands: inout ProgramOperands) {
        let width = layout.entries.count
        for number in 0..<tangents.count / max(1, width) {
            operands.set(.tangents(number: number + 1), Array(tangents[number * width..<(number + 1) * width]))
        }
    }

    /// Calls `body` with the addresses of all parameters' parts of some vectors, vector after vector.
    func withViews<Result>(
        of vectors: [Vector], _ body: ([UnsafeRawPointer]) throws -> Result
    ) throws -> Result {
        func bind(_ rest: ArraySlice<Vector>, after views: [UnsafeRawPointer]) throws -> Result {
            guard let next = rest.first else { return try body(views) }
            return try next.withUnsafeBytes { bytes in
                try bind(
                    rest.dropFirst(), after: views + layout.views(of: bytes.baseAddress!, element: element))
            }
        }
        return try bind(vectors[...], after: [])
    }

    func withViews<Result>(of vector: Vector, _ body: ([UnsafeRawPointer]) throws -> Result) throws -> Result {
        try withViews(of: [vector], body)
    }

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

    /// A curvature matrix at θ, with all that does not depend on the vector computed once and kept as far as it fits.
    public func linearize(
        _ matrix: CurvatureMatrix = .hessian, at theta: Vector, over selection: BatchSelection = .all
    ) throws -> LinearizedProduct {
        try check(theta)
        let oracle = try frozen()
        return try LinearizedProduct(matrix, oracle: oracle, theta: theta, rows: oracle.rows(of: selection))
    }

    /// The cost of one product with a matrix whose point is kept, in multiply-adds of the cost model. Plans are made, nothing
    /// is run.
    public func productWork(_ matrix: CurvatureMatrix = .hessian, over selection: BatchSelection = .all) throws
        -> Double
    {
        let count =
            switch selection {
            case .all: samples.count
            case .indices(let indices): indices.count
            }
        guard count > 0 else { throw GraphError("an empty batch") }
        return try productWork(matrix, count: count)
    }

    func productWork(_ matrix: CurvatureMatrix, count: Int) throws -> Double {
        let size = try pieceSize(of: count, for: .linearized(matrix))
        func cost(_ piece: Int) throws -> Double {
            try linearizedProgram(.linearized(matrix), count: piece, adding: size < count).linear(adding: size < count)
                .work
        }
        return try Double(count / size) * cost(size) + (count % size > 0 ? cost(count % size) : 0)
    }
}
