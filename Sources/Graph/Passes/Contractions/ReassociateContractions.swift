/// Contraction networks in their cheapest order.
///
/// Expressions made of contractions, sums, transpositions and scalings are viewed as Einstein sums, in which the order is open:
/// chains (A·B·C), full contractions such as ⟨AB, CD⟩, products with batch axes. Intermediates with several uses are inlined
/// into all of them where that lowers the total cost: the gradient ΔᵀX of a batch, wanted only in (ΔᵀX)x and ⟨ΔᵀX, ΔᵀX⟩,
/// disappears into the Gram matrices XXᵀ and ΔΔᵀ. Expressions that networks share are paid for once.
///
/// Sums of products that are larger than their factors are multiplied out where that is cheaper still (`distributeProducts`).
/// The graph comes back as it is where nothing is gained.
public func reassociateContractions(_ g: Graph) -> Graph {
    // Gains must not come from what other passes remove.
    let clean = eliminateDeadCode(eliminateCommonSubexpressions(g))
    var best = reassociated(clean)
    while true {
        // Products have become contractions by now, so that sums of them are seen.
        let distributed = eliminateDeadCode(eliminateCommonSubexpressions(distributeProducts(best)))
        if distributed == best { break }
        let other = reassociated(distributed)
        guard other.cost().total < (1 - Association.leastGain) * best.cost().total else { break }
        best = other
    }
    return best == clean ? g : best
}

/// In the cheapest order found, step by step: an order may show the next.
private func reassociated(_ g: Graph) -> Graph {
    var best = g
    while true {
        var association = Association(best)
        association.chooseInlined()
        guard association.isWorthwhile else { return best }
        let next = eliminateDeadCode(eliminateCommonSubexpressions(association.rebuilt()))
        guard next.cost().total < (1 - Association.leastGain) * best.cost().total else { return best }
        best = next
    }
}

private struct Association {
    /// Gains below this part of the whole cost are not worth another order.
    static let leastGain = 0.01
    /// Each round looks at all intermediates again, since one that is inlined changes what another would save.
    private static let rounds = 3

    private let g: Graph
    private let reader: ContractionReader
    private var plan = ContractionPlan()
    private var known: [ContractionNetwork: Int] = [:]
    private var inlined: Set<Value> = []
    private var cost: Double = .infinity

    init(_ g: Graph) {
        self.g = g
        reader = ContractionReader(g)
        cost = totalCost(inlined)
    }

    mutating func chooseInlined() {
        let candidates = reader.candidates()
        for _ in 0..<Self.rounds {
            let before = inlined
            for candidate in candidates {
                let changed = inlined.symmetricDifference([candidate])
                let changedCost = totalCost(changed)
                if changedCost < cost { (inlined, cost) = (changed, changedCost) }
            }
            if inlined == before { break }
        }
    }

    var isWorthwhile: Bool { cost < (1 - Self.leastGain) * g.cost().total }

    /// A value computed as a network of its own, in some element.
    private struct Root: Hashable {
        let value: Value
        let element: ElementType
    }

    /// The root that computes a value, if one does: the value itself, or what it is the wider copy of.
    private func root(of value: Value) -> Root? {
        if reader.isRoot(value) { return Root(value: value, element: g.type(of: value).element) }
        if g.type(of: value).element == .f64, let node = reader.node(of: value), node.operation is Convert,
            reader.isRoot(node.operands[0])
        {
            return Root(value: node.operands[0], element: .f64)
        }
        return nil
    }

    /// The step that computes a root, given what is inlined.
    private mutating func step(of root: Root, _ inlined: Set<Value>) -> (step: Int, leaves: [Value])? {
        let network = reader.network(of: root.value, as: root.element, inlined: inlined)
        if network.factors.isEmpty { return nil }
        let leaves = network.factors.map(\.value)
        if let step = known[network] { return (step, leaves) }
        let step = ContractionSchedule(network, types: g.type).add(to: &plan)
        known[network] = step
        return (step, leaves)
    }

    /// What computing the outputs costs: each step once, and each other operation.
    private mutating func totalCost(_ inlined: Set<Value>) -> Double {
        var total = Cost()
        var isDemanded = [Bool](repeating: false, count: g.types.count)
        var isPaid = Set<Int>()
        func pay(_ step: Int, _ plan: ContractionPlan) {
            guard isPaid.insert(step).inserted else { return }
            total = total + plan.cost(of: step)
            for operand in plan.operands(of: step) { pay(operand, plan) }
        }
        for output in g.outputs { isDemanded[output.value.id] = true }
        for node in g.nodes.reversed() where node.results.contains(where: { isDemanded[$0] }) {
            if node.results.count == 1, let root = root(of: node.result), let (step, leaves) = step(of: root, inlined) {
                pay(step, plan)
                for leaf in leaves { isDemanded[leaf.id] = true }
            } else {
                total = total + g.cost(of: node)
                for operand in node.operands { isDemanded[operand.id] = true }
            }
        }
        return total.total
    }

    func rebuilt() -> Graph {
        var copy = self
        let b = GraphBuilder()
        var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
        values += [Value?](repeating: nil, count: g.types.count - values.count)
        var emitted: [Int: Value] = [:]

        func need(_ value: Value) -> Value {
            if let known = values[value.id] { return known }
            guard let node = reader.node(of: value) else { preconditionFailure("an input has a value") }
            if let root = copy.root(of: value), let (step, leaves) = copy.step(of: root, inlined) {
                for leaf in leaves { _ = need(leaf) }
                let result = copy.plan.emit(step, in: b, emitted: &emitted) { leaf in
                    guard let known = values[leaf.id] else { preconditionFailure("a leaf was just made") }
                    return known
                }
                values[value.id] = result
                return result
            }
            let results = b.emitAll(node.operation, node.operands.map(need))
            for (result, made) in zip(node.results, results) { values[result] = made }
            return results[value.id - node.results.lowerBound]
        }
        return b.build(outputs: g.outputs.map { ($0.name, need($0.value)) })
    }
}
