/// The cheapest way to put the nodes of a network on two sides, where an edge costs its capacity if it leads from the first side
/// to the second: a minimum cut, found through a maximum flow along shortest paths (Dinic 1970).
struct MinimumCut {
    /// The node that is always on the first side, and the one always on the second.
    static let first = 0
    static let second = 1
    /// More than any sum of capacities that a cheapest cut has.
    static let infinite = Int.max / 4

    /// Edges in pairs: an edge and its reverse, which holds the flow that can be taken back.
    private var heads: [Int] = []
    private var capacities: [Int] = []
    private var edges: [[Int]] = [[], []]
    /// What the first side's node could send at most, and what it sends.
    private(set) var supply = 0
    private(set) var flow = 0

    mutating func addNode() -> Int {
        edges.append([])
        return edges.count - 1
    }

    mutating func addEdge(from tail: Int, to head: Int, capacity: Int) {
        if tail == Self.first { supply = supply.addingSaturated(capacity) }
        edges[tail].append(heads.count)
        heads.append(head)
        capacities.append(capacity)
        edges[head].append(heads.count)
        heads.append(tail)
        capacities.append(0)
    }

    /// For each node whether it is on the first side. Of cuts of one cost the one with the most nodes there.
    mutating func solve() -> [Bool] {
        while let levels = levels() {
            var next = [Int](repeating: 0, count: edges.count)
            while augment(levels, &next) {}
        }
        // All but those from which the second side's node can still be reached.
        var isFirst = [Bool](repeating: true, count: edges.count)
        isFirst[Self.second] = false
        var queue = [Self.second]
        while let node = queue.popLast() {
            for edge in edges[node] where capacities[edge ^ 1] > 0 && isFirst[heads[edge]] {
                isFirst[heads[edge]] = false
                queue.append(heads[edge])
            }
        }
        return isFirst
    }

    /// Each node's distance from the first one through edges with capacity left; `nil` when the second is out of reach.
    private func levels() -> [Int]? {
        var levels = [Int](repeating: -1, count: edges.count)
        levels[Self.first] = 0
        var queue = [Self.first]
        var place = 0
        while place < queue.count {
            let node = queue[place]
            place += 1
            for edge in edges[node] where capacities[edge] > 0 && levels[heads[edge]] < 0 {
                levels[heads[edge]] = levels[node] + 1
                queue.append(heads[edge])
            }
        }
        return levels[Self.second] < 0 ? nil : levels
    }

    /// Sends flow along one path on which the distance grows; `next` skips what was tried before.
    private mutating func augment(_ levels: [Int], _ next: inout [Int]) -> Bool {
        var path: [Int] = []
        var node = Self.first
        while node != Self.second {
            if next[node] < edges[node].count {
                let edge = edges[node][next[node]]
                if capacities[edge] > 0 && levels[heads[edge]] == levels[node] + 1 {
                    path.append(edge)
                    node = heads[edge]
                } else {
                    next[node] += 1
                }
            } else if let edge = path.popLast() {
                node = heads[edge ^ 1]
                next[node] += 1
            } else {
                return false
            }
        }
        let amount = path.reduce(Self.infinite) { min($0, capacities[$1]) }
        for edge in path {
            capacities[edge] -= amount
            capacities[edge ^ 1] += amount
        }
        flow += amount
        return true
    }
}
