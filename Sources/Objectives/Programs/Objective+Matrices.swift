import Compute
import Graph
import Networks

/// Curvature matrices as graphs. Gauss–Newton, Fisher and the tangent kernel are JᵀMJ: a forward derivative J of outputs or
/// losses, a small symmetric map M of each sample's (or of its places'), and the reverse derivative Jᵀ.
extension Objective {
    /// A matrix split at a point: `point` computes what depends on θ only, `linear` maps tangents `x.tangent` to products with
    /// the matrix, outputs `x.product`; where `adding`, added to accumulators `x.sum`.
    public func linearized(
        _ matrix: CurvatureMatrix = .hessian, count: Int, use: StatisticsUse = .batch, adding: Bool = true
    ) throws -> Linearized {
        let split =
            switch matrix {
            case .hessian: try hessian(count, use)
            case .ggn, .ntk: try factored(matrix, count, use)
            case .fisher: try fisher(count, use)
            }
        if !adding { return split }
        return Linearized(
            point: split.point, linear: try accumulating(split.linear) { "\($0).product" }, residuals: split.residuals)
    }

    /// vᵀAv split at a point: `point` computes forward values and backward deltas, `linear` maps tangents `x.tangent` to
    /// `quadratic` by one forward sweep.
    public func linearizedQuadratic(
        _ matrix: CurvatureMatrix = .hessian, count: Int, use: StatisticsUse = .batch
    ) throws -> Linearized {
        // Simplified first: a transpose that is folded into its contraction does not become a kept value of its own.
        let whole = try quadratic(matrix, count: count, use: use).simplified(asking: Cancellation.check)
        let split = try Linearized(
            splitting: whole, pointInputs: whole.inputs.count - parameterNames.count, asking: Cancellation.check)
        return matrix == .fisher ? try fisherQuadratic(count, use, orPushed: split) : split
    }

    /// vᵀAv by one forward sweep, for the Hessian after one backward sweep: further inputs `x.tangent`; output `quadratic`.
    public func quadratic(
        _ matrix: CurvatureMatrix = .hessian, count: Int, use: StatisticsUse = .batch
    ) throws -> Graph {
        if matrix == .hessian {
            return try quadraticForm(loss(count: count, use: use), of: "loss", along: parameterNames)
                .selecting(outputs: ["loss.quadratic"]).renamed(outputs: ["loss.quadratic": "quadratic"])
        }
        let pushed = try pushedForward(matrix, count, use)
        let inner = try Symbolic(pushed.tangent, in: pushed.builder) * Symbolic(pushed.cotangent, in: pushed.builder)
        return pushed.builder.build(outputs: [("quadratic", try inner.sum().value)])
    }

    private func hessian(_ count: Int, _ use: StatisticsUse) throws -> Linearized {
        let gradient = try gradient(count: count, use: use)
        let names = parameterNames.map { "\($0).gradient" }
        // Simplified first: a transpose that is folded into its contraction does not become a kept value of its own.
        let split = try linearize(
            gradient.selecting(outputs: names).simplified(asking: Cancellation.check), withRespectTo: parameterNames,
            asking: Cancellation.check)
        let products = Dictionary(
            uniqueKeysWithValues: parameterNames.map { ("\($0).gradient.tangent", "\($0).product") })
        return Linearized(
            point: split.point, linear: split.linear.renamed(outputs: products), residuals: split.residuals)
    }

    func factored(_ matrix: CurvatureMatrix, _ count: Int, _ use: StatisticsUse) throws -> Linearized {
        let pushed = try pushedForward(matrix, count, use)
        let names = parameterNames
        try Cancellation.check()
        let reverse = try vjp(pushed.function, of: pushed.function.outputs[0].name, withRespectTo: names)
        // Its forward sweep is that of the forward derivative: common subexpressions.
        let pulled = pushed.builder.inline(reverse, inputs: pushed.values + [pushed.cotangent]).suffix(names.count)
        let whole = pushed.builder.build(outputs: zip(names, pulled).map { ("\($0).product", $1) })
        return try Linearized(
            splitting: whole, pointInputs: whole.inputs.count - names.count, asking: Cancellation.check)
    }

