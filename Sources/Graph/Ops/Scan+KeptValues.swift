// What a scan keeps for its derivatives.

extension Graph {
    /// For the body of a scan: values that its derivatives need and that would take contractions to compute again from the
    /// carries, such as the gates of an LSTM before their activations. As outputs they are read from the scan's results.
    ///
    /// They are sums that contractions of the carries flow into, kept where the derivatives then need fewer contractions.
    func worthKeeping(carries: Int) -> [Value] {
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
            if !isOutput.contains(end) && !candidates.contains(end) { candidates.append(end) }
        }
        if candidates.isEmpty || contractions(keeping: candidates) >= contractions(keeping: []) { return [] }
        return candidates
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
