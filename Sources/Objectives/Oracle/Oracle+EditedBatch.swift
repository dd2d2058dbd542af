import Compute
import Graph
import Networks

/// The samples of a batch on their way into a gradient, to be changed for it: their targets, and how much each counts.
public struct BatchEditor {
    /// Samples.
    public let count: Int
    /// Numbers of a target.
    public let targetWidth: Int
    /// Numbers of a sample's weights: one for each place of the loss.
    public let positions: Int
    let element: ElementType
    let targets: UnsafeMutableRawPointer
    let weights: UnsafeMutableRawPointer

    /// Calls `body` with each number of a sample's target.
    public func editTarget(of sample: Int, _ body: (Int, inout Double) -> Void) {
        edit(targets, sample * targetWidth, targetWidth, body)
    }

    /// Multiplies what a sample counts.
    public func scale(_ sample: Int, by factor: Double) {
        edit(weights, sample * positions, positions) { $1 *= factor }
    }

    private func edit(
        _ base: UnsafeMutableRawPointer, _ start: Int, _ count: Int, _ body: (Int, inout Double) -> Void
    ) {
        for i in 0..<count {
            if element == .f64 {
                var value = base.load(fromByteOffset: 8 * (start + i), as: Double.self)
                body(i, &value)
                base.storeBytes(of: value, toByteOffset: 8 * (start + i), as: Double.self)
            } else {
                var value = Double(base.load(fromByteOffset: 4 * (start + i), as: Float.self))
                body(i, &value)
                base.storeBytes(of: Float(value), toByteOffset: 4 * (start + i), as: Float.self)
            }
        }
    }
}

extension Oracle {
    /// Σ wᵢℓᵢ and its gradient over a batch whose targets and weights `edit` has changed: weights are 1/n before.
    /// - Parameters:
    ///   - batch: sample numbers; nil for all samples.
    ///   - training: whether running statistics move, as after a training step.
    public func gradient(
        at theta: Vector, over batch: UnsafeBufferPointer<Int>?, training: Bool,
        editing edit: (BatchEditor) throws -> Void
    ) throws -> (loss: Double, gradient: Vector) {
        try check(theta)
        guard let batch else {
            // What is all samples lies in the data's own memory.
            return try Array(0..<samples.count).withUnsafeBufferPointer {
                try gradient(at: theta, over: $0, training: training, editing: edit)
            }
        }
        return try gradient(at: theta, rows: edited(batch, edit), training: training)
    }

    /// The same of a training step, with the outputs `[n, …]` that the loss is of.
    func gradientAndOutputs(
        at theta: Vector, over batch: UnsafeBufferPointer<Int>, editing edit: (BatchEditor) throws -> Void
    ) throws -> (loss: Double, gradient: Vector, outputs: Vector) {
        try check(theta)
        let rows = try edited(batch, edit)
        var outputs = try Vector(
            uninitialized: rows.count * model.outputCount, element: element, for: "the outputs of a batch")
        let result: (loss: Double, gradient: Vector) = try outputs.withUnsafeMutableBytes { place in
            try self.gradient(at: theta, rows: rows, training: true, outputs: place.baseAddress)
        }
        return (result.loss, result.gradient, outputs)
    }

    /// The rows of a batch, changed.
    private func edited(
        _ batch: UnsafeBufferPointer<Int>, _ edit: (BatchEditor) throws -> Void
    ) throws -> Rows {
        let rows = try transientRows(batch, batches: batch.count)
        guard let memory = rows.owner else { preconditionFailure("gathered rows have memory of their own") }
        // The next who gathers here writes weights anew.
        memory.weighted = (0, 0)
        let width = objective.targetShape.reduce(1, *)
        try edit(
            BatchEditor(
                count: rows.count, targetWidth: width, positions: objective.positionCount, element: element,
                targets: memory.targets.base, weights: memory.weights.base))
        return rows
    }

    /// What an update does with a gradient that is there already.
    public func apply(
        _ update: ElementwiseUpdate, _ theta: inout Vector, _ state: inout UpdateState, gradient: Vector,
        scalars: UnsafeBufferPointer<Double>
    ) throws {
        try check(theta)
        try check(gradient)
        try begin(&state, of: update, like: theta)
        if update == .descent {
            // Rounded once an element, as in the program of a step.
            try theta.add(-scalars[0], gradient)
        } else {
            let program = try updateAlone(update)
            cache.work += program.plan.work
            try program.run(&theta, &state, gradient: gradient, scalars: scalars)
        }
        state.steps += 1
    }
}
