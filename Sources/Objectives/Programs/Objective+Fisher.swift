import Compute
import Graph
import Networks

/// The Fisher matrix Σ hᵢhᵢᵀ/ωᵢ from the gradients hᵢ = ωᵢgᵢ of samples' weighted losses.
///
/// The gradient of every sample is asked for; re-association sees that of a linear layer only input and delta are needed. Both
/// are kept, and gᵢ·v and Σ sᵢgᵢ are one contraction a layer each, half of what J and Jᵀ take. Of convolutions the gradients
/// themselves are kept, where they are not too large.
extension Objective {
    /// The matrix split at a point, outputs `x.product`: by samples' gradients where that is cheaper and keeps no more than
    /// twice as much, else as JᵀMJ.
    func fisher(_ count: Int, _ use: StatisticsUse) throws -> Linearized {
        let factored = try factored(.fisher, count, use)
        if model.dependsOnBatch[use] ?? false { return factored }
        let (samples, along) = (try sampleSlopes(count, use), parameterNames)
        let scaled = try samples.slope / samples.share
        let products = samples.gradients.map { gradient in
            samples.builder.emit(
                DotGeneral(lhsContracting: [0], rhsContracting: [0], result: model.element), scaled.value, gradient)
        }
        let whole = samples.builder.build(outputs: zip(along, products).map { ("\($0).product", $1) })
        return factored.orCheaper(try split(whole))
    }

    /// vᵀFv = Σ (hᵢ·v)²/ωᵢ split at a point, output `quadratic`: chosen as `fisher` is.
    /// - Parameter pushed: the same by a forward derivative.
    func fisherQuadratic(_ count: Int, _ use: StatisticsUse, orPushed pushed: Linearized) throws -> Linearized {
        if model.dependsOnBatch[use] ?? false { return pushed }
        let samples = try sampleSlopes(count, use)
        let form = try (samples.slope * samples.slope / samples.share).sum()
        return pushed.orCheaper(try split(samples.builder.build(outputs: [("quadratic", form.value)])))
    }

    private func split(_ whole: Graph) throws -> Linearized {
        let simpler = try whole.simplified(asking: Cancellation.check)
        return try Linearized(
            splitting: reassociateContractions(simpler, .cpu, asking: Cancellation.check),
            pointInputs: whole.inputs.count - parameterNames.count, asking: Cancellation.check)
    }

    /// A graph under construction, with the objective's inputs and then tangents `x.tangent`.
    private struct SampleSlopes {
        let builder: GraphBuilder
        /// hᵢ, one stack for each parameter.
        let gradients: [Value]
        /// hᵢ·v and ωᵢ, `[count]`.
        let slope: Symbolic
        let share: Symbolic
    }

    private func sampleSlopes(_ count: Int, _ use: StatisticsUse) throws -> SampleSlopes {
        let graph = try sampleGradients(count, use)
        let builder = GraphBuilder()
        let inputs = graph.inputs.map { builder.input($0.name, $0.type) }
        let tangents = declare(.tangents(), in: builder)
        let gradients = builder.inline(graph, inputs: inputs)
        var slope: Value?
        for (gradient, tangent) in zip(gradients, tangents) {
            let axes = Array(builder.shape(of: tangent).indices)
            let operation = DotGeneral(
                lhsContracting: axes.map { $0 + 1 }, rhsContracting: axes, result: model.element)
            let part = builder.emit(operation, gradient, tangent)
            slope = slope.map { builder.add($0, part) } ?? part
        }
        guard let slope else { preconditionFailure("a model has parameters") }
        let weights = Symbolic(inputs[parameterNames.count + 2], in: builder)
        let share = positions.isEmpty ? weights : try weights.flattened(from: 1).sum([1])
        return SampleSlopes(
            builder: builder, gradients: gradients, slope: Symbolic(slope, in: builder),
            share: try share.maximum(share.constant(Objective.leastWeight)))
    }

    /// Weights are 0 or more than one over the number of labels: this bound only keeps 0/0 away.
    static let leastWeight = 1e-30
}

extension Linearized {
    /// The numbers that are kept of the point beside its inputs.
    var keptElements: Double {
        let kept = point.outputs.filter { residuals.contains($0.name) && $0.value.id >= point.inputs.count }
        return kept.reduce(0) { $0 + point.type(of: $1.value).shape.reduce(1) { $0 * Double($1) } }
    }

    /// Another split of the same, where its linear part costs less and it keeps at most twice as much.
    func orCheaper(_ other: Linearized) -> Linearized {
        let isSmall = other.keptElements <= 2 * keptElements
        return isSmall && other.linear.cost().multiplyAdds < linear.cost().multiplyAdds ? other : self
    }
}
