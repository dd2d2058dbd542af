import Compute
import Graph
import Networks

extension Oracle {
    /// What the network gives for samples.
    public struct Evaluation: Sendable {
        /// The mean of the losses that count.
        public let loss: Double
        /// ℓᵢ, in the order of the samples: the mean over the labels of the sample that count; 0 where none does (label −1).
        /// In f64.
        public let losses: Vector
        /// f(xᵢ), row by row: `[n, outputs]`; empty where they were not asked for.
        public let outputs: Vector

        public init(loss: Double, losses: Vector, outputs: Vector) {
            self.loss = loss
            self.losses = losses
            self.outputs = outputs
        }
    }

    /// Loss and outputs of every sample of a selection, at parameters θ. What is kept of them is in the memory account.
    /// - Parameter keepingOutputs: whether outputs are kept: for each sample as many numbers as the network has outputs.
    public func evaluate(
        at theta: Vector, over selection: BatchSelection = .all, keepingOutputs: Bool = true
    ) throws -> Evaluation {
        try check(theta)
        let rows = try rows(of: selection)
        let width = objective.model.outputCount
        let positions = objective.positionCount
        var losses = try Vector(zeros: rows.count, element: .f64, for: "the losses of all samples")
        let (outputCount, overflow) = rows.count.multipliedReportingOverflow(by: keepingOutputs ? width : 0)
        if overflow { throw MemoryError.impossibleSize(what: "the outputs of all samples") }
        var outputs = try Vector(uninitialized: outputCount, element: element, for: "the outputs of all samples")
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
                        losses[piece.start + i] = count == 0 ? 0 : own / Double(count)
                        sum += own
                        kept += count
                    }
                    if !keepingOutputs { return }
                    try outputs.withUnsafeMutableBytes { bytes in
                        let rowBytes = width * element.byteCount
                        let place = UnsafeMutableRawBufferPointer(rebasing: bytes.dropFirst(piece.start * rowBytes))
                        place.copyMemory(from: UnsafeRawBufferPointer(start: scratch, count: piece.count * rowBytes))
                    }
                }
            }
        }
        return Evaluation(loss: sum / Double(kept), losses: losses, outputs: outputs)
    }

    /// L over all samples, at θ.
    public func loss(at theta: Vector) throws -> Double { try evaluate(at: theta, keepingOutputs: false).loss }

    /// L and ∇L over a selection, at θ.
    /// - Parameter training: whether running statistics move, as after a training step.
    public func gradient(
        at theta: Vector, over selection: BatchSelection = .all, training: Bool = false
    ) throws -> (loss: Double, gradient: Vector) {
        try check(theta)
        return try gradient(at: theta, rows: rows(of: selection), training: training)
    }

    /// - Parameter outputs: where the outputs of the rows go, if anywhere.
    func gradient(
        at theta: Vector, rows: Rows, training: Bool = false, outputs: UnsafeMutableRawPointer? = nil
    ) throws -> (loss: Double, gradient: Vector) {
        guard training else { return try accumulatedGradient(at: theta, rows: rows, updating: false, outputs) }
        let updating = objective.updatesBuffers(use)
        // Planning may be cancelled: all of it comes before running values move.
        let work = OracleWork.gradient(updating: updating, keepingOutputs: outputs != nil)
        let rest = try rows.count % pieceSize(of: rows.count, for: work)
        if rest > 0 { _ = try plan(work, count: rest) }
        return try uncancelled { try accumulatedGradient(at: theta, rows: rows, updating: updating, outputs) }
    }

    /// - Parameter updating: whether running values move.
    private func accumulatedGradient(
        at theta: Vector, rows: Rows, updating: Bool, _ outputs: UnsafeMutableRawPointer?
    ) throws -> (loss: Double, gradient: Vector) {
        var result = try Vector(zeros: layout.count, element: element)
        var loss = 0.0
        let work = OracleWork.gradient(updating: updating, keepingOutputs: outputs != nil)
        let outputBytes = model.outputCount * element.byteCount
        try withScratch(count: 1, stride: 8, for: "a loss") { lossCell in
            try withViews(of: theta) { parameters in
                try result.withUnsafeMutableBytes { sum in
                    var operands = operands(at: parameters)
                    operands.set(.sums, layout.views(of: sum.baseAddress!, element: element))
                    operands.set(.value("loss"), lossCell)
                    try forEachPiece(of: rows, for: work) { piece in
                        if let outputs { operands.set(.value("outputs"), outputs + piece.start * outputBytes) }
                        try run(work, over: piece, operands)
                        loss += number(lossCell)
                    }
                }
            }
        }
        return (loss, result)
    }

    func check(_ theta: Vector) throws {
        try cache.custody?.check()
        guard theta.count == layout.count, theta.element == element else {
            throw GraphError(
                "a vector of \(theta.count) \(theta.element.rawValue) numbers for \(objective.model.name), which has "
                    + "\(layout.count) parameters in \(element.rawValue)")
        }
    }
}
