import Compute
import Graph

/// What batch curvature is made of, for one batch B: L_B, g_BᵀH_Bg_B and ‖g_B‖².
public struct BatchCurvature: Sendable, Hashable {
    public let loss: Double
    public let quadratic: Double
    public let squaredGradientNorm: Double

    /// g_BᵀH_Bg_B / ‖g_B‖²; not a number where the gradient vanishes.
    public var ratio: Double { quadratic / squaredGradientNorm }

    public init(loss: Double, quadratic: Double, squaredGradientNorm: Double) {
        self.loss = loss
        self.quadratic = quadratic
        self.squaredGradientNorm = squaredGradientNorm
    }
}

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
        try theta.withUnsafeBytes { bytes in
            var inputs = layout.views(of: bytes.baseAddress!, element: element)
            let parameterCount = inputs.count
            func bindDirections(from level: Int, _ body: () throws -> Void) throws {
                guard level < order else { return try body() }
                try directions[level].withUnsafeBytes { direction in
                    inputs += layout.views(of: direction.baseAddress!, element: element)
                    try bindDirections(from: level + 1, body)
                }
            }
            try bindDirections(from: 0) {
                let parameters = inputs[..<parameterCount]
                let tangents = inputs[parameterCount...]
                try result.withUnsafeMutableBytes { sum in
                    let sums = layout.views(of: sum.baseAddress!, element: element)
                    try forEachPiece(of: rows, for: .directional(order: order)) { piece in
                        let samples = [piece.inputs, piece.targets, piece.weights] + runningInputs
                        try run(
                            plan(.directional(order: order), count: piece.count),
                            inputs: parameters + samples + tangents + sums.map { UnsafeRawPointer($0) },
                            outputs: sums)
                    }
                }
            }
        }
        return result
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
            try theta.withUnsafeBytes { bytes in
                try direction.withUnsafeBytes { along in
                    let parameters = layout.views(of: bytes.baseAddress!, element: element)
                    let tangents = layout.views(of: along.baseAddress!, element: element)
                    try forEachPiece(of: rows, for: .quadratic(matrix)) { piece in
                        let samples = [piece.inputs, piece.targets, piece.weights] + runningInputs
                        try run(
                            plan(.quadratic(matrix), count: piece.count), inputs: parameters + samples + tangents,
                            outputs: [cell])
                        value += number(cell)
                    }
                }
            }
        }
        return value
    }

    /// The curvature of batches of equal size along their own gradients. Batches are stacked, so that every product with a
    /// weight matrix is one tall product; the size of a stack follows from the batches' size, their number and the budget.
    /// - Parameters:
    ///   - batches: sample numbers from 0, batch after batch.
    ///   - size: samples in a batch.
    /// - Throws: `GraphError` where no label of a batch counts.
    public func batchCurvature(at theta: Vector, batches: [Int], size: Int) throws -> [BatchCurvature] {
        try check(theta)
        precondition(size > 0 && batches.count % size == 0, "batches of equal size")
        let total = batches.count / size
        let whole = size <= (hasGhostBatches ? ghostBatch : largestChunk)
        guard whole, let full = try stackSize(of: total, size: size) else {
            // Batches this large have gradients that are cheaper to form than Gram matrices, and are walked in pieces.
            return try (0..<total).map {
                try batchCurvature(at: theta, over: Array(batches[$0 * size..<($0 + 1) * size]))
            }
        }
        var result: [BatchCurvature] = []
        result.reserveCapacity(total)
        try withScratch(count: full, stride: 24, for: "batch curvatures") { losses in
            let (quadratics, squares) = (losses + full * 8, losses + full * 16)
            try theta.withUnsafeBytes { bytes in
                let parameters = layout.views(of: bytes.baseAddress!, element: element)
                try batches.withUnsafeBufferPointer { indices in
                    for first in stride(from: 0, to: total, by: full) {
                        let stack = min(full, total - first)
                        let rows = try transientRows(
                            UnsafeBufferPointer(rebasing: indices[first * size..<(first + stack) * size]),
                            batches: size)
                        let samples = [rows.inputs, rows.targets, rows.weights] + runningInputs
                        try run(
                            plan(.batchCurvature(size: size), count: stack), inputs: parameters + samples,
                            outputs: [losses, quadratics, squares])
                        for i in 0..<stack {
                            result.append(
                                BatchCurvature(
                                    loss: number(losses, at: i),
                                    quadratic: quadratics.load(fromByteOffset: i * 8, as: Double.self),
                                    squaredGradientNorm: squares.load(fromByteOffset: i * 8, as: Double.self)))
                        }
                    }
                }
            }
        }
        return result
    }

    private func batchCurvature(at theta: Vector, over batch: [Int]) throws -> BatchCurvature {
        let selection = BatchSelection.indices(batch)
        let (loss, gradient) = try gradient(at: theta, over: selection)
        return BatchCurvature(
            loss: loss, quadratic: try quadratic(at: theta, along: gradient, over: selection),
            squaredGradientNorm: gradient.squaredNorm)
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
        let size = try pieceSize(of: count, for: .linearized(matrix))
        var work = Double(count / size) * (try linearizedProgram(matrix, count: size).linear.cost.total)
        if count % size > 0 { work += try linearizedProgram(matrix, count: count % size).linear.cost.total }
        return work
    }
}
