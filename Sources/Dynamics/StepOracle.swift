import Compute
import Networks
import Objectives

/// The objective as a step sees it: on its batch.
public struct StepOracle {
    public let oracle: Oracle
    /// The batch's samples, or nil for all of them.
    public let batch: UnsafeBufferPointer<Int>?

    public init(_ oracle: Oracle, batch: UnsafeBufferPointer<Int>?) {
        self.oracle = oracle
        self.batch = batch
    }

    /// θ ← θ − rate·∇L_B(θ), the update fused with the weight gradient.
    /// - Returns: L_B before the step.
    public func descend(_ theta: inout Vector, rate: Double) throws -> Double {
        if let batch { return try oracle.descend(&theta, rate: rate, batch: batch) }
        return try oracle.descend(&theta, rate: rate)
    }

    /// L_B and ∇L_B at θ, as a training step takes them: running statistics move.
    public func gradient(at theta: Vector) throws -> (loss: Double, gradient: Vector) {
        try oracle.gradient(at: theta, over: batch.map { .indices(Array($0)) } ?? .all, training: true)
    }
}
