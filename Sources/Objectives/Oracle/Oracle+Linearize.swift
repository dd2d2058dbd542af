import Compute
import Graph
import Networks

extension Oracle {
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
