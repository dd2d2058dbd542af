import Compute
import Graph
import Networks

/// What Monte-Carlo probes ask of mini-batch losses L_B, for `stack` batches of `count` samples at once: inputs `input`
/// `[stack, count, …]`, `target` and `sample weight`; outputs of shape `[stack, …]` in f64.
///
/// The graphs ask for the gradient g_B of every batch; the re-association of contractions sees that no gradient needs to be
/// formed.
extension Objective {
    /// Curvature along the batch's own gradient: outputs `loss`, `quadratic` = g_BᵀA_Bg_B and `square` = ‖g_B‖².
    /// - Parameter matrix: A_B, of the batch's loss.
    public func batchCurvature(
        _ matrix: CurvatureMatrix = .hessian, count: Int, stack: Int, use: StatisticsUse = .batch
    ) throws -> Graph {
        let form = try quadratic(matrix, count: count, use: use)
        return try stacked(count, stack, use) { builder, batch in
            let value = builder.inline(form, inputs: batch.inputs + batch.gradient)[0]
            return [
                ("loss", try batch.loss.widened()),
                ("quadratic", try Symbolic(value, in: builder).widened()), ("square", try batch.squaredNorm()),
            ]
        }
    }

    /// Curvature along s = u + g_B: further inputs u as `x.tangent`; outputs `loss`, `quadratic` = sᵀH_Bs, `product` = u·g_B and
    /// `square` = ‖g_B‖².
    public func momentumCurvature(count: Int, stack: Int, use: StatisticsUse = .batch) throws -> Graph {
        let form = try quadratic(count: count, use: use)
        return try stacked(count, stack, use, directions: [.tangents()]) { builder, batch in
            let u = batch.directions[0]
            let sum = zip(u, batch.gradient).map { builder.add($0, $1) }
            let value = builder.inline(form, inputs: batch.inputs + sum)[0]
            return [
                ("loss", try batch.loss.widened()),
                ("quadratic", try Symbolic(value, in: builder).widened()), ("product", try batch.product(with: u)),
                ("square", try batch.squaredNorm()),
            ]
        }
    }

    /// Output `square` = ‖g_B‖².
    public func batchGradientNorms(count: Int, stack: Int, use: StatisticsUse = .batch) throws -> Graph {
        try stacked(count, stack, use) { _, batch in [("square", try batch.squaredNorm())] }
    }

    /// Further inputs `x.tangent1` … `x.tangentk`; output `slopes` `[stack, k]`: u·g_B for each direction u.
    public func batchSlopes(
        along k: Int, count: Int, stack: Int, use: StatisticsUse = .batch
    ) throws -> Graph {
        try stacked(count, stack, use, directions: (1...max(1, k)).map { .tangents(number: $0) }) { _, batch in
            [("slopes", try Symbolic.stacked(batch.directions.map { try batch.product(with: $0) }))]
        }
    }

    /// A batch in a graph under construction.
    private struct Batch {
        let inputs: [Value]
        let loss: Symbolic
        /// One value for each parameter, of the gradient and of each direction.
        let gradient: [Value]
        let directions: [[Value]]

        func squaredNorm() throws -> Symbolic { try product(with: gradient) }

        /// ⟨gradient, u⟩ in f64: contractions, so that Gram products take their place where they are cheaper.
        func product(with u: [Value]) throws -> Symbolic { try innerProduct(gradient, u, in: loss.builder) }
    }

    private func stacked(
        _ count: Int, _ stack: Int, _ use: StatisticsUse, directions slots: [ProgramSlot] = [],
        _ outputs: (GraphBuilder, Batch) throws -> [(String, Symbolic)]
    ) throws -> Graph {
        let gradient = try gradient(count: count, use: use)
        let builder = GraphBuilder()
        let inputs = gradient.inputs.map { builder.input($0.name, $0.type) }
        let directions = slots.map { declare($0, in: builder) }
        let values = builder.inline(gradient, inputs: inputs)
        let batch = Batch(
            inputs: inputs, loss: Symbolic(values[0], in: builder), gradient: Array(values.dropFirst()),
            directions: directions)
        try Cancellation.check()
        let one = builder.build(outputs: try outputs(builder, batch).map { ($0, $1.value) })
        return try vmap(one, over: [Model.inputName, Model.targetName, Model.weightName], size: stack)
    }
}

/// Σ of the inner products of tensors, in f64.
func innerProduct(_ a: [Value], _ b: [Value], in builder: GraphBuilder) throws -> Symbolic {
    var sum: Symbolic?
    for (x, y) in zip(a, b) {
        let part = try (Symbolic(x, in: builder) * Symbolic(y, in: builder)).sum().widened()
        sum = try sum.map { try $0 + part } ?? part
    }
    guard let sum else { preconditionFailure("a model has parameters") }
    return sum
}

extension Symbolic {
    func widened() throws(GraphError) -> Symbolic { try converted(to: .f64) }
}
