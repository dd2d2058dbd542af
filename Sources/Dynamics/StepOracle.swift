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

    /// How much time there is until the training is to end; infinity where time is no goal.
    public var timeLeft = Double.infinity
    /// The number of the step that is being taken, from 1.
    public var step = 1
    /// The epoch that it belongs to, from 0.
    public var epoch = 0
    /// Whether this is no step but a look at what one would take, over other samples than its batch: chunks may then differ by one.
    public var isLook = false
    /// Programs of steps that draw outputs to others, and what these are measured with.
    private var distilling: DistillingOracle?
    private var evaluating: Oracle?

    /// The run's: of all that a step draws at random.
    public let seed: UInt64

    public init(_ oracle: Oracle, batch: UnsafeBufferPointer<Int>? = nil, seed: UInt64 = 0) {
        self.oracle = oracle
        self.batch = batch
        self.seed = seed
    }

    /// A stream of random numbers of this step; another for each index, below 16.
    public func stream(_ purpose: RandomPurpose, index: Int) -> RandomStream {
        RandomStream(seed: seed, purpose: purpose, index: UInt64(step) << 4 | UInt64(index & 15))
    }

    /// The objective with outputs that those of the batch are drawn to.
    func distilling(temperature: Double) throws -> DistillingOracle {
        if let distilling, distilling.temperature == temperature, distilling.engine === oracle.engine {
            return distilling
        }
        let made = try DistillingOracle(oracle, temperature: temperature)
        distilling = made
        return made
    }

    /// The outputs of samples at other parameters, and with other running statistics, in evaluation.
    func outputs(at parameters: Vector, statistics: Vector, of samples: [Int]) throws -> [Double] {
        var teacher = oracle
        if !oracle.model.statistics.isEmpty {
            let own = try evaluating ?? oracle.with(use: .running).frozen()
            try own.running.assign(statistics)
            evaluating = own
            teacher = own
        }
        return try teacher.evaluate(at: parameters, over: .indices(samples)).outputs.values
    }

    /// The samples of the batch.
    public var selection: BatchSelection { batch.map { .indices(Array($0)) } ?? .all }

    /// The batch cut into equal parts, in its order.
    /// - Throws: `UpdateRuleError.chunksDoNotDivide`.
    public func chunks(_ count: Int, of rule: String) throws -> [BatchSelection] {
        if count == 1 { return [selection] }
        let indices = batch.map(Array.init) ?? Array(0..<oracle.samples.count)
        guard isLook || indices.count % count == 0 else {
            throw UpdateRuleError.chunksDoNotDivide(rule: rule, chunks: count, batch: indices.count)
        }
        let count = min(count, indices.count)
        return (0..<count).map {
            .indices(Array(indices[$0 * indices.count / count..<($0 + 1) * indices.count / count]))
        }
    }

    /// L and ∇L at a point, over a part of the batch or over all of it.
    /// - Parameter moving: whether running statistics move.
    public func gradient(
        at theta: Vector, over part: BatchSelection? = nil, moving: Bool
    ) throws -> (loss: Double, gradient: Vector) {
        try oracle.gradient(at: theta, over: part ?? selection, training: moving)
    }

    /// The same over the batch with targets and weights changed.
    public func gradient(
        at theta: Vector, moving: Bool, editing edit: (BatchEditor) throws -> Void
    ) throws -> (loss: Double, gradient: Vector) {
        try oracle.gradient(at: theta, over: batch, training: moving, editing: edit)
    }

    /// The Hessian over a part of the batch times a vector.
    public func product(at theta: Vector, with v: Vector, over part: BatchSelection? = nil) throws -> Vector {
        try oracle.directional(at: theta, along: [v], over: part ?? selection)
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
