/// Joins elementwise operations of one shape into regions that are executed in one walk: a value that only the region uses
/// stays in a register.
///
/// Regions grow along the edges from producers to consumers. No operation is executed twice, but for constants and broadcasts,
/// which every region makes for itself: a bias added to a matrix is read as the vector it is, and no tensor of zeros is stored.
/// A single operation that reads whole tensors stays as it is.
public func fuseElementwise(_ g: Graph) -> Graph {
    var regions = Regions(eliminateDeadCode(g))
    regions.grow()
    return regions.emit()
}

private struct Regions {
    let g: Graph
    let producers: [Int?]
    private let isElementwise: [Bool]
    /// For each node, those that compute its operands.
    private let sources: [[Int]]
    /// For each node another of its region, until the region's first, which names it. Other nodes are alone in theirs.
    private var parent: [Int]
    private var members: [[Int]]
    /// For each region the last search that came to it.
    private var seen: [Int]
    private var search = 0

    init(_ g: Graph) {
        self.g = g
        let producers = g.producers()
        self.producers = producers
        sources = g.nodes.map { $0.operands.compactMap { producers[$0.id] } }
        seen = g.nodes.indices.map { _ in 0 }
        isElementwise = g.nodes.map { type(of: $0.operation).isElementwise }
        parent = Array(g.nodes.indices)
        members = g.nodes.indices.map { [$0] }
    }

    private func root(_ node: Int) -> Int {
        var node = node
        while parent[node] != node { node = parent[node] }
        return node
    }

    private func isFusable(_ node: Int) -> Bool { isElementwise[node] }
    /// Made again in each region that uses it.
    private func isCloned(_ node: Int) -> Bool {
        g.nodes[node].operation is BroadcastInDim || g.nodes[node].operation is Constant
    }
    private func shape(_ node: Int) -> [Int] { g.types[g.nodes[node].results.lowerBound].shape }

    // MARK: Growing

    mutating func grow() {
        for node in g.nodes.indices where isFusable(node) {
            for operand in g.nodes[node].operands {
                guard let producer = producers[operand.id], isFusable(producer), shape(producer) == shape(node) else {
                    continue
                }
                join(root(producer), root(node))
            }
        }
    }

    private mutating func join(_ first: Int, _ second: Int) {
        if first == second || hasDetour(from: first, to: second) || hasDetour(from: second, to: first) { return }
        let (low, high) = (min(first, second), max(first, second))
        parent[high] = low
        members[low] += members[high]
        members[high] = []
    }

    /// Whether something outside both regions needs the first and is needed by the second: joined, they would wait for it
    /// while it waits for them.
    private mutating func hasDetour(from first: Int, to second: Int) -> Bool {
        search += 1
        seen[first] = search
        seen[second] = search
        var queue = [second]
        while let region = queue.popLast() {
            for node in members[region] {
                for source in sources[node] {
                    let source = root(source)
                    if source == first && region != second { return true }
                    if seen[source] != search {
                        seen[source] = search
                        queue.append(source)
                    }
                }
            }
        }
        return false
    }

    // MARK: Writing

    func emit() -> Graph {
        let b = GraphBuilder()
        var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
        values += [Value?](repeating: nil, count: g.types.count - values.count)
        let isUsedOutside = usedOutside()

        func emitRegion(_ region: Int) {
            let nodes = members[region].sorted()
            for node in nodes { for source in sources[node] where root(source) != region { need(source) } }
            guard
                let fused = FusedRegion(
                    g, nodes, producers: producers, isUsedOutside: isUsedOutside, isCloned: isCloned)
            else {
                for node in nodes { emitNode(node) }
                return
            }
            let operands = fused.operands.compactMap { values[$0.id] }
            for (result, value) in zip(fused.results, b.emitAll(Fusion(body: fused.body), operands)) {
                values[result.id] = value
            }
        }
        func emitNode(_ node: Int) {
            let operands = g.nodes[node].operands.compactMap { values[$0.id] }
            for (result, value) in zip(g.nodes[node].results, b.emitAll(g.nodes[node].operation, operands)) {
                values[result] = value
            }
        }
        func need(_ node: Int) {
            if values[g.nodes[node].results.lowerBound] != nil { return }
            if isFusable(node) { return emitRegion(root(node)) }
            for source in sources[node] { need(source) }
            emitNode(node)
        }

        for (index, node) in g.nodes.enumerated() where node.results.contains(where: { isUsedOutside[$0] }) {
            need(index)
        }
        return eliminateDeadCode(
            b.build(outputs: g.outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } }))
    }

    /// Values that are outputs, or that a node of another region uses.
    private func usedOutside() -> [Bool] {
        var isUsed = [Bool](repeating: false, count: g.types.count)
        for output in g.outputs { isUsed[output.value.id] = true }
        for index in g.nodes.indices {
            for operand in g.nodes[index].operands {
                if let producer = producers[operand.id], root(producer) != root(index) { isUsed[operand.id] = true }
            }
        }
        return isUsed
    }
}

/// The body of one region, with the values of the graph that are its operands and results.
private struct FusedRegion {
    let body: Graph
    private(set) var operands: [Value] = []
    let results: [Value]

    /// Nil where there is nothing to fuse: a single operation that reads whole tensors.
    init?(_ g: Graph, _ nodes: [Int], producers: [Int?], isUsedOutside: [Bool], isCloned: (Int) -> Bool) {
        let b = GraphBuilder()
        var local: [Value: Value] = [:]
        var operands: [Value] = []
        var clones = 0
        func operand(_ value: Value) -> Value {
            if let known = local[value] { return known }
            var result: Value
            if let producer = producers[value.id], isCloned(producer) {
                let node = g.nodes[producer]
                clones += 1
                result = b.emitAll(node.operation, node.operands.map(operand))[0]
            } else {
                result = b.input("p\(operands.count)", g.type(of: value))
                operands.append(value)
            }
            local[value] = result
            return result
        }
        for node in nodes.map({ g.nodes[$0] }) {
            local[node.result] = b.emitAll(node.operation, node.operands.map(operand))[0]
        }
        if nodes.count == 1 && clones == 0 { return nil }
        results = nodes.map { g.nodes[$0].result }.filter { isUsedOutside[$0.id] }
        body = b.build(
            outputs: results.enumerated().compactMap { index, value in local[value].map { ("r\(index)", $0) } })
        self.operands = operands
    }
}
