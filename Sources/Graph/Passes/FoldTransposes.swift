/// Lets contractions read transposed operands in place, and write transposed results: a `DotGeneral` names its axes, so a
/// transposition of an operand is a change of names, and one that exchanges the free axes of the result exchanges the operands.
public func foldTransposes(_ g: Graph) -> Graph {
    let uses = g.useCounts()
    let b = GraphBuilder()
    var isUsedOnce: [Value: Bool] = [:]
    return g.rewritten(in: b) { node, operands in
        var result: [Value]
        if let dot = node.operation as? DotGeneral {
            result = [b.withoutTransposes(dot, operands[0], operands[1])]
        } else if let transpose = node.operation as? Transpose, isUsedOnce[operands[0]] == true,
            let mirrored = b.mirrored(operands[0], by: transpose)
        {
            result = [mirrored]
        } else {
            result = b.emitAll(node.operation, operands)
        }
        if node.results.count == 1 { isUsedOnce[result[0]] = uses[node.result.id] == 1 }
        return result
    }
}

extension GraphBuilder {
    /// The contraction with axes of the operands' operands, where the free axes keep their order.
    fileprivate func withoutTransposes(_ dot: DotGeneral, _ x: Value, _ y: Value) -> Value {
        if let (source, permutation) = transposed(x), isIncreasing(dot.lhsFree(rank: permutation.count), permutation) {
            let folded = DotGeneral(
                lhsBatch: dot.lhsBatch.map { permutation[$0] }, rhsBatch: dot.rhsBatch,
                lhsContracting: dot.lhsContracting.map { permutation[$0] }, rhsContracting: dot.rhsContracting,
                result: dot.result)
            return withoutTransposes(folded, source, y)
        }
        if let (source, permutation) = transposed(y), isIncreasing(dot.rhsFree(rank: permutation.count), permutation) {
            let folded = DotGeneral(
                lhsBatch: dot.lhsBatch, rhsBatch: dot.rhsBatch.map { permutation[$0] },
                lhsContracting: dot.lhsContracting, rhsContracting: dot.rhsContracting.map { permutation[$0] },
                result: dot.result)
            return withoutTransposes(folded, x, source)
        }
        return emit(dot, x, y)
    }

    private func transposed(_ x: Value) -> (source: Value, permutation: [Int])? {
        guard let node = definition(of: x), let transpose = node.operation as? Transpose else { return nil }
        return (node.operands[0], transpose.permutation)
    }

    private func isIncreasing(_ axes: [Int], _ permutation: [Int]) -> Bool {
        let places = axes.map { permutation[$0] }
        return zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// The transposed contraction as a contraction, where the transposition exchanges the free axes and nothing else.
    fileprivate func mirrored(_ x: Value, by transpose: Transpose) -> Value? {
        guard let node = definition(of: x), let dot = node.operation as? DotGeneral else { return nil }
        let batch = dot.lhsBatch.count
        let left = dot.lhsFree(rank: shape(of: node.operands[0]).count).count
        let rank = shape(of: x).count
        let exchange = Array(0..<batch) + Array(batch + left..<rank) + Array(batch..<batch + left)
        return transpose.permutation == exchange ? emit(dot.mirrored, node.operands[1], node.operands[0]) : nil
    }
}
