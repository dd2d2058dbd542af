import Graph

/// Accumulates inner products of f32 tensors in f64: contractions that leave batch axes at most. Their parts cancel (per-sample
/// gradients in ‖g‖² and gᵀHg) while their results are few numbers. What adds and scales such sums on the way to an f64 value
/// works in f64 too.
public func widenSums(_ g: Graph) -> Graph {
    let b = GraphBuilder()
    // Where only part of a sum is wide, what was made of it on the way is not needed.
    return eliminateDeadCode(
        g.rewritten(in: b) { node, operands in
            if let dot = node.operation as? DotGeneral, dot.result == .f32, b.isInner(dot, operands) {
                return [b.convert(b.emit(dot.widened, operands[0], operands[1]), to: .f32)]
            }
            if let convert = node.operation as? Convert, convert.to == .f64, let wide = b.wideSum(operands[0]) {
                return [wide]
            }
            return b.emitAll(node.operation, operands)
        })
}

extension DotGeneral {
    fileprivate var widened: DotGeneral {
        DotGeneral(
            lhsBatch: lhsBatch, rhsBatch: rhsBatch, lhsContracting: lhsContracting, rhsContracting: rhsContracting,
            result: .f64)
    }
}

extension GraphBuilder {
    /// Whether every axis is a batch axis or contracted.
    func isInner(_ dot: DotGeneral, _ operands: [Value]) -> Bool {
        dot.lhsFree(rank: shape(of: operands[0]).count).isEmpty
            && dot.rhsFree(rank: shape(of: operands[1]).count).isEmpty
    }

    /// An f32 value in f64, where it is made of sums that are in f64 before they are rounded; `nil` where it is not.
    fileprivate func wideSum(_ x: Value) -> Value? {
        guard type(of: x).element == .f32, let node = definition(of: x) else { return nil }
        switch node.operation {
        case is Convert:
            return type(of: node.operands[0]).element == .f64 ? node.operands[0] : nil
        case is Negate, is Add, is Subtract:
            let operands = node.operands.compactMap(wideSum)
            return operands.count == node.operands.count ? emitAll(node.operation, operands)[0] : nil
        case is Multiply:
            for (scale, sum) in [(0, 1), (1, 0)] {
                if let factor = splat(of: node.operands[scale]), let wide = wideSum(node.operands[sum]) {
                    return self.scale(wide, by: factor)
                }
            }
            return nil
        case is ReduceSum: return convert(x, to: .f64)
        default: return nil
        }
    }
}
