import Compute
import Graph
import Networks

/// Where a loss is restricted to, from a point θ₀ on, with the projector P = UUᵀ on some directions and δ = θ − θ₀. It is an objective
/// as any other: what is trained, and what every probe describes, is this function of θ; its gradient is P∇L, its Hessian PHP, at
/// θ₀ + Pδ, or the same with I − P.
public enum Restriction: String, Sendable, CaseIterable {
    /// L(θ₀ + Pδ).
    case topSubspace = "top_subspace"
    /// L(θ₀ + (I − P)δ).
    case bulkSubspace = "bulk_subspace"
}

extension Objective {
    /// The same loss, restricted to a space of directions from a point on, or to what is orthogonal to them: θ₀ and U are fixed in the
    /// model, `x.origin` and `x.basis` `[k, …]` for each parameter x.
    /// - Parameters:
    ///   - basis: U, k orthonormal vectors.
    ///   - origin: θ₀.
    /// - Throws: `GraphError` for what is restricted or an expansion already.
    public func restricted(_ kind: Restriction, by basis: [Vector], about origin: Vector) throws -> Objective {
        guard isPlain else {
            throw GraphError("the loss '\(lossName)' stands for another already: restrict that of the network itself")
        }
        let entries = model.layout.entries
        var values = model.fixedValues.values + origin.values
        let directions = basis.map(\.values)
        for entry in entries {
            for direction in directions { values += direction[entry.offset..<entry.offset + entry.count] }
        }
        var restricted = try model.fixing(
            entries.map { ($0.name + Model.originSuffix, $0.shape) }
                + entries.map { ($0.name + Model.basisSuffix, [basis.count] + $0.shape) },
            values: Vector(values, element: model.element))
        restricted.initial = origin
        return Objective(
            self, kind, restricted, training: try restriction(kind, of: perSample, by: basis.count),
            running: try restriction(kind, of: perSampleRunning, by: basis.count))
    }

    /// A graph of one sample at the point that θ stands for.
    private func restriction(_ kind: Restriction, of base: Graph, by k: Int) throws -> Graph {
        let builder = GraphBuilder()
        // Parameters, input and target, then what is fixed already.
        let leading = parameterNames.count + 2 + model.fixed.entries.count
        let inputs = base.inputs.prefix(leading).map { builder.input($0.name, $0.type) }
        let parameters = zip(parameterNames, inputs).map { Symbolic($1, in: builder) }
        let origins = zip(parameterNames, parameters).map {
            Symbolic(builder.input($0 + Model.originSuffix, $1.type), in: builder)
        }
        let bases = zip(parameterNames, parameters).map {
            Symbolic(builder.input($0 + Model.basisSuffix, TensorType(model.element, [k] + $1.shape)), in: builder)
        }
        let running = base.inputs.dropFirst(leading).map { builder.input($0.name, $0.type) }
        // Uᵀδ is a sum over the parameters.
        var coefficients: Symbolic?
        for (index, basis) in bases.enumerated() {
            let delta = try parameters[index] - origins[index]
            let count = delta.shape.reduce(1, *)
            let part = try basis.reshaped(to: [k, count]).matmul(delta.reshaped(to: [count, 1]))
            coefficients = try coefficients.map { try $0 + part } ?? part
        }
        guard let coefficients else { preconditionFailure("a model has parameters") }
        let row = try coefficients.reshaped(to: [1, k])
        let points = try bases.indices.map { index in
            let shape = parameters[index].shape
            let inside = try row.matmul(bases[index].reshaped(to: [k, shape.reduce(1, *)])).reshaped(to: shape)
            return try kind == .topSubspace ? origins[index] + inside : parameters[index] - inside
        }
        let results = builder.inline(
            base, inputs: points.map(\.value) + inputs.dropFirst(parameterNames.count) + running)
        return builder.build(outputs: Array(zip(base.outputs.map(\.name), results)))
    }
}
