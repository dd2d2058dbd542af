import Compute
import Graph
import Networks

extension Oracle {
    /// What the network gives for samples.
    public struct Evaluation: Sendable {
        /// The mean of the losses that count.
        public let loss: Double
        /// ℓᵢ, in the order of the samples: the mean over the labels of the sample that count; 0 where none does (label −1).
        public let losses: [Double]
        /// f(xᵢ), row by row: `[n, outputs]`.
        public let outputs: [Double]

        public init(loss: Double, losses: [Double], outputs: [Double]) {
            self.loss = loss
            self.losses = losses
            self.outputs = outputs
        }
    }

    /// Loss and outputs of every sample of a selection, at parameters θ.
    public func evaluate(at theta: Vector, over selection: BatchSelection = .all) throws -> Evaluation {
        try check(theta)
        let rows = try rows(of: selection)
        let width = objective.model.outputCount
        let positions = objective.positionCount
        var losses: [Double] = []
        var outputs: [Double] = []
        losses.reserveCapacity(rows.count)
        outputs.reserveCapacity(rows.count * width)
        var (sum, kept) = (0.0, 0)
        let size = try pieceSize(of: rows.count, for: .samples)
        try withScratch(count: size, stride: (positions + width) * element.byteCount, for: "losses and outputs") {
            scratch in
            let lossCells = scratch + size * width * element.byteCount
            try theta.withUnsafeBytes { bytes in
                var operands = operands(at: layout.views(of: bytes.baseAddress!, element: element))
                operands.set(.value("losses"), lossCells)
                operands.set(.value("outputs"), scratch)
                try forEachPiece(of: rows, for: .samples) { piece in
                    try run(.samples, over: piece, operands)
                    for i in 0..<piece.count {
                        var (own, count) = (0.0, 0)
                        for position in 0..<positions {
                            let cell = i * positions + position
                            if number(piece.weights, at: cell) == 0 { continue }
                            own += number(lossCells, at: cell)
                            count += 1
                        }
                        losses.append(count == 0 ? 0 : own / Double(count))
                        sum += own
                        kept += count
                    }
                    for i in 0..<piece.count * width { outputs.append(number(scratch, at: i)) }
                }
            }
        }
        return Evaluation(loss: sum / Double(kept), losses: losses, outputs: outputs)
    }

    /// L and ∇L over a selection, at θ.
    /// - Parameter training: whether running statistics move, as after a training step.
    public func gradient(
        at theta: Vector, over selection: BatchSelection = .all, training: Bool = false
    ) throws -> (loss: Double, gradient: Vector) {
        try check(theta)
        return try gradient(at: theta, rows: rows(of: selection), training: training)
    }

    func gradient(at theta: Vector, rows: Rows, training: Bool = false) throws -> (loss: Double, gradient: Vector) {
        var result = try Vector(zeros: layout.count, element: element)
        var loss = 0.0
        let updating = training && objective.updatesBuffers(use)
        let work = OracleWork.gradient(updating: updating)
        try withScratch(count: 1, stride: 8, for: "a loss") { lossCell in
            try withViews(of: theta) { parameters in
                try result.withUnsafeMutableBytes { sum in
                    var operands = operands(at: parameters)
                    operands.set(.sums, layout.views(of: sum.baseAddress!, element: element))
                    operands.set(.value("loss"), lossCell)
                    try forEachPiece(of: rows, for: work) { piece in
                        try run(work, over: piece, operands)
                        loss += number(lossCell)
                    }
                }
            }
        }
        return (loss, result)
    }

    func check(_ theta: Vector) throws {
        guard theta.count == layout.count, theta.element == element else {
            throw GraphError(
                "a vector of \(theta.count) \(theta.element.rawValue) numbers for \(objective.model.name), which has "
                    + "\(layout.count) parameters in \(element.rawValue)")
        }
    }
}
