import Compute
import Graph

extension Oracle {
    /// What the network gives for samples.
    public struct Evaluation: Sendable {
        /// The mean of the losses.
        public let loss: Double
        /// ℓᵢ, in the order of the samples.
        public let losses: [Double]
        /// f(xᵢ), row by row: `[n, outputs]`.
        public let outputs: [Double]
    }

    /// Loss and outputs of every sample of a selection, at parameters θ.
    public func evaluate(at theta: Vector, over selection: BatchSelection = .all) throws -> Evaluation {
        try check(theta)
        let rows = try rows(of: selection)
        let width = objective.model.outputCount
        var losses: [Double] = []
        var outputs: [Double] = []
        losses.reserveCapacity(rows.count)
        outputs.reserveCapacity(rows.count * width)
        let size = min(chunk, rows.count)
        try withScratch(count: size, stride: (1 + width) * element.byteCount, for: "losses and outputs") { scratch in
            let lossCells = scratch + size * width * element.byteCount
            try theta.withUnsafeBytes { bytes in
                let parameters = layout.views(of: bytes.baseAddress!, element: element)
                try forEachChunk(of: rows) { _, count, inputs, targets in
                    let plan = try plan(.samples(count)) { try objective.samples(count: count) }
                    plan.run(inputs: parameters + [inputs, targets], outputs: [lossCells, scratch])
                    for i in 0..<count { losses.append(number(lossCells, at: i)) }
                    for i in 0..<count * width { outputs.append(number(scratch, at: i)) }
                }
            }
        }
        return Evaluation(loss: losses.reduce(0, +) / Double(rows.count), losses: losses, outputs: outputs)
    }

    /// L and ∇L over a selection, at θ.
    public func gradient(
        at theta: Vector, over selection: BatchSelection = .all
    ) throws -> (loss: Double, gradient: Vector) {
        try check(theta)
        return try gradient(at: theta, rows: rows(of: selection))
    }

    func gradient(at theta: Vector, rows: Rows) throws -> (loss: Double, gradient: Vector) {
        var result = try Vector(zeros: layout.count, element: element)
        var loss = 0.0
        try withScratch(count: 1, stride: 8, for: "a loss") { lossCell in
            try theta.withUnsafeBytes { bytes in
                let parameters = layout.views(of: bytes.baseAddress!, element: element)
                try result.withUnsafeMutableBytes { sum in
                    let sums = layout.views(of: sum.baseAddress!, element: element)
                    try forEachChunk(of: rows) { _, count, inputs, targets in
                        let plan = try plan(
                            .gradient(count, total: rows.count), donating: accumulatorDonation("gradient")
                        ) { try objective.accumulatedGradient(count: count, total: rows.count) }
                        plan.run(
                            inputs: parameters + [inputs, targets] + sums.map { UnsafeRawPointer($0) },
                            outputs: [lossCell] + sums)
                        loss += number(lossCell)
                    }
                }
            }
        }
        return (loss, result)
    }

    /// θ ← θ − η∇L_B(θ) in place, over a batch.
    /// - Returns: L_B before the step.
    public func descend(_ theta: inout Vector, rate: Double, batch: UnsafeBufferPointer<Int>) throws -> Double {
        if batch.count > chunk {
            let (loss, gradient) = try gradient(at: theta, rows: transientRows(batch))
            try theta.add(-rate, gradient)
            return loss
        }
        return try descend(&theta, rate: rate, rows: transientRows(batch))
    }

    /// θ ← θ − η∇L(θ) in place, over all samples.
    /// - Returns: L before the step.
    public func descend(_ theta: inout Vector, rate: Double) throws -> Double {
        let rows = try rows(of: .all)
        if rows.count > chunk {
            let (loss, gradient) = try gradient(at: theta, rows: rows)
            try theta.add(-rate, gradient)
            return loss
        }
        return try descend(&theta, rate: rate, rows: rows)
    }

    private func descend(_ theta: inout Vector, rate: Double, rows: Rows) throws -> Double {
        let plan = try plan(
            .descent(rows.count),
            donating: Dictionary(uniqueKeysWithValues: objective.parameterNames.map { ("\($0).next", $0) })
        ) { try objective.descent(count: rows.count) }
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
                plan.run(
                    inputs: parameters.map { UnsafeRawPointer($0) } + [
                        rows.inputs, rows.targets, UnsafeRawPointer(rateCell),
                    ],
                    outputs: [lossCell] + parameters)
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
