import Graph

/// Writes scans out, step by step, but for those with an elementwise step, which stay loops (`Recurrence`). Each body goes through
/// `optimizing` once.
///
/// Where one scan reads what another left, shifted by a step or not, it reads the values of the steps themselves; the stack is
/// put together for what reads it whole. What a step computes for nobody is gone, and so are the products of carries that start
/// at zero in the first step.
public func unrollScans(_ g: Graph) -> Graph { unrollScans(g, asking: {}, optimizing: { $0 }) }

/// As above. `ask` is called at every step that is written out: it may end all by throwing.
func unrollScans(
    _ g: Graph, asking ask: () throws -> Void, optimizing: (Graph) throws -> Graph
) rethrows -> Graph {
    guard g.nodes.contains(where: { $0.operation is Scan }) else { return g }
    var unroller = Unroller(g)
    let unrolled = try unroller.run(ask, optimizing)
    try ask()
    let alive = try eliminateDeadCode(unrolled, asking: ask)
    try ask()
    return try eliminateCommonSubexpressions(alive, asking: ask)
}

private struct Unroller {
    let g: Graph
    let b = GraphBuilder()
    private var values: [Value?]
    /// For a stack made of rows (slices along its first axis, without that axis), these.
    private var rows: [Int: [Value]] = [:]
    /// The slices taken of other stacks, so that scans share them.
    private var slices: [Int: [Value]] = [:]
    /// The bodies optimized, those of first steps by themselves.
    private var bodies: [Graph: Graph] = [:]

    init(_ g: Graph) {
        self.g = g
        values = [Value?](repeating: nil, count: g.types.count)
    }

    mutating func run(_ ask: () throws -> Void, _ optimizing: (Graph) throws -> Graph) rethrows -> Graph {
        for (index, input) in g.inputs.enumerated() { values[index] = b.input(input.name, input.type) }
        for node in g.nodes {
            if let scan = node.operation as? Scan {
                try unroll(scan, node, ask, optimizing)
            } else if let moved = rows(of: node) {
                rows[node.result.id] = moved
            } else if node.operation is Reshape, let own = rows[node.operands[0].id], own.count == 1 {
                values[node.result.id] = b.reshape(own[0], to: g.type(of: node.result).shape)
            } else {
                let operands = node.operands.map { value($0) }
                for (result, made) in zip(node.results, b.emitAll(node.operation, operands)) { values[result] = made }
            }
        }
        return b.build(outputs: g.outputs.map { ($0.name, value($0.value)) })
    }

    /// This builder's value, put together where it is a stack of rows.
    private mutating func value(_ original: Value) -> Value {
        if let known = values[original.id] { return known }
        guard let own = rows[original.id] else { preconditionFailure("a node before its operand") }
        let whole = b.concatenate(own.map { b.reshape($0, to: [1] + b.shape(of: $0)) }, axis: 0)
        values[original.id] = whole
        return whole
    }

    private mutating func prepared(_ body: Graph, _ optimizing: (Graph) throws -> Graph) rethrows -> Graph {
        if let known = bodies[body] { return known }
        let result = try optimizing(body)
        bodies[body] = result
        return result
    }

    private mutating func unroll(
        _ scan: Scan, _ node: Graph.Node, _ ask: () throws -> Void, _ optimizing: (Graph) throws -> Graph
    ) rethrows {
        if let recurrence = Recurrence(scan.with(body: scan.body.simplified())) {
            let whole = node.operands.map { value($0) }
            for (result, made) in zip(node.results, b.emitAll(recurrence, whole)) { values[result] = made }
            return
        }
        var current = node.operands.prefix(scan.carries).map { value($0) }
        let zeros = current.indices.filter { b.splat(of: current[$0]) == 0 }
        // A single step shows what its products make of a weight that is not finite.
        let first = try prepared(
            zeros.isEmpty || scan.length == 1 ? scan.body : scan.body.withoutProducts(ofZeroInputs: zeros), optimizing)
        let stacks = node.operands.dropFirst(scan.carries).prefix(scan.stacked).map { steps(of: $0, scan.length) }
        let constants = node.operands.dropFirst(scan.carries + scan.stacked).map { value($0) }
        var results = [[Value]](repeating: [], count: scan.carries)
        let rest = scan.length == 1 ? first : try prepared(scan.body, optimizing)
        for (index, step) in scan.steps.enumerated() {
            try ask()
            let body = index == 0 ? first : rest
            current = b.inline(body, inputs: current + stacks.map { $0[step] } + constants)
            for (carry, value) in current.enumerated() { results[carry].append(value) }
        }
        for (carry, result) in node.results.enumerated() {
            rows[result] = scan.reverse ? results[carry].reversed() : results[carry]
        }
    }

