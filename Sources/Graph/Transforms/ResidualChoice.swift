/// Which values of the point a linear part keeps (residuals), and which it makes again from those: a minimum cut between what is
/// expensive to compute and what the linear operations need.
///
/// Elementwise operations and what repeats or reshapes may be made again, never contractions, convolutions, reductions, scans or
/// gathers. The cost is in bytes moved for a product: a kept value is read; one made again costs a little arithmetic where an
/// elementwise region makes it for itself, but its writing and reading where another operation needs it in memory. So operands
/// of contractions and convolutions are kept as they are.
struct ResidualChoice {
    /// Values that nodes of the linear part compute: the linear ones, and those made again there.
    private(set) var inLinear: [Bool]
    /// In the order of the graph.
    private(set) var residuals: [Value] = []

    /// - Parameter makesAgain: whether elementwise operations may be made again; otherwise only what repeats or reshapes.
    init(_ forward: Graph, isLinear: [Bool], outputs: ArraySlice<Graph.Output>, makesAgain: Bool) {
        let isMadeAgain: [Bool]
        if makesAgain {
            var network = ResidualNetwork(forward, isLinear: isLinear, outputs: outputs)
            isMadeAgain = network.solve()
        } else {
            isMadeAgain = ResidualNetwork.moved(forward)
        }
        inLinear = isLinear
        var isNeeded = [Bool](repeating: false, count: forward.types.count)
        for output in outputs { isNeeded[output.value.id] = true }
        for node in forward.nodes.reversed() where node.results.contains(where: { isNeeded[$0] || isLinear[$0] }) {
            guard isLinear[node.results.lowerBound] || isMadeAgain[node.results.lowerBound] else { continue }
            for result in node.results { inLinear[result] = true }
            for operand in node.operands { isNeeded[operand.id] = true }
        }
        residuals = isNeeded.indices.filter { isNeeded[$0] && !inLinear[$0] }.map(Value.init)
    }
}

/// The network of the cut. Each value that the linear part may need has two nodes: the first side of the one means that it is
/// computed with the point, the second side of the other that the linear part has it. So an edge from the one to the other is
/// cut where it is kept, and one from the first side where it is made again.
private struct ResidualNetwork {
    private let g: Graph
    private let isLinear: [Bool]
    /// For each value whether the linear operations need it, and whether they need it or what can be made of it.
    private var isNeeded: [Bool]
    private var isReached: [Bool]
    /// For each value whether an operation that is no part of an elementwise region reads it.
    private var isReadFromMemory: [Bool]
    private var cut = MinimumCut()
    private var heads: [Int?]
    private var tails: [Int?]

    init(_ g: Graph, isLinear: [Bool], outputs: ArraySlice<Graph.Output>) {
        self.g = g
        self.isLinear = isLinear
        isReached = [Bool](repeating: false, count: g.types.count)
        isNeeded = isReached
        isReadFromMemory = isReached
        heads = [Int?](repeating: nil, count: g.types.count)
        tails = heads
        for output in outputs {
            isNeeded[output.value.id] = true
            isReached[output.value.id] = true
            isReadFromMemory[output.value.id] = true
        }
        for node in g.nodes.reversed() {
            let isOwnLinear = isLinear[node.results.lowerBound]
            guard isOwnLinear || (isReached[node.results.lowerBound] && Self.work(of: node.operation) != nil) else {
                continue
            }
            let isRegion = type(of: node.operation).isElementwise
            let passesOn = !isOwnLinear && !isRegion && isReadFromMemory[node.results.lowerBound]
            for operand in node.operands {
                isReached[operand.id] = true
                if isOwnLinear { isNeeded[operand.id] = true }
                if (isOwnLinear && !isRegion) || passesOn { isReadFromMemory[operand.id] = true }
            }
        }
    }

    /// For each value whether it is made again.
    mutating func solve() -> [Bool] {
        for input in g.inputs.indices where isReached[input] && !isLinear[input] { addFixed(input) }
        for node in g.nodes where !isLinear[node.results.lowerBound] {
            guard let work = Self.work(of: node.operation) else {
                for result in node.results where isReached[result] { addFixed(result) }
                continue
            }
            let result = node.result.id
            // What is made of nothing is never kept: it needs no nodes.
            if node.operands.isEmpty || !isReached[result] { continue }
            let isMoved = Self.isMoved(node.operation)
            let head = addValue(
                result, keep: isMoved ? MinimumCut.infinite : capacity(of: result, times: Self.unit))
            let making = isReadFromMemory[result] && !isMoved ? capacity(of: result, times: 2 * Self.unit) : 0
            cut.addEdge(
                from: MinimumCut.first, to: head, capacity: making.addingSaturated(capacity(of: result, times: work)))
            for operand in Set(node.operands).sorted() {
                if let made = tails[operand.id] { cut.addEdge(from: made, to: head, capacity: MinimumCut.infinite) }
            }
        }
        for value in tails.indices where isNeeded[value] {
            if let tail = tails[value] { cut.addEdge(from: tail, to: MinimumCut.second, capacity: MinimumCut.infinite) }
        }
        let isWithPoint = cut.solve()
        return g.types.indices.map { value in heads[value].map { !isWithPoint[$0] } ?? true }
    }

    /// What is made of nothing or repeats or reshapes.
    static func moved(_ g: Graph) -> [Bool] {
        var isMoved = [Bool](repeating: false, count: g.types.count)
        for node in g.nodes where work(of: node.operation) == 0 { isMoved[node.results.lowerBound] = true }
        return isMoved
    }

    private mutating func addValue(_ value: Int, keep: Int) -> Int {
        let (head, tail) = (cut.addNode(), cut.addNode())
        (heads[value], tails[value]) = (head, tail)
        cut.addEdge(from: head, to: tail, capacity: keep)
        return head
    }

    /// A value that is computed with the point in any case.
    private mutating func addFixed(_ value: Int) {
        let head = addValue(value, keep: capacity(of: value, times: Self.unit))
        cut.addEdge(from: MinimumCut.first, to: head, capacity: MinimumCut.infinite)
    }

    /// The value's bytes times a factor; at least 1, so that of equal choices that with the fewest values is taken.
    private func capacity(of value: Int, times factor: Int) -> Int {
        let bytes = g.types[value].count.multipliedSaturated(by: g.types[value].element.byteCount)
        return min(max(1, bytes.multipliedSaturated(by: factor)), MinimumCut.infinite / 4)
    }

    /// Capacities count parts of a byte: a sixteenth.
    private static let unit = 16

    private static func isMoved(_ operation: any Operation) -> Bool {
        operation.facts.remaking == .nothing
    }

    /// What it costs an elementwise region to make a value again, in sixteenths of moving it; `nil` for what is never made again.
    private static func work(of operation: any Operation) -> Int? {
        switch operation.facts.remaking {
        case .nothing: 0
        case .light: 1
        case .division: 4
        case .function: 32
        case .never: nil
        }
    }
}
