import Graph

/// Makes a contraction and all that is computed of it element by element one operation, where that is an update: it reads an
/// input of the graph of the whole shape, parameters or state, and its values are outputs of the graph alone. A gradient then
/// is never stored, and parameters and state are walked once.
///
/// The plain sum, an input ± scale · dot, is left to `fuseAccumulation`, whose kernels need no region.
public func fuseUpdates(_ g: Graph) -> Graph {
    let updates = Updates(g)
    if updates.all.isEmpty { return g }
    let b = GraphBuilder()
    var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
    values += [Value?](repeating: nil, count: g.types.count - values.count)
    func emit(_ operation: any Operation, _ operands: [Value], as results: [Int]) {
        for (result, value) in zip(results, b.emitAll(operation, operands.compactMap { values[$0.id] })) {
            values[result] = value
        }
    }
    for (index, node) in g.nodes.enumerated() where !updates.isTaken[index] {
        emit(node.operation, node.operands, as: Array(node.results))
    }
    // Nothing but outputs needs them.
    for update in updates.all {
        emit(
            DotFusion(dot: update.dot, body: update.body), update.operands, as: update.results.map(\.id))
    }
    return eliminateDeadCode(
        b.build(outputs: g.outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } }))
}

/// A contraction and its region.
private struct Update {
    let dot: DotGeneral
    let body: Graph
    let operands: [Value]
    let results: [Value]
}

private struct Updates {
    private let g: Graph
    private let producers: [Int?]
    /// For each value the nodes that use it.
    private let users: [[Int]]
    private let isOutput: [Bool]
    private(set) var all: [Update] = []
    /// Nodes that are part of an update, those left out that are made again in it.
    private(set) var isTaken: [Bool]

    init(_ g: Graph) {
        self.g = g
        producers = g.producers()
        var users = [[Int]](repeating: [], count: g.types.count)
        for (index, node) in g.nodes.enumerated() { for operand in node.operands { users[operand.id].append(index) } }
        self.users = users
        var isOutput = [Bool](repeating: false, count: g.types.count)
        for output in g.outputs { isOutput[output.value.id] = true }
        self.isOutput = isOutput
        isTaken = g.nodes.map { _ in false }
        for (index, node) in g.nodes.enumerated() where node.operation is DotGeneral {
            guard let (update, members) = update(of: index) else { continue }
            all.append(update)
            for member in members { isTaken[member] = true }
        }
    }

    /// What is computed of the contraction that this node is, and the nodes of it.
    private func update(of index: Int) -> (Update, members: Set<Int>)? {
        let node = g.nodes[index]
        guard let dot = node.operation as? DotGeneral, !isOutput[node.result.id],
            let forward = computed(of: node.result)
        else { return nil }
        let shape = g.type(of: node.result).shape
        let members = grown(forward, shape)
        if isPlainSum(members, of: node.result) { return nil }
        // The body, in the graph's order.
        let b = GraphBuilder()
        var local = [node.result: b.input("p0", g.type(of: node.result))]
        var operands = node.operands
        var readsInput = false
        func value(_ original: Value) -> Value {
            if let known = local[original] { return known }
            let made: Value
            if let producer = producers[original.id], isRepeated(g.nodes[producer]) {
                made = b.emitAll(g.nodes[producer].operation, g.nodes[producer].operands.map(value))[0]
            } else {
                made = b.input("p\(operands.count - 1)", g.type(of: original))
                operands.append(original)
                readsInput = readsInput || producers[original.id] == nil && g.type(of: original).shape == shape
            }
            local[original] = made
            return made
        }
        for member in members.sorted() {
            let node = g.nodes[member]
            local[node.result] = b.emitAll(node.operation, node.operands.map(value))[0]
        }
        // Gradients of shared weights are sums of contractions: these are accumulated, not stored one by one.
        let others = operands.dropFirst(2).compactMap { producers[$0.id] }
        guard readsInput, !others.contains(where: { g.nodes[$0].operation is DotGeneral }) else { return nil }
        let results = members.sorted().map { g.nodes[$0].result }.filter { isOutput[$0.id] }
        let body = b.build(
            outputs: results.enumerated().compactMap { number, result in local[result].map { ("r\(number)", $0) } })
        return (Update(dot: dot, body: body, operands: operands, results: results), members.union([index]))
    }

    /// The nodes that a value is used by, directly or not; nil unless they are elementwise, of one shape, and end in outputs.
    private func computed(of value: Value) -> Set<Int>? {
        var found: Set<Int> = []
        var open = [value]
        while let next = open.popLast() {
            if users[next.id].isEmpty && !isOutput[next.id] { return nil }
            for user in users[next.id] where found.insert(user).inserted {
                let node = g.nodes[user]
                guard type(of: node.operation).isElementwise, !isTaken[user],
                    g.type(of: node.result).shape == g.type(of: value).shape
                else { return nil }
                open.append(node.result)
            }
        }
        return found
    }

    /// With the elementwise nodes of this shape that these alone use.
    private func grown(_ nodes: Set<Int>, _ shape: [Int]) -> Set<Int> {
        var (found, open) = (nodes, Array(nodes))
        while let next = open.popLast() {
            for operand in g.nodes[next].operands {
                guard let producer = producers[operand.id], !found.contains(producer), !isOutput[operand.id],
                    type(of: g.nodes[producer].operation).isElementwise, g.type(of: operand).shape == shape,
                    users[operand.id].allSatisfy(found.contains)
                else { continue }
                found.insert(producer)
                open.append(producer)
                // What it reads may have waited for it.
                open += found
            }
        }
        return found
    }

    /// Values that a region makes for itself: one number repeated.
    private func isRepeated(_ node: Graph.Node) -> Bool {
        if node.operation is Constant { return true }
        return node.operation is BroadcastInDim && g.type(of: node.operands[0]).shape.isEmpty
    }

    /// Whether all that is done is: something of the whole shape ± the contraction times numbers.
    private func isPlainSum(_ members: Set<Int>, of dot: Value) -> Bool {
        var sums = 0
        for member in members {
            let node = g.nodes[member]
            let others = node.operands.filter { operand in
                guard let producer = producers[operand.id] else { return true }
                return g.nodes[producer].result != dot && !members.contains(producer) && !isRepeated(g.nodes[producer])
            }
            switch node.operation {
            case is Multiply, is Negate:
                if !others.isEmpty { return false }
            case is Add:
                if others.count != 1 { return false }
                sums += 1
            case is Subtract:
                if others != [node.operands[0]] { return false }
                sums += 1
            default: return false
            }
        }
        return sums <= 1
            && members.allSatisfy {
                !isOutput[g.nodes[$0].result.id] || g.nodes[$0].operation is Add
                    || g.nodes[$0].operation is Subtract
            }
    }
}
