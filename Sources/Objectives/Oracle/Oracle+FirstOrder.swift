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
                let parameters = layout.views(of: bytes.baseAddress!, element: element)
                try forEachPiece(of: rows, for: .samples) { piece in
                    let plan = try plan(.samples, count: piece.count)
                    try run(
                        plan, inputs: parameters + [piece.inputs, piece.targets] + runningInputs,
                        outputs: [lossCells, scratch])
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
        guard training else { return try accumulatedGradient(at: theta, rows: rows, updating: false) }
        let updating = objective.updatesBuffers(use)
        // Planning may be cancelled: all of it comes before running values move.
        let work = OracleWork.gradient(updating: updating)
        let rest = try rows.count % pieceSize(of: rows.count, for: work)
        if rest > 0 { _ = try plan(work, count: rest) }
        return try uncancelled { try accumulatedGradient(at: theta, rows: rows, updating: updating) }
    }

    /// - Parameter updating: whether running values move.
    private func accumulatedGradient(
        at theta: Vector, rows: Rows, updating: Bool
    ) throws -> (loss: Double, gradient: Vector) {
        var result = try Vector(zeros: layout.count, element: element)
        var loss = 0.0
        let work = OracleWork.gradient(updating: updating)
        let buffers = updating ? running.views : []
        let before = updating ? buffers.map { UnsafeRawPointer($0) } : runningInputs
        try withScratch(count: 1, stride: 8, for: "a loss") { lossCell in
            try theta.withUnsafeBytes { bytes in
                let parameters = layout.views(of: bytes.baseAddress!, element: element)
                try result.withUnsafeMutableBytes { sum in
                    let sums = layout.views(of: sum.baseAddress!, element: element)
                    try forEachPiece(of: rows, for: work) { piece in
                        let samples = [piece.inputs, piece.targets, piece.weights]
                        try run(
                            plan(work, count: piece.count),
                            inputs: parameters + samples + before + sums.map { UnsafeRawPointer($0) },
                            outputs: [lossCell] + buffers + sums)
                        loss += number(lossCell)
                    }
                }
            }
        }
        return (loss, result)
    }

    /// θ ← θ − η∇L_B(θ) in place, over a batch: a training step, which moves running statistics.
    /// - Returns: L_B before the step.
    public func descend(_ theta: inout Vector, rate: Double, batch: UnsafeBufferPointer<Int>) throws -> Double {
        try descend(&theta, rate: rate, rows: transientRows(batch, batches: batch.count))
    }

    /// θ ← θ − η∇L(θ) in place, over all samples.
    /// - Returns: L before the step.
    public func descend(_ theta: inout Vector, rate: Double) throws -> Double {
        try descend(&theta, rate: rate, rows: rows(of: .all))
    }

    private func descend(_ theta: inout Vector, rate: Double, rows: Rows) throws -> Double {
        guard try fitsWhole(.descent, count: rows.count) else {
            let (loss, gradient) = try gradient(at: theta, rows: rows, training: true)
            try theta.add(-rate, gradient)
            return loss
        }
        let plan = try plan(.descent, count: rows.count)
        let buffers = objective.updatesBuffers(use) ? running.views : []
        let before = use == .running ? runningInputs : buffers.map { UnsafeRawPointer($0) }
        // One scratch for the two scalars: the rate that goes in and the loss that comes out.
        var scalars = (0.0, 0.0)
        return try theta.withUnsafeMutableBytes { bytes in
            let parameters = layout.views(of: bytes.baseAddress!, element: element)
            return withUnsafeMutableBytes(of: &scalars) { scalars in
                let rateCell = scalars.baseAddress!
                let lossCell = scalars.baseAddress! + 8
                if element == .f64 {
                    rateCell.storeBytes(of: rate, as: Double.self)
                } else {
                    rateCell.storeBytes(of: Float(rate), as: Float.self)
                }
                cache.work += plan.work
                plan.run(
                    inputs: parameters.map { UnsafeRawPointer($0) } + [rows.inputs, rows.targets, rows.weights]
                        + before + [UnsafeRawPointer(rateCell)],
                    outputs: [lossCell] + buffers + parameters)
                return number(UnsafeRawPointer(lossCell))
            }
        }
    }

    func check(_ theta: Vector) throws {
        guard theta.count == layout.count, theta.element == element else {
            throw GraphError(
                "a vector of \(theta.count) \(theta.element.rawValue) numbers for \(objective.model.name), which has "
                    + "\(layout.count) parameters in \(element.rawValue)")
        }
    }
}
