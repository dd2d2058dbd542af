import Graph

/// Joins elementwise operations of one shape into regions that are executed in one walk: a value that only the region uses
/// stays in a register. Sums and maxima of what a region computes, over neighbouring axes, are taken on the same walk.
///
/// Regions grow along the edges from producers to consumers. No operation is executed twice, but for those of `RegionClones`,
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
    private let isCloned: [Bool]
    /// For each node what it reduces, if a region can.
    private let reductions: [RegionReduction?]
    /// For each region how its values are reduced, if they are: one way.
    private var reduction: [RegionReduction?]
    private var reductionCount: [Int]
    /// For each node, those that compute its operands, and those that use its results.
    private let sources: [[Int]]
    private let users: [[Int]]
    /// For each node another of its region, until the region's first, which names it. Other nodes are alone in theirs.
    private var parent: [Int]
    private var members: [[Int]]
    /// An order of the regions in which each comes after those it needs: searches stay between two places of it.
    private var place: [Int]
    /// For each region the last search that came to it.
    private var seen: [Int]
    private var search = 0

    init(_ g: Graph) {
        self.g = g
        let producers = g.producers()
        self.producers = producers
        sources = g.nodes.map { $0.operands.compactMap { producers[$0.id] } }
        var users = [[Int]](repeating: [], count: g.nodes.count)
        for node in g.nodes.indices { for source in sources[node] { users[source].append(node) } }
        self.users = users
        seen = g.nodes.indices.map { _ in 0 }
        place = Array(g.nodes.indices)
        isElementwise = g.nodes.map { type(of: $0.operation).isElementwise }
        reductions = g.nodes.map { node in
            node.operands.first.flatMap { RegionReduction(node.operation, of: g.type(of: $0)) }
        }
        isCloned = RegionClones(g, isReduction: reductions.map { $0 != nil }).isCloned
        reduction = reductions
        reductionCount = reductions.map { $0 == nil ? 0 : 1 }
        parent = Array(g.nodes.indices)
        members = g.nodes.indices.map { [$0] }
    }

    private mutating func root(_ node: Int) -> Int {
        var root = node
        while parent[root] != root { root = parent[root] }
        var node = node
        while parent[node] != root {
            let next = parent[node]
            parent[node] = root
            node = next
        }
        return root
    }

    private func isFusable(_ node: Int) -> Bool { isElementwise[node] && !isCloned[node] }
    private func shape(_ node: Int) -> [Int] { g.types[g.nodes[node].results.lowerBound].shape }

    // MARK: Growing

    mutating func grow() {
        for node in g.nodes.indices where isFusable(node) { joinOperands(node, shape: shape(node)) }
        // Then the reductions: where they fit not all regions, elementwise operations come first.
        for node in g.nodes.indices {
            if let reduction = reductions[node] { joinOperands(node, shape: reduction.shape) }
        }
    }

    /// - Parameter user: the node whose region grows, where that is not the node itself.
    private mutating func joinOperands(_ node: Int, shape: [Int], to user: Int? = nil) {
        let user = user ?? node
        for operand in g.nodes[node].operands {
            guard let producer = producers[operand.id], self.shape(producer) == shape, isElementwise[producer] else {
                continue
            }
            if isCloned[producer] {
                // What it is made of.
                joinOperands(producer, shape: shape, to: user)
            } else {
                join(root(producer), root(user))
            }
        }
    }

    private mutating func join(_ a: Int, _ b: Int) {
        if a == b { return }
        if let one = reduction[a], let other = reduction[b], one != other { return }
        if reductionCount[a] + reductionCount[b] > RegionReduction.most { return }
        let (first, second) = place[a] < place[b] ? (a, b) : (b, a)
        let between = place[first] + 1..<place[second]
        guard let before = neighbours(sources, of: second, within: between, avoiding: first) else { return }
        var merged = place[first]
        if !before.isEmpty {
            // What the second needs comes before both, what needs the first comes after both.
            let after = neighbours(users, of: first, within: between, avoiding: nil) ?? []
            merged = reorder(before, [first, second], after)
        }
        let (kept, joined) = members[first].count >= members[second].count ? (first, second) : (second, first)
        parent[joined] = kept
        members[kept] += members[joined]
        members[joined] = []
        place[kept] = merged
        reduction[kept] = reduction[kept] ?? reduction[joined]
        reductionCount[kept] += reductionCount[joined]
    }

    /// The regions reached from one along these edges whose places lie within a range; `nil` if the region to avoid is reached
    /// through any of them: something outside both regions needs the first and is needed by the second, so that, joined, they
    /// would wait for it while it waits for them.
    private mutating func neighbours(
        _ edges: [[Int]], of start: Int, within range: Range<Int>, avoiding end: Int?
    ) -> [Int]? {
        search += 1
        seen[start] = search
        var found: [Int] = []
        var next = -1
        var region = start
        while true {
            for node in members[region] {
                for neighbour in edges[node] {
                    let neighbour = root(neighbour)
                    if neighbour == end {
                        if region != start { return nil }
                    } else if seen[neighbour] != search && range.contains(place[neighbour]) {
                        seen[neighbour] = search
                        found.append(neighbour)
                    }
                }
            }
            next += 1
            if next == found.count { return found }
            region = found[next]
        }
    }

    /// Puts regions on the places that they have together, the middle ones on one; returns that.
    private mutating func reorder(_ before: [Int], _ middle: [Int], _ after: [Int]) -> Int {
        func inOrder(_ regions: [Int]) -> [Int] { regions.sorted { place[$0] < place[$1] } }
        let (before, after) = (inOrder(before), inOrder(after))
        let places = (before + middle + after).map { place[$0] }.sorted()
        for (region, new) in zip(before, places) { place[region] = new }
        for (region, new) in zip(after.reversed(), places.reversed()) { place[region] = new }
        return places[before.count]
    }

    // MARK: Writing

    mutating func emit() -> Graph {
        let regions = g.nodes.indices.map { root($0) }
        let isUsedOutside = usedOutside(regions)
        let b = GraphBuilder()
        var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
        values += [Value?](repeating: nil, count: g.types.count - values.count)
        func emit(_ operation: any Operation, _ operands: [Value], as results: [Int]) {
            for (result, value) in zip(results, b.emitAll(operation, operands.compactMap { values[$0.id] })) {
                values[result] = value
            }
        }
        for region in g.nodes.indices.filter({ regions[$0] == $0 }).sorted(by: { place[$0] < place[$1] }) {
            let nodes = members[region].sorted()
            if isFusable(region) || reductions[region] != nil,
                let fused = FusedRegion(
                    g, nodes, producers: producers, isUsedOutside: isUsedOutside, isCloned: isCloned)
            {
                emit(Fusion(body: fused.body), fused.operands, as: fused.results.map(\.id))
            } else {
                for node in nodes.map({ g.nodes[$0] }) { emit(node.operation, node.operands, as: Array(node.results)) }
            }
        }
        // What is made again in each region that uses it may have no other use.
        return eliminateDeadCode(
            b.build(outputs: g.outputs.compactMap { output in values[output.value.id].map { (output.name, $0) } }))
    }

    /// Values that are outputs, or that a node of another region uses.
    private func usedOutside(_ regions: [Int]) -> [Bool] {
        var isUsed = [Bool](repeating: false, count: g.types.count)
        for output in g.outputs { isUsed[output.value.id] = true }
        for index in g.nodes.indices {
            for operand in g.nodes[index].operands {
                if let producer = producers[operand.id], regions[producer] != regions[index] {
                    isUsed[operand.id] = true
                }
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

    /// Nil where there is nothing to fuse: a single elementwise operation that reads whole tensors.
    init?(_ g: Graph, _ nodes: [Int], producers: [Int?], isUsedOutside: [Bool], isCloned: [Bool]) {
        let b = GraphBuilder()
        var local: [Value: Value] = [:]
        var operands: [Value] = []
        var clones = 0
        func operand(_ value: Value) -> Value {
            if let known = local[value] { return known }
            var result: Value
            if let producer = producers[value.id], isCloned[producer] {
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
        if nodes.count == 1 && clones == 0 && !(g.nodes[nodes[0]].operation is any Reduction) { return nil }
        results = nodes.map { g.nodes[$0].result }.filter { isUsedOutside[$0.id] }
        body = b.build(
            outputs: results.enumerated().compactMap { index, value in local[value].map { ("r\(index)", $0) } })
        self.operands = operands
    }
}
