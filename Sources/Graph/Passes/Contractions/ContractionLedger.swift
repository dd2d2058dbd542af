/// What computing a graph's outputs costs while intermediates are inlined and taken back: each step of a contraction once, and
/// each other operation. A change is paid for where it has consequences, not by counting everything again.
struct ContractionLedger {
    let reader: ContractionReader
    private(set) var plan = ContractionPlan()
    private(set) var inlined: Set<Value> = []

    /// How a node's value is computed.
    private struct Computation {
        /// The step of the plan, and the values it reads; `nil` where the operation is done as it is.
        var step: Int?
        var leaves: [Value]
    }

    private let g: Graph
    private let weights: CostWeights
    private var known: [ContractionNetwork: Int] = [:]
    /// For each node, how many demanded computations and outputs read its results.
    private var demands: [Int]
    /// Of the nodes that are demanded.
    private var computations: [Computation?]
    /// For each step, how many demanded computations and other steps that are paid for read it.
    private var payments: [Int] = []
    /// For each candidate the nodes whose networks have come to it, some perhaps no longer.
    private var readers: [Value: Set<Int>] = [:]
    private var multiplyAdds = 0.0
    private var elements = 0.0
    /// Nodes whose demand has begun or ended, to be followed up.
    private var pending: [Int] = []

    init(_ g: Graph, _ weights: CostWeights) {
        self.g = g
        self.weights = weights
        reader = ContractionReader(g)
        demands = [Int](repeating: 0, count: g.nodes.count)
        computations = [Computation?](repeating: nil, count: g.nodes.count)
        for output in g.outputs { demand(output.value, 1) }
        // Operands come before their nodes, so each is met when all that reads it is known.
        pending = []
        for node in g.nodes.indices.reversed() where demands[node] > 0 { begin(node) }
        pending = []
    }

    /// In multiply-adds; exact as long as counts are below 2⁵³.
    var cost: Double { multiplyAdds + weights.multiplyAddsPerElement * elements }

    func isDemanded(_ node: Int) -> Bool { demands[node] > 0 }

    /// The step that computes a demanded node; `nil` where the operation is done as it is.
    func step(of node: Int) -> Int? { computations[node]?.step }

    /// Inlines an intermediate into all networks that read it, or takes it back.
    mutating func toggle(_ candidate: Value) {
        inlined.formSymmetricDifference([candidate])
        let affected = (readers[candidate] ?? []).sorted().filter { demands[$0] > 0 }
        // What is new is demanded before what is old is given up: what both need stays as it is.
        let old = affected.map { computations[$0] }
        for node in affected { begin(node) }
        for case let computation? in old { count(computation, -1) }
        for case (let node, let computation?) in zip(affected, old) where computation.step == nil {
            add(g.cost(of: g.nodes[node]), -1)
        }
        settle()
    }

    /// Follows up demands that have begun or ended.
    private mutating func settle() {
        while let node = pending.popLast() {
            if demands[node] > 0, computations[node] == nil {
                begin(node)
            } else if demands[node] == 0, let computation = computations[node] {
                computations[node] = nil
                if computation.step == nil { add(g.cost(of: g.nodes[node]), -1) }
                count(computation, -1)
            }
        }
    }

    // MARK: Counting

    /// Chooses how a demanded node is computed, and counts that.
    private mutating func begin(_ index: Int) {
        let computation = computation(of: index)
        computations[index] = computation
        if computation.step == nil { add(g.cost(of: g.nodes[index]), 1) }
        count(computation, 1)
    }

    private mutating func count(_ computation: Computation, _ change: Int) {
        if let step = computation.step { pay(step, change) }
        for leaf in computation.leaves { demand(leaf, change) }
    }

    private mutating func demand(_ value: Value, _ change: Int) {
        guard let node = reader.producers[value.id] else { return }
        demands[node] += change
        if demands[node] == (change > 0 ? 1 : 0) { pending.append(node) }
    }

    private mutating func pay(_ step: Int, _ change: Int) {
        if payments.count < plan.steps.count {
            payments += [Int](repeating: 0, count: plan.steps.count - payments.count)
        }
        payments[step] += change
        guard payments[step] == (change > 0 ? 1 : 0) else { return }
        add(plan.cost(of: step), Double(change))
        for operand in plan.operands(of: step) { pay(operand, change) }
    }

    private mutating func add(_ cost: Cost, _ factor: Double) {
        multiplyAdds += factor * Double(cost.multiplyAdds)
        elements += factor * Double(cost.elements)
    }

    // MARK: Networks

    private mutating func computation(of index: Int) -> Computation {
        let node = g.nodes[index]
        if node.results.count == 1, let (value, element) = root(of: node) {
            let (network, visited) = reader.network(of: value, as: element, inlined: inlined)
            for candidate in visited { readers[candidate, default: []].insert(index) }
            if !network.factors.isEmpty {
                return Computation(step: step(network), leaves: network.factors.map(\.value))
            }
        }
        return Computation(step: nil, leaves: node.operands)
    }

    private mutating func step(_ network: ContractionNetwork) -> Int {
        if let step = known[network] { return step }
        let step = ContractionSchedule(network, weights: weights, types: g.type).add(to: &plan)
        known[network] = step
        return step
    }

    /// The value computed as a network of its own, and in which element, that a node's result is: itself, or what it is the
    /// wider copy of.
    private func root(of node: Graph.Node) -> (value: Value, element: ElementType)? {
        let element = g.type(of: node.result).element
        if reader.isRoot(node.result) { return (node.result, element) }
        if element == .f64, node.operation is Convert, reader.isRoot(node.operands[0]) {
            return (node.operands[0], .f64)
        }
        return nil
    }
}
