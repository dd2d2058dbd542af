/// A function split at a point: what depends on the point alone, and a linear map of tangents.
public struct Linearized: Sendable {
    /// Inputs: the graph's. Outputs: the graph's, then the residuals `r0`, `r1`, …: the values that the linear part needs.
    /// A residual may be an input of the graph (a weight matrix); it need not be copied.
    public let point: Graph
    /// Inputs: the residuals, then `x.tangent` for each x. Outputs: `y.tangent` for each real output y.
    public let linear: Graph
    /// The residuals' names, outputs of `point` and inputs of `linear`, in order.
    public let residuals: [String]

    public init(point: Graph, linear: Graph, residuals: [String]) {
        self.point = point
        self.linear = linear
        self.residuals = residuals
    }
}

/// Splits the forward derivative of a graph into what is computed once and what is computed for every tangent.
///
/// The linear part holds the operations that are linear in the tangents, and what is cheap to make again of the point's values
/// from others: constants, broadcasts, elementwise operations. Which values are residuals is a minimum cut (`ResidualChoice`).
/// - Throws: `GraphError` when `withRespectTo` names no input, or one that is not real.
public func linearize(_ g: Graph, withRespectTo names: [String]) throws(GraphError) -> Linearized {
    Linearized(splitting: try jvp(g, along: names), pointInputs: g.inputs.count, pointOutputs: g.outputs.count)
}

/// As above. `ask` is called between passes: it may end all by throwing.
package func linearize(
    _ g: Graph, withRespectTo names: [String], asking ask: () throws -> Void
) throws -> Linearized {
    let forward = try jvp(g, along: names)
    try ask()
    return try Linearized(
        splitting: forward, pointInputs: g.inputs.count, pointOutputs: g.outputs.count, asking: ask)
}

extension Linearized {
    /// Splits any graph that is linear in its last inputs, jointly: a forward derivative, or one followed by a transposed one.
    /// - Parameters:
    ///   - forward: a graph whose inputs after the first `pointInputs` are the tangents. Its outputs after the first
    ///     `pointOutputs`, the linear ones, become those of `linear`; the others, which may not depend on tangents, of `point`.
    public init(splitting forward: Graph, pointInputs: Int, pointOutputs: Int = 0) {
        self.init(splitting: forward, pointInputs: pointInputs, pointOutputs: pointOutputs, asking: {})
    }

    /// As above. `ask` is called between passes: it may end all by throwing.
    package init(
        splitting forward: Graph, pointInputs: Int, pointOutputs: Int = 0, asking ask: () throws -> Void
    ) rethrows {
        // Simplified, so that what a rule computes again (the mask of a maximum) or only moves is not kept twice.
        let forward = try forward.simplified(asking: ask)
        try ask()
        let isLinear = forward.dependents(on: pointInputs..<forward.inputs.count)
        let tangentOutputs = forward.outputs.dropFirst(pointOutputs)

        let point = GraphBuilder()
        var atPoint = [Value?](repeating: nil, count: forward.types.count)
        for (index, input) in forward.inputs.prefix(pointInputs).enumerated() {
            atPoint[index] = point.input(input.name, input.type)
        }
        point.append(forward, values: &atPoint) { !isLinear[$0.results.lowerBound] }

        let split = ResidualChoice(forward, isLinear: isLinear, outputs: tangentOutputs, makesAgain: true)
        try ask()
        var table = NameTable(forward.inputs.map(\.name) + forward.outputs.map(\.name))
        let residuals = split.residuals.indices.map { table.claim("r\($0)") }

        let linear = GraphBuilder()
        var inLinear = [Value?](repeating: nil, count: forward.types.count)
        for (name, value) in zip(residuals, split.residuals) {
            inLinear[value.id] = linear.input(name, forward.type(of: value))
        }
        for index in pointInputs..<forward.inputs.count {
            inLinear[index] = linear.input(forward.inputs[index].name, forward.inputs[index].type)
        }
        linear.append(forward, values: &inLinear) { split.inLinear[$0.results.lowerBound] }

        func outputs(_ outputs: ArraySlice<Graph.Output>, _ values: [Value?]) -> [(name: String, value: Value)] {
            outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } }
        }
        let kept = zip(residuals, split.residuals).compactMap { name, value in
            atPoint[value.id].map { (name: name, value: $0) }
        }
        self.init(
            point: eliminateDeadCode(
                point.build(outputs: outputs(forward.outputs.prefix(pointOutputs), atPoint) + kept)),
            linear: eliminateDeadCode(linear.build(outputs: outputs(tangentOutputs, inLinear))), residuals: residuals)
    }
}
