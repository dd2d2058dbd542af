import Graph

/// Inner products along axes that are not the innermost, or of what elementwise operations compute, as sums of products: a region
/// takes them on its walk. As contractions they would need their operands in memory, the contracted axes innermost.
///
/// A late pass: contractions are put in their order first.
func expandInnerProducts(_ g: Graph) -> Graph {
    let b = GraphBuilder()
    return eliminateDeadCode(
        g.rewritten(in: b) { node, operands in
            guard let dot = node.operation as? DotGeneral, !dot.lhsBatch.isEmpty, b.isInner(dot, operands),
                dot.lhsBatch == dot.rhsBatch, dot.lhsBatch == dot.lhsBatch.sorted(),
                zip(dot.lhsContracting, dot.rhsContracting).allSatisfy({ $0 == $1 })
            else { return b.emitAll(node.operation, operands) }
            let sum = ReduceSum(dimensions: dot.lhsContracting.sorted())
            let shape = b.shape(of: operands[0])
            let innermost = shape.indices.last { shape[$0] != 1 }
            let isStrided = innermost.map { !dot.lhsContracting.contains($0) } ?? false
            guard isStrided || operands.contains(where: b.isComputedByRegion),
                RegionReduction(sum, of: b.type(of: operands[0])) != nil
            else { return b.emitAll(dot, operands) }
            // Products are rounded to the operands' element and summed in f64, as kernels for contractions do it.
            let product = operands[0] == operands[1] ? b.square(operands[0]) : b.multiply(operands[0], operands[1])
            return [b.emit(sum, b.convert(product, to: dot.result))]
        })
}

extension GraphBuilder {
    fileprivate func isComputedByRegion(_ x: Value) -> Bool {
        guard let operation = definition(of: x)?.operation else { return false }
        return Swift.type(of: operation).isElementwise || operation is BroadcastInDim
    }
}