    /// A graph under construction, with the objective's inputs and then tangents `x.tangent`.
    private struct PushedForward {
        let builder: GraphBuilder
        /// What J is the derivative of, of the parameters and samples: one output.
        let function: Graph
        /// The values of its inputs.
        let values: [Value]
        /// Jv and MJv, of the shape of the function's output.
        let tangent: Value
        let cotangent: Value
    }

    private func pushedForward(
        _ matrix: CurvatureMatrix, _ count: Int, _ use: StatisticsUse
    ) throws -> PushedForward {
        if matrix == .ggn { try checkGaussNewton() }
        let one = use == .batch ? perSample : perSampleRunning
        let name = matrix == .fisher ? "loss" : Objective.outputName
        let function = try vmap(
            eliminateDeadCode(one.selecting(outputs: [name])), over: [Model.inputName, Model.targetName], size: count)
        try Cancellation.check()
        let forward = try jvp(function, along: parameterNames)
        try Cancellation.check()
        let builder = GraphBuilder()
        let leading = parameterNames.count + 2
        let first = function.inputs.prefix(leading).map { builder.input($0.name, $0.type) }
        let weights = builder.input(Model.weightName, TensorType(model.element, [count] + positions))
        let running = function.inputs.dropFirst(leading).map { builder.input($0.name, $0.type) }
        let tangents = forward.inputs.dropFirst(function.inputs.count).map { builder.input($0.name, $0.type) }
        let results = builder.inline(forward, inputs: first + running + tangents)
        let weight = Symbolic(weights, in: builder)
        let tangent = Symbolic(results[1], in: builder)
        let cotangent: Value
        switch matrix {
        case .ggn:
            let map = try lossCurvature(count)
            cotangent = builder.inline(map, inputs: [results[0], first[leading - 1], weights, results[1]])[0]
        case .fisher: cotangent = try weightedBySample(tangent, weight).value
        case .ntk: cotangent = try (perOutput(weight, count) * tangent).value
        case .hessian: preconditionFailure("the Hessian is no product of J's")
        }
        return PushedForward(
            builder: builder, function: function, values: first + running, tangent: results[1], cotangent: cotangent)
    }

    /// v ↦ ∇²_f(Σ wᵢℓᵢ)v: inputs `output`, `target` and `sample weight` of `count` samples, then `output.tangent`; one output.
    private func lossCurvature(_ count: Int) throws -> Graph {
        let batch = try vmap(losses, over: [Objective.outputName, Model.targetName], size: count)
        let builder = GraphBuilder()
        let inputs = batch.inputs.map { builder.input($0.name, $0.type) }
        let weights = builder.input(Model.weightName, TensorType(model.element, [count] + positions))
        let values = Symbolic(builder.inline(batch, inputs: inputs)[0], in: builder)
        let sum = builder.build(outputs: [("loss", try (Symbolic(weights, in: builder) * values).sum().value)])
        let gradient = try vjp(sum, of: "loss", withRespectTo: [Objective.outputName])
        let name = "\(Objective.outputName).gradient"
        return try jvp(gradient.selecting(outputs: [name]), along: [Objective.outputName])
            .selecting(outputs: ["\(name).tangent"])
    }

    /// Fisher's map of the losses' tangents: for a sample with weights w_t of its places, which sum to ω, and its mean loss
    /// Σ w_tℓ_t/ω, the cotangents (w_t/ω)·ω·(Σ w_tℓ̇_t/ω).
    private func weightedBySample(_ tangent: Symbolic, _ weight: Symbolic) throws -> Symbolic {
        let places = Array(weight.shape.indices.dropFirst())
        if places.isEmpty { return try weight * tangent }
        let column = [weight.shape[0]] + places.map { _ in 1 }
        let share = try weight.sum(places).maximum(weight.constant(Objective.leastWeight))
        let mean = try (weight * tangent).sum(places) / share
        return try weight * mean.reshaped(to: column)
    }

    /// The weights of outputs `[count, …]`: those of their places, or where outputs have none of their sample.
    private func perOutput(_ weight: Symbolic, _ count: Int) throws -> Symbolic {
        let outputs = [count] + model.outputShape
        let own =
            model.outputShape.starts(with: positions)
            ? weight : try weight.sum(Array(weight.shape.indices.dropFirst()))
        return try own.reshaped(to: own.shape + outputs.dropFirst(own.shape.count).map { _ in 1 })
    }
}
