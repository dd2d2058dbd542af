/// Multiplies out sums of tensors that are larger than what they are made of: (A∘B + C∘D)·x becomes (A∘B)·x + (C∘D)·x, in which
/// neither product need be formed. Such sums come from weights used twice (their gradient is a sum of products), from products
/// written out with repeated operands, from penalties added to a loss. One of the terms may be an input, which is there anyway: at
/// weights W + c·δᵀA, moved along the gradient of a batch of b samples, (W + c·δᵀA)x is Wx + c·δᵀ(Ax), in which the move has rank b.
///
/// Not always cheaper: `reassociateContractions` takes it where it is.
func distributeProducts(_ g: Graph) -> Graph {
    let distribution = Distribution()
    return g.rewritten(in: distribution.b) { node, operands in
        node.results.count == 1
            ? [distribution.make(node.operation, operands)] : distribution.b.emitAll(node.operation, operands)
    }
}

private final class Distribution {
    let b = GraphBuilder()
    /// What is known of values: sums share their terms.
    private var largeness: [Value: Bool] = [:]

    func make(_ operation: any Operation, _ operands: [Value]) -> Value {
        for place in linearPlaces(operation, operands) {
            guard let sum = b.definition(of: operands[place]), isLargeSum(sum) else { continue }
            let terms = sum.operands.map { term in
                var replaced = operands
                replaced[place] = term
                return make(operation, replaced)
            }
            return make(sum.operation, terms)
        }
        return b.emitAll(operation, operands)[0]
    }

    /// The operands in which an operation is linear, each by itself, and after which a sum may be taken.
    private func linearPlaces(_ operation: any Operation, _ operands: [Value]) -> [Int] {
        switch operation {
        case is Transpose, is Negate, is ReduceSum, is Reshape: [0]
        case is DotGeneral: [0, 1]
        case is Multiply: operands.indices.filter { b.splat(of: operands[1 - $0]) != nil }
        case let convert as Convert: convert.to.isFloating && b.type(of: operands[0]).element.isFloating ? [0] : []
        default: []
        }
    }

    private func isLargeSum(_ node: Graph.Node) -> Bool {
        (node.operation is Add || node.operation is Subtract) && node.operands.contains(where: isLarge)
            && node.operands.allSatisfy { isLarge($0) || isInput($0) }
    }

    private func isInput(_ value: Value) -> Bool {
        guard let node = b.definition(of: value) else { return b.splat(of: value) == nil }
        return node.operation is Transpose && isInput(node.operands[0])
    }

    /// Whether a value has more elements than each of the tensors that it is a product of, or is a sum of such values.
    private func isLarge(_ value: Value) -> Bool {
        if let known = largeness[value] { return known }
        let found = b.definition(of: value).map { isLarge($0, count: b.type(of: value).count) } ?? false
        largeness[value] = found
        return found
    }

    private func isLarge(_ node: Graph.Node, count own: Int) -> Bool {
        switch node.operation {
        case is Transpose, is Negate, is Convert, is Reshape: return isLarge(node.operands[0])
        case is BroadcastInDim: return b.type(of: node.operands[0]).count < own
        case is DotGeneral: return node.operands.allSatisfy { b.type(of: $0).count < own }
        case is Multiply:
            if let splat = node.operands.firstIndex(where: { b.splat(of: $0) != nil }) {
                return isLarge(node.operands[1 - splat])
            }
            let repeated = node.operands.indices.filter {
                b.definition(of: node.operands[$0])?.operation is BroadcastInDim && isLarge(node.operands[$0])
            }
            return repeated.count == 2 || repeated.count == 1 && isLarge(node.operands[1 - repeated[0]])
        case is Add, is Subtract: return isLargeSum(node)
        default: return false
        }
    }
}