    /// The slices of a stack.
    private mutating func steps(of stack: Value, _ length: Int) -> [Value] {
        if let known = rows[stack.id] ?? slices[stack.id] { return known }
        let whole = value(stack)
        let type = g.type(of: stack)
        var own: [Value] = []
        if let splat = b.splat(of: whole) {
            let row = b.constant(splat, TensorType(type.element, Array(type.shape.dropFirst())))
            own = [Value](repeating: row, count: length)
        } else {
            own = (0..<length).map { b.slice(whole, at: $0) }
        }
        slices[stack.id] = own
        return own
    }

    /// The rows of a result that is made of whole rows of its operands.
    private mutating func rows(of node: Graph.Node) -> [Value]? {
        guard node.operands.contains(where: { rows[$0.id] != nil }) else { return nil }
        let shape = g.type(of: node.operands[0]).shape
        switch node.operation {
        case let slice as Slice:
            guard let own = rows[node.operands[0].id], slice.strides[0] == 1,
                Array(slice.starts.dropFirst()).allSatisfy({ $0 == 0 }),
                Array(slice.limits.dropFirst()) == Array(shape.dropFirst()),
                slice.strides.allSatisfy({ $0 == 1 })
            else { return nil }
            return Array(own[slice.starts[0]..<slice.limits[0]])
        case let concatenate as Concatenate where concatenate.axis == 0:
            var all: [Value] = []
            for operand in node.operands {
                if let own = rows[operand.id] {
                    all += own
                } else if g.type(of: operand).shape[0] == 1 {
                    let whole = value(operand)
                    all.append(b.reshape(whole, to: Array(b.shape(of: whole).dropFirst())))
                } else {
                    return nil
                }
            }
            return all
        case let pad as Pad:
            guard let own = rows[node.operands[0].id], pad.low.dropFirst().allSatisfy({ $0 == 0 }),
                pad.high.dropFirst().allSatisfy({ $0 == 0 }), pad.interior.allSatisfy({ $0 == 0 }),
                let first = own.first
            else { return nil }
            let fill = b.constant(pad.value, b.type(of: first))
            let kept = own.dropFirst(max(0, -pad.low[0])).dropLast(max(0, -pad.high[0]))
            return [Value](repeating: fill, count: max(0, pad.low[0])) + kept
                + [Value](repeating: fill, count: max(0, pad.high[0]))
        default: return nil
        }
    }
}

extension Graph {
    /// The graph where these inputs are zero: products with them are not computed. The inputs stay.
    fileprivate func withoutProducts(ofZeroInputs zeros: [Int]) -> Graph {
        let b = GraphBuilder()
        var values: [Value?] = inputs.enumerated().map { index, input in
            let value = b.input(input.name, input.type)
            return zeros.contains(index) ? b.zeros(input.type) : value
        }
        values += [Value?](repeating: nil, count: types.count - inputs.count)
        b.append(self, values: &values) { _ in true }
        var graph = b.build(
            outputs: outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } }
        ).simplified()
        while true {
            let builder = GraphBuilder()
            let folded = graph.rewritten(in: builder) { node, operands in
                let isProduct =
                    node.operation is Multiply || node.operation is MultiplyNonzero || node.operation is DotGeneral
                    || node.operation is Convolution
                return isProduct && operands.contains { builder.splat(of: $0) == 0 }
                    ? [builder.zeros(graph.type(of: node.result))] : builder.emitAll(node.operation, operands)
            }.simplified()
            if folded == graph { return graph }
            graph = folded
        }
    }
}
