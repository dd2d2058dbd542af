import Graph

/// Makes `addend ± scale · dot` one operation where the dot has no other use: a weight gradient goes straight into the update
/// or the sum it is meant for and is never stored.
///
/// The scale is 1, a constant, a scalar repeated along all axes, or a product of these. The addend is an input, or a value with
/// no other use, so that the result can be written over it; a broadcast one is better read by an elementwise region.
/// Inner products are no updates: their sums are left to elementwise regions.
public func fuseAccumulation(_ g: Graph) -> Graph {
    let uses = g.useCounts()
    let b = GraphBuilder()
    var useCount: [Value: Int] = [:]

    /// The operation that computes x, where nothing else uses it.
    func only(_ x: Value) -> Graph.Node? { useCount[x] == 1 ? b.definition(of: x) : nil }

    /// x as ±scalar · dot.
    func scaledDot(_ x: Value) -> (dot: Graph.Node, factor: Double, scalars: [Value])? {
        guard let node = only(x) else { return nil }
        switch node.operation {
        case is DotGeneral: return (node, 1, [])
        case is Negate:
            guard var inner = scaledDot(node.operands[0]) else { return nil }
            inner.factor *= -1
            return inner
        case is Multiply:
            for (scale, product) in [(0, 1), (1, 0)] {
                guard var inner = scaledDot(node.operands[product]) else { continue }
                let scale = node.operands[scale]
                if let constant = b.splat(of: scale) {
                    guard b.type(of: x).element.canCombine(inner.factor, constant) else { return nil }
                    inner.factor *= constant
                    return inner
                }
                if let broadcast = b.definition(of: scale), broadcast.operation is BroadcastInDim,
                    b.shape(of: broadcast.operands[0]).isEmpty
                {
                    inner.scalars.append(broadcast.operands[0])
                    return inner
                }
            }
            return nil
        default: return nil
        }
    }

    func isOverwritable(_ addend: Value) -> Bool {
        guard let node = b.definition(of: addend) else { return true }
        return useCount[addend] == 1 && !(node.operation is BroadcastInDim) && !(node.operation is Constant)
    }

    /// Very many terms and few results: a product by itself shares its terms out among threads, and to add it then is nothing
    /// beside it.
    func isLongSum(_ dot: DotGeneral, _ node: Graph.Node) -> Bool {
        let shape = b.shape(of: node.operands[0])
        return dot.lhsContracting.reduce(1) { $0.multipliedSaturated(by: shape[$1]) } >= 4096
            && b.type(of: node.result).count <= 1 << 16
    }

    func accumulated(_ addend: Value, _ x: Value, sign: Double) -> Value? {
        guard let (node, factor, scalars) = scaledDot(x), let dot = node.operation as? DotGeneral,
            !b.isInner(dot, node.operands), !isLongSum(dot, node), isOverwritable(addend)
        else { return nil }
        let type = TensorType(dot.result)
        var scale = scalars.reduce(nil) { product, scalar in product.map { b.multiply($0, scalar) } ?? scalar }
        if sign * factor == -1, let positive = scale {
            scale = b.negate(positive)
        } else if sign * factor != 1 || scale == nil {
            let constant = b.constant(sign * factor, type)
            scale = scale.map { b.multiply(constant, $0) } ?? constant
        }
        return scale.map { b.emit(AccumulateDot(dot: dot), node.operands[0], node.operands[1], addend, $0) }
    }

    let fused = g.rewritten(in: b) { node, operands in
        var result: Value?
        if node.operation is Add {
            result = accumulated(operands[0], operands[1], sign: 1) ?? accumulated(operands[1], operands[0], sign: 1)
        } else if node.operation is Subtract {
            result = accumulated(operands[0], operands[1], sign: -1)
        }
        let results = result.map { [$0] } ?? b.emitAll(node.operation, operands)
        for (value, original) in zip(results, node.results) { useCount[value] = uses[original] }
        return results
    }
    return eliminateDeadCode(fused)
}
