/// Multiplies out sums of tensors that are larger than what they are made of: (A∘B + C∘D)·x becomes (A∘B)·x + (C∘D)·x, in which
/// neither product need be formed. Such sums come from weights used twice (their gradient is a sum of products), from products
/// written out with repeated operands, from penalties added to a loss.
///
/// Not always cheaper: `reassociateContractions` takes it where it is.
func distributeProducts(_ g: Graph) -> Graph {
    let distribution = Distribution()
    return g.rewritten(in: distribution.b) { node, operands in
        node.results.count == 1
            ? [distribution.make(node.operation, operands)] : distribution.b.emitAll(node.operation, operands)
    }
}

private struct Distribution {
    let b = GraphBuilder()

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
        (node.operation is Add || node.operation is Subtract) && node.operands.allSatisfy(isLarge)
    }

    /// Whether a value has more elements than each of the tensors that it is a product of, or is a sum of such values.
    private func isLarge(_ value: Value) -> Bool {
        guard let node = b.definition(of: value) else { return false }
        let own = b.type(of: value).count
        switch node.operation {
        case is Transpose, is Negate, is Convert, is Reshape: return isLarge(node.operands[0])
        case is BroadcastInDim: return b.type(of: node.operands[0]).count < own
        case is DotGeneral: return node.operands.allSatisfy { b.type(of: $0).count < own }
        case is Multiply:
            if let splat = node.operands.firstIndex(where: { b.splat(of: $0) != nil }) {
                return isLarge(node.operands[1 - splat])
            }
            return node.operands.allSatisfy { b.definition(of: $0)?.operation is BroadcastInDim && isLarge($0) }
        case is Add, is Subtract: return isLargeSum(node)
        default: return false
        }
    }
}
