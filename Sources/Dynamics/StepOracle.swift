import Compute
import Networks
import Objectives

/// The objective as a step sees it: on its batch. A run keeps one for all its steps.
public final class StepOracle {
    public let oracle: Oracle
    /// The batch's samples, or nil for all of them; those of the present step.
    public var batch: UnsafeBufferPointer<Int>?
    /// Whether the step is to measure the curvature of its batch along the gradient, on the way.
    public var measuresCurvature = false
    /// What the last step measured, at the parameters before it, and what that took in multiply-adds of the cost model.
    public private(set) var curvature: (value: BatchCurvature, work: Double)?

    public init(_ oracle: Oracle, batch: UnsafeBufferPointer<Int>? = nil) {
        self.oracle = oracle
        self.batch = batch
    }

    /// Gradient and update as one program: changes θ and the update's state.
    /// - Parameter scalars: of the update, for this step.
    /// - Returns: L_B before the step.
    public func step(
        _ update: ElementwiseUpdate, _ theta: inout Vector, _ state: inout UpdateState,
        scalars: UnsafeBufferPointer<Double>
    ) throws -> Double {
        let result = try oracle.step(
            update, &theta, &state, batch: batch, measuringCurvature: measuresCurvature, scalars: scalars)
        curvature = result.curvature.map { ($0, result.curvatureWork) }
        return result.loss
    }

    /// L_B and ∇L_B at θ, as a training step takes them: running statistics move.
    public func gradient(at theta: Vector) throws -> (loss: Double, gradient: Vector) {
        try oracle.gradient(at: theta, over: batch.map { .indices(Array($0)) } ?? .all, training: true)
    }
}
