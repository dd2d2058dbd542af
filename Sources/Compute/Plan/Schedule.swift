import Graph

/// The order in which a plan executes the nodes of a graph.
struct Schedule {
    /// Node numbers in order.
    let order: [Int]
    /// Outputs, by number, that may be written straight over the input they are donated, because all other readers of that
    /// input come before the node that writes it.
    let inPlaceOutputs: Set<Int>

    /// - Parameters:
    ///   - roots: for each value, the value whose memory it is (reshapes share their operand's).
    ///   - donations: output number → input number.
    ///   - ask: called now and then; it may end all by throwing.
    init(_ graph: Graph, roots: [Int], donations: [Int: Int], asking ask: () throws -> Void = {}) throws {
        var dependencies = Dependencies(graph)
        try ask()
        inPlaceOutputs = dependencies.add(donations, in: graph, roots: roots)
        try ask()
        let ready = ReadyNodes(graph, roots: roots, dependencies)
        try ask()
        order = try ready.ordered(asking: ask)
    }
}

/// Which nodes come before which.
private struct Dependencies {
    private(set) var successors: [[Int]]
    /// How many nodes each waits for.
    private(set) var waiting: [Int]
    /// The node that gives each value; −1 for inputs.
    private let producers: [Int]

    init(_ graph: Graph) {
        var producers = [Int](repeating: -1, count: graph.types.count)
        for (index, node) in graph.nodes.enumerated() {
            for result in node.results { producers[result] = index }
        }
        self.producers = producers
        successors = [[Int]](repeating: [], count: graph.nodes.count)
        waiting = [Int](repeating: 0, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for producer in node.operands.map({ producers[$0.id] }).distinct where producer >= 0 {
                add(producer, before: index)
            }
        }
    }

    private mutating func add(_ from: Int, before to: Int) {
        successors[from].append(to)
        waiting[to] += 1
    }

    /// Lets the node that writes a donated output wait for all that read the input, where no reader waits for it.
    /// Returns the outputs where that is so.
    mutating func add(_ donations: [Int: Int], in graph: Graph, roots: [Int]) -> Set<Int> {
        guard !donations.isEmpty else { return [] }
        var readers = [[Int]](repeating: [], count: graph.inputs.count)
        for (index, node) in graph.nodes.enumerated() {
            for root in node.operands.map({ roots[$0.id] }).distinct where root < readers.count {
                readers[root].append(index)
            }
        }
        var inPlace: Set<Int> = []
        for (output, input) in donations.sorted(by: { $0.key < $1.key }) {
            let writer = producers[roots[graph.outputs[output].value.id]]
            guard writer >= 0 else { continue }
            let before = readers[input].filter { $0 != writer }
            let reached = reachable(from: writer)
            guard !before.contains(where: { reached[$0] }) else { continue }
            for reader in before { add(reader, before: writer) }
            inPlace.insert(output)
        }
        return inPlace
    }

    private func reachable(from start: Int) -> [Bool] {
        var seen = [Bool](repeating: false, count: successors.count)
        seen[start] = true
        var stack = [start]
        while let node = stack.popLast() {
            for next in successors[node] where !seen[next] {
                seen[next] = true
                stack.append(next)
            }
        }
        return seen
    }
}

/// The nodes that wait for nothing, in the order in which they should run: first the one that shrinks most what is alive, then
/// the first in the graph's order.
///
/// What a node frees grows while others run: it frees a value once it is the last to read it. Then it is entered again, and its
/// older entries, which promise less, are passed over.
private struct ReadyNodes {
    private struct Entry: Comparable {
        /// Bytes that running the node adds to what is alive, if that is less than none.
        let growth: Int
        let node: Int

        static func < (a: Self, b: Self) -> Bool { (a.growth, a.node) < (b.growth, b.node) }
    }

    private let graph: Graph
    private let successors: [[Int]]
    private var waiting: [Int]
    /// For each node, the values whose memory it reads.
    private let read: [[Int]]
    /// For each value, how many nodes have yet to read its memory, and the sum of their numbers: of a single one, its number.
    private var readers: [(count: Int, sum: Int)]
    /// Bytes of each value. Inputs and outputs are the caller's memory: they cost nothing.
    private let bytes: [Int]
    private var entries = Heap<Entry>()

    init(_ graph: Graph, roots: [Int], _ dependencies: Dependencies) {
        self.graph = graph
        successors = dependencies.successors
        waiting = dependencies.waiting
        read = graph.nodes.map { node in node.operands.map { roots[$0.id] }.distinct }
        readers = [(Int, Int)](repeating: (0, 0), count: graph.types.count)
        for (index, roots) in read.enumerated() {
            for root in roots { readers[root] = (readers[root].count + 1, readers[root].sum + index) }
        }
        var isFree = [Bool](repeating: false, count: graph.types.count)
        for output in graph.outputs { isFree[roots[output.value.id]] = true }
        bytes = graph.types.enumerated().map { value, type in
            value < graph.inputs.count || isFree[value] || roots[value] != value
                ? 0 : type.elements &* type.element.byteCount
        }
        for node in graph.nodes.indices where waiting[node] == 0 { enter(node) }
    }

    private mutating func enter(_ node: Int) {
        let made = graph.nodes[node].results.reduce(0) { $0 &+ bytes[$1] }
        let freed = read[node].reduce(0) { $0 &+ (readers[$1].count == 1 ? bytes[$1] : 0) }
        entries.push(Entry(growth: min(0, made &- freed), node: node))
    }

    /// All nodes in their order.
    consuming func ordered(asking ask: () throws -> Void) rethrows -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(graph.nodes.count)
        var hasRun = [Bool](repeating: false, count: graph.nodes.count)
        while let node = entries.pop()?.node {
            if hasRun[node] { continue }
            if order.count % Self.nodesBetweenQuestions == 0 { try ask() }
            hasRun[node] = true
            order.append(node)
            for root in read[node] {
                readers[root] = (readers[root].count - 1, readers[root].sum - node)
                if readers[root].count == 1 && waiting[readers[root].sum] == 0 { enter(readers[root].sum) }
            }
            for next in successors[node] {
                waiting[next] -= 1
                if waiting[next] == 0 { enter(next) }
            }
        }
        return order
    }

    private static let nodesBetweenQuestions = 1024
}

extension [Int] {
    /// Each element once, in order of its first place.
    fileprivate var distinct: [Int] {
        // Most operations have one or two operands; a concatenation may have thousands.
        if count <= 8 {
            var result: [Int] = []
            for element in self where !result.contains(element) { result.append(element) }
            return result
        }
        var seen: Set<Int> = []
        return filter { seen.insert($0).inserted }
    }
}
