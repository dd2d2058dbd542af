// What a scan keeps for its derivatives.

extension Graph {
    /// The graph that is differentiated: late operations expanded, and scans with further carries, which their steps do not
    /// read, for what the derivatives would compute again. Where there are no derivatives nothing is kept.
    func differentiable() -> Graph {
        let g = expanded()
        guard g.nodes.contains(where: { $0.operation is Scan }) else { return g }
        let b = GraphBuilder()
        return g.rewritten(in: b) { node, operands in
            guard let scan = node.operation as? Scan else { return b.emitAll(node.operation, operands) }
            let wider = scan.keepingValues()
            let zeros = wider.body.inputs[scan.carries..<wider.carries].map { b.zeros($0.type) }
            let all = operands.prefix(scan.carries) + zeros + operands.dropFirst(scan.carries)
            return Array(b.emitAll(wider, Array(all)).prefix(scan.carries))
        }
    }

    /// For the body of a scan: values that its derivatives need and that would take contractions to compute again from the
    /// carries, such as the gates of an LSTM before their activations. As outputs they are read from the scan's results.
    ///
    /// They are sums that contractions of the carries flow into, kept where the derivatives then need fewer contractions; or, where only
    /// functions read such a sum whose derivatives are of their values, as those of a logistic are, these values, which are as many.
    fileprivate func worthKeeping(carries: Int) -> [Value] {
        let isCarried = dependents(on: 0..<carries)
        var users = [[Node]](repeating: [], count: types.count)
        for node in nodes { for operand in node.operands { users[operand.id].append(node) } }
        let isOutput = Set(outputs.map(\.value))
        var candidates: [Value] = []
        for node in nodes where node.operation is DotGeneral || node.operation is Convolution {
            guard isCarried[node.result.id] else { continue }
            var end = node.result
            while !isOutput.contains(end), users[end.id].count == 1, let user = users[end.id].first,
                user.operation is Add || user.operation is Subtract
            {
                end = user.result
            }
            if isOutput.contains(end) { continue }
            for value in activations(of: end, users: users) ?? [end] where !candidates.contains(value) {
                candidates.append(value)
            }
        }
        if candidates.isEmpty || contractions(keeping: candidates) >= contractions(keeping: []) { return [] }
        return candidates
    }

    /// What functions make of the parts of a value, if nothing else reads it and their derivatives do not need it.
    private func activations(of value: Value, users: [[Node]]) -> [Value]? {
        let isOutput = Set(outputs.map(\.value))
        var (parts, results): ([Value], [Value]) = ([value], [])
        while let part = parts.popLast() {
            if isOutput.contains(part) { return nil }
            for user in users[part.id] {
                if user.operation.facts.isView || user.operation.facts.remaking == .nothing {
                    parts.append(user.result)
                } else if let function = user.operation as? any UnaryElementwise, function.derivativesAreOfResult {
                    if !isOutput.contains(user.result) { results.append(user.result) }
                } else {
                    return nil
                }
            }
        }
        let elements = results.reduce(0) { $0 + type(of: $1).count }
        return elements <= type(of: value).count ? results.sorted { $0.id < $1.id } : nil
    }

    /// The contractions that the derivatives do again where these values and the outputs are known.
    private func contractions(keeping kept: [Value]) -> Int {
        let all = outputs + kept.enumerated().map { Output(name: "kept.\($0)", value: $1) }
        let graph = Graph(inputs: inputs, nodes: nodes, outputs: all, types: types)
        let names = inputs.filter { $0.type.element.isFloating }.map(\.name)
        let point = known { () throws(GraphError) in try linearize(graph, withRespectTo: names) }.point
        return point.assuming(outputs: all.count).nodes.count {
            $0.operation is DotGeneral || $0.operation is Convolution
        }
    }
}

extension Scan {
    /// With further carries that the step does not read.
    fileprivate func keepingValues() -> Scan {
        let kept = body.worthKeeping(carries: carries)
        if kept.isEmpty { return self }
        let whole = Graph(
            inputs: body.inputs, nodes: body.nodes,
            outputs: body.outputs + kept.enumerated().map { Graph.Output(name: "kept\($0)", value: $1) },
            types: body.types)
        let b = GraphBuilder()
        let own = body.inputs.prefix(carries).map { b.input($0.name, $0.type) }
        for (index, value) in kept.enumerated() { _ = b.input("kept\(index)", body.type(of: value)) }
        let others = body.inputs.dropFirst(carries).map { b.input($0.name, $0.type) }
        let results = b.inline(whole, inputs: own + others)
        return Scan(
            body: b.build(outputs: results.enumerated().map { ("h\($0)", $1) }), carries: results.count,
            stacked: stacked, length: length, reverse: reverse)
    }
}
