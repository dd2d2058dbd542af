/// Contraction networks in their cheapest order.
///
/// Expressions made of contractions, sums, transpositions and scalings are viewed as Einstein sums, in which the order is open:
/// chains (A·B·C), full contractions such as ⟨AB, CD⟩, products with batch axes. Intermediates with several uses are inlined
/// into all of them where that lowers the total cost: the gradient ΔᵀX of a batch, wanted only in (ΔᵀX)x and ⟨ΔᵀX, ΔᵀX⟩,
/// disappears into the Gram matrices XXᵀ and ΔΔᵀ. Expressions that networks share are paid for once.
///
/// Sums of products that are larger than their factors are multiplied out where that is cheaper still (`distributeProducts`).
/// The graph comes back as it is where nothing is gained.
public func reassociateContractions(_ g: Graph, _ weights: CostWeights) -> Graph {
    reassociateContractions(g, weights, asking: {})
}

/// As above. `ask` is called at each intermediate that is tried: it may end all by throwing.
package func reassociateContractions(
    _ g: Graph, _ weights: CostWeights, asking ask: () throws -> Void
) rethrows -> Graph {
    // Gains must not come from what other passes remove.
    let clean = try eliminateDeadCode(eliminateCommonSubexpressions(g, asking: ask), asking: ask)
    var best = try reassociated(clean, weights, ask)
    while true {
        // Products have become contractions by now, so that sums of them are seen.
        let products = distributeProducts(best)
        let distributed = try eliminateDeadCode(eliminateCommonSubexpressions(products, asking: ask), asking: ask)
        if distributed == best { break }
        let other = try reassociated(distributed, weights, ask)
        guard other.cost().total(weights) < (1 - Association.leastGain) * best.cost().total(weights) else { break }
        best = other
    }
    return best == clean ? g : best
}

/// In the cheapest order found, step by step: an order may show the next.
private func reassociated(_ g: Graph, _ weights: CostWeights, _ ask: () throws -> Void) rethrows -> Graph {
    var best = g
    while true {
        try ask()
        var association = Association(best, weights)
        try association.chooseInlined(ask)
        guard association.isWorthwhile else { return best }
        let next = try eliminateDeadCode(
            eliminateCommonSubexpressions(association.rebuilt(), asking: ask), asking: ask)
        guard next.cost().total(weights) < (1 - Association.leastGain) * best.cost().total(weights) else { return best }
        best = next
    }
}

private struct Association {
    /// Gains below this part of the whole cost are not worth another order.
    static let leastGain = 0.01
    /// Each round looks at all intermediates again, since one that is inlined changes what another would save.
    private static let rounds = 3

    private let g: Graph
    private let weights: CostWeights
    private var ledger: ContractionLedger

    init(_ g: Graph, _ weights: CostWeights) {
        self.g = g
        self.weights = weights
        ledger = ContractionLedger(g, weights)
    }

    mutating func chooseInlined(_ ask: () throws -> Void) rethrows {
        let candidates = ledger.reader.candidates()
        for _ in 0..<Self.rounds {
            var changed = false
            for candidate in candidates {
                try ask()
                let before = ledger.cost
                ledger.toggle(candidate)
                if ledger.cost < before { changed = true } else { ledger.toggle(candidate) }
            }
            if !changed { break }
        }
    }

    var isWorthwhile: Bool { ledger.cost < (1 - Self.leastGain) * g.cost().total(weights) }

    func rebuilt() -> Graph {
        let b = GraphBuilder()
        var values: [Value?] = g.inputs.map { b.input($0.name, $0.type) }
        values += [Value?](repeating: nil, count: g.types.count - values.count)
        func made(_ value: Value) -> Value {
            guard let known = values[value.id] else { preconditionFailure("an operand comes before its node") }
            return known
        }
        var emitted: [Int: Value] = [:]
        for (index, node) in g.nodes.enumerated() where ledger.isDemanded(index) {
            if let step = ledger.step(of: index) {
                values[node.result.id] = ledger.plan.emit(step, in: b, emitted: &emitted, value: made)
            } else {
                for (result, value) in zip(node.results, b.emitAll(node.operation, node.operands.map(made))) {
                    values[result] = value
                }
            }
        }
        return b.build(outputs: g.outputs.map { ($0.name, made($0.value)) })
    }
}
