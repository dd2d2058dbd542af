/// Lets contractions read transposed operands in place, and write transposed results: a `DotGeneral` names its axes, so a
/// transposition of an operand is a change of names, and one that exchanges the free axes of the result exchanges the operands.
/// A `Convolution` names its axes too, in any order: it takes any transposition of an operand, and of its result those that
/// leave each axis among those of its role.
public func foldTransposes(_ g: Graph) -> Graph {
    let uses = g.useCounts()
    let b = GraphBuilder()
    var isUsedOnce: [Value: Bool] = [:]
    return g.rewritten(in: b) { node, operands in
        var result: [Value]
        if let dot = node.operation as? DotGeneral {
            result = [b.withoutTransposes(dot, operands[0], operands[1])]
        } else if let convolution = node.operation as? Convolution {
            result = [b.withoutTransposes(convolution, operands[0], operands[1])]
        } else if let transpose = node.operation as? Transpose, isUsedOnce[operands[0]] == true,
            let folded = b.mirrored(operands[0], by: transpose) ?? b.reordered(operands[0], by: transpose)
        {
            result = [folded]
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

    /// The convolution with axes of the operands' operands.
    fileprivate func withoutTransposes(_ convolution: Convolution, _ x: Value, _ w: Value) -> Value {
        if let (source, permutation) = transposed(x) {
            return withoutTransposes(convolution.reading(lhs: permutation), source, w)
        }
        if let (source, permutation) = transposed(w) {
            return withoutTransposes(convolution.reading(rhs: permutation), x, source)
        }
        return emit(convolution, x, w)
    }

    /// The transposed convolution as a convolution, where the transposition keeps the axes of each role together.
    fileprivate func reordered(_ x: Value, by transpose: Transpose) -> Value? {
        guard let node = definition(of: x), let convolution = node.operation as? Convolution else { return nil }
        return convolution.writing(transpose.permutation).map { emit($0, node.operands[0], node.operands[1]) }
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

extension Convolution {
    /// The same for data whose axis i is axis `permutation[i]` of what is read instead.
    func reading(lhs permutation: [Int]) -> Convolution {
        Convolution(lhs: lhs.mapped { permutation[$0] }, rhs: rhs, windows: windows)
    }
    /// The same for a kernel whose axis i is axis `permutation[i]` of what is read instead.
    func reading(rhs permutation: [Int]) -> Convolution {
        Convolution(lhs: lhs, rhs: rhs.mapped { permutation[$0] }, windows: windows)
    }

    /// The convolution whose result is the transposed result of this one; `nil` where an axis would leave those of its role.
    func writing(_ permutation: [Int]) -> Convolution? {
        let (batch, lhsFree, spatial, rhsFree) = resultAxes
        for role in [batch, lhsFree, spatial, rhsFree] where !permutation[role].allSatisfy(role.contains) { return nil }
        func reordered(_ axes: [Int], _ role: Range<Int>) -> [Int] {
            permutation[role].map { axes[$0 - role.lowerBound] }
        }
        var (left, right) = (lhs, rhs)
        left.batch = reordered(lhs.batch, batch)
        right.batch = reordered(rhs.batch, batch)
        left.free = reordered(lhs.free, lhsFree)
        right.free = reordered(rhs.free, rhsFree)
        left.spatial = reordered(lhs.spatial, spatial)
        right.spatial = reordered(rhs.spatial, spatial)
        return Convolution(
            lhs: left, rhs: right, windows: permutation[spatial].map { windows[$0 - spatial.lowerBound] })
    }
}
