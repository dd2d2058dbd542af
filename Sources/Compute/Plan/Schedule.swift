import Graph

/// The order in which a plan executes the nodes of a graph.
struct Schedule {
    /// Node numbers in order.
    var order: [Int]
    /// Outputs, by number, that may be written straight over the input they are donated, because all other readers of that
    /// input come before the node that writes it.
    var inPlaceOutputs: Set<Int>

    /// - Parameters:
    ///   - roots: for each value, the value whose memory it is (reshapes share their operand's).
    ///   - donations: output number → input number.
    init(_ graph: Graph, roots: [Int], donations: [Int: Int]) {
        var producers = [Int](repeating: -1, count: graph.types.count)
        for (index, node) in graph.nodes.enumerated() {
            for result in node.results { producers[result] = index }
        }
        var successors = [[Int]](repeating: [], count: graph.nodes.count)
        var waiting = [Int](repeating: 0, count: graph.nodes.count)
        func add(_ from: Int, before to: Int) {
            successors[from].append(to)
            waiting[to] += 1
        }
        for (index, node) in graph.nodes.enumerated() {
            for producer in Set(node.operands.map { producers[$0.id] }).sorted() where producer >= 0 {
                add(producer, before: index)
            }
        }

        inPlaceOutputs = []
        for (output, input) in donations.sorted(by: { $0.key < $1.key }) {
            let writer = producers[roots[graph.outputs[output].value.id]]
            guard writer >= 0 else { continue }
            let readers = graph.nodes.indices.filter { index in
                index != writer && graph.nodes[index].operands.contains { roots[$0.id] == input }
            }
            let reached = Schedule.reachable(from: writer, successors)
            guard !readers.contains(where: reached.contains) else { continue }
            for reader in readers { add(reader, before: writer) }
            inPlaceOutputs.insert(output)
        }

        order = Schedule.ordered(graph, roots: roots, successors: successors, waiting: waiting)
    }

    private static func reachable(from start: Int, _ successors: [[Int]]) -> Set<Int> {
        var seen: Set<Int> = [start]
        var stack = [start]
        while let node = stack.popLast() {
            for next in successors[node] where seen.insert(next).inserted { stack.append(next) }
        }
        return seen
    }

    /// Of the nodes that are ready, first one that shrinks what is alive, else the first in the graph's order.
    private static func ordered(_ graph: Graph, roots: [Int], successors: [[Int]], waiting: [Int]) -> [Int] {
        var waiting = waiting
        var uses = [Int](repeating: 0, count: graph.types.count)
        for node in graph.nodes {
            for root in Set(node.operands.map { roots[$0.id] }) { uses[root] += 1 }
        }
        // Inputs and outputs are the caller's memory: they cost nothing.
        let free = Set(graph.outputs.map { roots[$0.value.id] })
        func bytes(_ value: Int) -> Int {
            value < graph.inputs.count || free.contains(value) || roots[value] != value
                ? 0 : graph.types[value].elements &* graph.types[value].element.byteCount
        }
        func growth(_ index: Int) -> Int {
            let node = graph.nodes[index]
            let made = node.results.reduce(0) { $0 &+ bytes($1) }
            let freed = Set(node.operands.map { roots[$0.id] }).reduce(0) { $0 &+ (uses[$1] == 1 ? bytes($1) : 0) }
            return made &- freed
        }
        var ready = graph.nodes.indices.filter { waiting[$0] == 0 }
        var order: [Int] = []
        order.reserveCapacity(graph.nodes.count)
        while !ready.isEmpty {
            var best = 0
            var bestGrowth = min(0, growth(ready[0]))
            for candidate in ready.indices.dropFirst() {
                let candidateGrowth = growth(ready[candidate])
                if candidateGrowth < bestGrowth { (best, bestGrowth) = (candidate, candidateGrowth) }
            }
            let node = ready.remove(at: best)
            order.append(node)
            for root in Set(graph.nodes[node].operands.map({ roots[$0.id] })) { uses[root] -= 1 }
            for next in successors[node] {
                waiting[next] -= 1
                if waiting[next] == 0 {
                    ready.insert(next, at: ready.firstIndex { $0 > next } ?? ready.endIndex)
                }
            }
        }
        return order
    }
}
