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
/// The linear part holds linear operations only. What is cheap to make again from something smaller (constants, broadcasts)
/// stands in the linear part itself and is no residual.
/// - Throws: `GraphError` when `withRespectTo` names no input, or one that is not real.
public func linearize(_ g: Graph, withRespectTo names: [String]) throws(GraphError) -> Linearized {
    // Simplified, so that what a rule computes again (the mask of a maximum) or only moves is not kept twice.
    let forward = try jvp(g, along: names).simplified()
    let pointInputs = g.inputs.count
    let isLinear = forward.dependents(on: pointInputs..<forward.inputs.count)
    let (pointOutputs, tangentOutputs) = (
        forward.outputs.prefix(g.outputs.count), forward.outputs.dropFirst(g.outputs.count)
    )

    let point = GraphBuilder()
    var atPoint = [Value?](repeating: nil, count: forward.types.count)
    for (index, input) in g.inputs.enumerated() { atPoint[index] = point.input(input.name, input.type) }
    point.append(forward, values: &atPoint) { !isLinear[$0.results.lowerBound] }

    let split = ResidualFinder(forward, isLinear: isLinear, outputs: tangentOutputs)
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
    return Linearized(
        point: eliminateDeadCode(point.build(outputs: outputs(pointOutputs, atPoint) + kept)),
        linear: eliminateDeadCode(linear.build(outputs: outputs(tangentOutputs, inLinear))), residuals: residuals)
}

/// Which values the linear part computes, and which it needs from the point.
struct ResidualFinder {
    /// Values that nodes of the linear part compute: the linear ones, and those made again there.
    private(set) var inLinear: [Bool]
    private(set) var residuals: [Value] = []

    init(_ forward: Graph, isLinear: [Bool], outputs: ArraySlice<Graph.Output>) {
        inLinear = isLinear
        var isNeeded = [Bool](repeating: false, count: forward.types.count)
        for output in outputs { isNeeded[output.value.id] = true }
        for node in forward.nodes.reversed() where isLinear[node.results.lowerBound] {
            for operand in node.operands { isNeeded[operand.id] = true }
        }
        // Backwards, so that the operands of what is made again are seen after it.
        for node in forward.nodes.reversed() where !isLinear[node.results.lowerBound] {
            guard node.results.contains(where: { isNeeded[$0] }) else { continue }
            if Self.isCheap(node.operation) {
                for operand in node.operands { isNeeded[operand.id] = true }
                for result in node.results { inLinear[result] = true }
            }
        }
        residuals = isNeeded.indices.filter { isNeeded[$0] && !inLinear[$0] }.map(Value.init)
    }

    private static func isCheap(_ operation: any Operation) -> Bool {
        operation is Constant || operation is ConstantTensor || operation is Iota || operation is BroadcastInDim
            || operation is Reshape
    }
}
