import Compute
import Graph
import Networks

/// What stands for a loss near a point θ₀, with δ = θ − θ₀. It is an objective as any other: what is trained, and what every probe
/// describes, is this function.
public enum Expansion: String, Sendable, CaseIterable {
    /// ℓ(θ₀) + ∇ℓ·δ + ½ δᵀ∇²ℓ δ for each sample; its outputs are those of the network to second order.
    case hessian
    /// ℓ to second order in the outputs f(θ₀) + Jδ of the linearized network: the Hessian is the Gauss–Newton matrix at θ₀.
    case gaussNewton = "gauss_newton"
    /// ℓ of the outputs f(θ₀) + Jδ of the linearized network.
    case linearized
}

extension Objective {
    /// The same loss, expanded about a point, as the loss of a model with these parameters: θ₀ is fixed in it, `x.origin` for each
    /// parameter x. A loss over a batch is the mean of its samples' expansions, so that each batch has an expansion of its own.
    /// - Parameter origin: θ₀.
    /// - Throws: `GraphError` for a model with batch statistics, whose samples have no losses of their own, and for what is an
    ///   expansion already.
    public func expanded(_ kind: Expansion, about origin: Vector) throws -> Objective {
        guard isPlain else {
            throw GraphError(
                "the loss '\(lossName)' \(expansion != nil ? "is an expansion" : "stands for another") already: expand that of the "
                    + "network itself")
        }
        guard model.statistics.isEmpty else {
            throw GraphError(
                "the samples of \(model.name) share batch statistics, so that their losses have no expansions: take a "
                    + "network without batch normalisation")
        }
        let entries = model.layout.entries
        let values = try Vector(model.fixedValues.values + origin.values, element: model.element)
        var expanded = try model.fixing(
            entries.map { ($0.name + Model.originSuffix, $0.shape) }, values: values)
        expanded.initial = origin
        return Objective(
            self, kind, expanded, kind == .hessian ? try expansionOfLoss() : try expansionOfOutputs(kind))
    }

    /// The parts of a graph of one sample that expands another about a point.
    private struct Expanding {
        let builder = GraphBuilder()
        /// Inputs of the graph that is expanded, at θ₀.
        let atOrigin: [Value]
        let target: Value
        /// δ.
        let displacement: [Value]

        init(_ base: Graph, _ names: [String]) throws {
            let builder = builder
            let inputs = base.inputs.map { builder.input($0.name, $0.type) }
            let origins = base.inputs.prefix(names.count).map {
                builder.input($0.name + Model.originSuffix, $0.type)
            }
            atOrigin = origins + inputs.dropFirst(names.count)
            target = inputs[names.count + 1]
            displacement = try zip(inputs, origins).map {
                try (Symbolic($0, in: builder) - Symbolic($1, in: builder)).value
            }
        }

        /// The value, first and second derivative along δ, in this order, of each of a graph's outputs.
        func terms(of function: Graph, along names: [String], at point: [Value], _ direction: [Value]) throws
            -> [[Symbolic]]
        {
            func numbered(_ graph: Graph, _ number: Int) -> Graph {
                graph.renamed(
                    inputs: Dictionary(
                        uniqueKeysWithValues: names.map { ("\($0).tangent", "\($0).tangent\(number)") }))
            }
            let first = try numbered(jvp(function, along: names), 1)
            try Cancellation.check()
            let second = try numbered(jvp(first, along: names), 2)
            try Cancellation.check()
            let results = builder.inline(second, inputs: point + direction + direction)
                .map { Symbolic($0, in: builder) }
            let count = function.outputs.count
            // Outputs, their derivatives along the first direction, then those of both along the second.
            return (0..<count).map { [results[$0], results[count + $0], results[3 * count + $0]] }
        }
    }

    private func expansionOfLoss() throws -> Graph {
        let base = perSample.selecting(outputs: ["loss", Objective.outputName])
        let own = try Expanding(base, parameterNames)
        let terms = try own.terms(of: base, along: parameterNames, at: own.atOrigin, own.displacement)
        let sums = try terms.map { try $0[0] + $0[1] + 0.5 * $0[2] }
        return own.builder.build(outputs: [("loss", sums[0].value), (Objective.outputName, sums[1].value)])
    }

    private func expansionOfOutputs(_ kind: Expansion) throws -> Graph {
        let base = perSample.selecting(outputs: [Objective.outputName])
        let own = try Expanding(base, parameterNames)
        let pushed = own.builder.inline(
            try jvp(base, along: parameterNames), inputs: own.atOrigin + own.displacement)
        let output = try Symbolic(pushed[0], in: own.builder) + Symbolic(pushed[1], in: own.builder)
        let loss: Symbolic
        if kind == .linearized {
            loss = Symbolic(own.builder.inline(losses, inputs: [output.value, own.target])[0], in: own.builder)
        } else {
            let terms = try own.terms(
                of: losses, along: [Objective.outputName], at: [pushed[0], own.target], [pushed[1]])[0]
            loss = try terms[0] + terms[1] + 0.5 * terms[2]
        }
        return own.builder.build(outputs: [("loss", loss.value), (Objective.outputName, output.value)])
    }

    /// - Throws: `GraphError` where the loss is no function of the outputs alone.
    func checkGaussNewton() throws(GraphError) {
        guard expansion == .hessian || expansion == .gaussNewton else { return }
        throw GraphError(
            "the loss '\(lossName)' is no function of outputs and has no Gauss-Newton matrix: take its Hessian"
                + (expansion == .gaussNewton ? ", which is the network's Gauss-Newton matrix at the origin" : ""))
    }
}
