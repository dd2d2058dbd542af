/// The contraction of two tensors: a sum over pairs of axes, element by element along pairs of batch axes.
/// The result's axes are the batch axes, then the free axes of the left operand, then those of the right.
///
/// `result` may be wider than the operands: f32 operands with an f64 result are multiplied and accumulated in f64, as sums
/// that cancel need. An implementation may add f32 products in f32 lanes that it empties into f64 every few hundred terms.
public struct DotGeneral: Operation {
    public static let mnemonic = "dot_general"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled)
    public let lhsBatch: [Int]
    public let rhsBatch: [Int]
    public let lhsContracting: [Int]
    public let rhsContracting: [Int]
    public let result: ElementType

    public init(
        lhsBatch: [Int] = [], rhsBatch: [Int] = [], lhsContracting: [Int], rhsContracting: [Int], result: ElementType
    ) {
        self.lhsBatch = lhsBatch
        self.rhsBatch = rhsBatch
        self.lhsContracting = lhsContracting
        self.rhsContracting = rhsContracting
        self.result = result
    }

    public var attributes: String {
        (lhsBatch.isEmpty ? "" : "batch = \(lhsBatch) x \(rhsBatch), ")
            + "contracting = \(lhsContracting) x \(rhsContracting)"
    }

    /// The left operand's axes that are neither batch nor contracted, in order.
    public func lhsFree(rank: Int) -> [Int] {
        (0..<rank).filter { !lhsBatch.contains($0) && !lhsContracting.contains($0) }
    }
    /// The right operand's axes that are neither batch nor contracted, in order.
    public func rhsFree(rank: Int) -> [Int] {
        (0..<rank).filter { !rhsBatch.contains($0) && !rhsContracting.contains($0) }
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        let (x, y) = (operands[0], operands[1])
        if x.element != y.element || !x.element.isFloating {
            throw GraphError("dot_general takes two operands of one real element, not \(x) and \(y)")
        }
        if result != x.element && result != .f64 {
            throw GraphError("dot_general of \(x.element.rawValue) cannot give \(result.rawValue)")
        }
        for (axes, type) in [(lhsBatch + lhsContracting, x), (rhsBatch + rhsContracting, y)] {
            if Set(axes).count != axes.count || !axes.allSatisfy(type.shape.indices.contains) {
                throw GraphError("dot_general: \(type) has no distinct axes \(axes)")
            }
        }
        if lhsBatch.map({ x.shape[$0] }) != rhsBatch.map({ y.shape[$0] })
            || lhsContracting.map({ x.shape[$0] }) != rhsContracting.map({ y.shape[$0] })
        {
            throw GraphError("dot_general {\(attributes)}: extents of \(x) and \(y) differ")
        }
        let shape =
            lhsBatch.map { x.shape[$0] } + lhsFree(rank: x.rank).map { x.shape[$0] }
            + rhsFree(rank: y.rank).map { y.shape[$0] }
        return [TensorType(result, shape)]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let (x, y) = (operands[0], operands[1])
        func places(_ tensor: Tensor, _ axes: [Int]) -> [Int] {
            let strides = Places.strides(tensor.type.shape)
            return Places.offsets(shape: axes.map { tensor.type.shape[$0] }, strides: axes.map { strides[$0] })
        }
        let contracted = Array(zip(places(x, lhsContracting), places(y, rhsContracting)))
        let (rows, columns) = (places(x, lhsFree(rank: x.type.rank)), places(y, rhsFree(rank: y.type.rank)))
        var result: [Double] = []
        result.reserveCapacity(types[0].count)
        for (xBatch, yBatch) in zip(places(x, lhsBatch), places(y, rhsBatch)) {
            for row in rows {
                for column in columns {
                    var sum = 0.0
                    for (i, j) in contracted { sum += x.values[xBatch + row + i] * y.values[yBatch + column + j] }
                    result.append(sum)
                }
            }
        }
        return [Tensor(types[0], result)]
    }

    // MARK: Derivatives. Bilinear: each rule is one of the operands replaced.

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [b.add(tangents[0].map { b.emit(self, $0, site[1]) }, tangents[1].map { b.emit(self, site[0], $0) })]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dx = tangents[0], let dy = tangents[1] else { return [nil] }
        return [b.scale(b.emit(self, dx, dy), by: 2)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        precondition(linear[0] != linear[1], "dot_general is linear in one operand at a time")
        guard let cotangent = cotangents[0] else { return [nil, nil] }
        return linear[0]
            ? [cotangentOfLeft(cotangent, site.operandTypes[0], site[1], in: b), nil]
            : [nil, mirrored.cotangentOfLeft(mirrored(cotangent, site, in: b), site.operandTypes[1], site[0], in: b)]
    }

    /// The operation with its operands exchanged: its result has the free axes in the other order.
    public var mirrored: DotGeneral {
        DotGeneral(
            lhsBatch: rhsBatch, rhsBatch: lhsBatch, lhsContracting: rhsContracting, rhsContracting: lhsContracting,
            result: result)
    }

    /// A cotangent of this operation's result as one of the mirrored operation's.
    private func mirrored(_ cotangent: Value, _ site: Site, in b: GraphBuilder) -> Value {
        let batch = lhsBatch.count
        let left = lhsFree(rank: site.operandTypes[0].rank).count
        let rank = b.shape(of: cotangent).count
        return b.transpose(cotangent, Array(0..<batch) + Array(batch + left..<rank) + Array(batch..<batch + left))
    }

    /// The contraction of the cotangent (batch, left free, right free) with the right operand over the right free axes:
    /// its axes are batch, left free and contracted ones, which a transposition puts in the left operand's order.
    private func cotangentOfLeft(_ cotangent: Value, _ left: TensorType, _ right: Value, in b: GraphBuilder) -> Value {
        let batch = Array(lhsBatch.indices)
        let free = lhsFree(rank: left.rank)
        let rank = b.shape(of: cotangent).count
        // A sum kept in f64 stays there until its cotangent is as wide as the operand.
        let factor = b.convert(right, to: result)
        let product = b.dot(
            cotangent, factor,
            contracting: (Array(batch.count + free.count..<rank), rhsFree(rank: b.shape(of: right).count)),
            batch: (batch, rhsBatch))
        // The right operand's contracted axes come in its own order.
        let contracted = zip(rhsContracting, lhsContracting).sorted { $0.0 < $1.0 }.map(\.1)
        let order = Transpose(permutation: lhsBatch + free + contracted)
        return b.convert(b.transpose(product, order.inverse), to: left.element)
    }

    // MARK: Batching

    /// With both operands batched the new axis is one more batch axis. With one, it is one more free axis of that operand:
    /// a product of many matrices with one matrix is a product of one tall matrix with it.
    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        func shifted(_ axes: [Int]) -> [Int] { axes.map { $0 + 1 } }
        switch (marked[0], marked[1]) {
        case (true, true):
            let operation = DotGeneral(
                lhsBatch: [0] + shifted(lhsBatch), rhsBatch: [0] + shifted(rhsBatch),
                lhsContracting: shifted(lhsContracting), rhsContracting: shifted(rhsContracting), result: result)
            return [b.emit(operation, operands[0], operands[1])]
        case (true, false):
            let operation = DotGeneral(
                lhsBatch: shifted(lhsBatch), rhsBatch: rhsBatch, lhsContracting: shifted(lhsContracting),
                rhsContracting: rhsContracting, result: result)
            return [b.axisToFront(lhsBatch.count, of: b.emit(operation, operands[0], operands[1]))]
        case (false, true):
            // The batched operand goes left, so that its new axis is the first of the free ones.
            let product = mirrored.batched(operands: operands.reversed(), marked: [true, false], size: size, in: b)[0]
            let batch = 1 + lhsBatch.count
            let right = b.shape(of: operands[1]).count - 1 - rhsBatch.count - rhsContracting.count
            let rank = b.shape(of: product).count
            return [
                b.transpose(product, Array(0..<batch) + Array(batch + right..<rank) + Array(batch..<batch + right))
            ]
        case (false, false): preconditionFailure("dot_general: no operand is batched")
        }
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let batching =
            lhsBatch.isEmpty ? "" : "batching_dims = \(writer.spell(lhsBatch)) x \(writer.spell(rhsBatch)), "
        writer.write(
            "\(site.result) = stablehlo.dot_general \(site.operands[0]), \(site.operands[1]), \(batching)"
                + "contracting_dims = \(writer.spell(lhsContracting)) x \(writer.spell(rhsContracting)) : "
                + writer.signature(site))
    }

    public func cost(operands: [TensorType], results: [TensorType]) -> Cost {
        Cost(
            multiplyAdds: lhsContracting.reduce(results[0].count) { $0.multipliedSaturated(by: operands[0].shape[$1]) },
            elements: (operands + results).reduce(0) { $0.addingSaturated($1.count) })
    }
}

extension GraphBuilder {
    /// x with one of its axes moved before the others.
    func axisToFront(_ axis: Int, of x: Value) -> Value {
        transpose(x, [axis] + shape(of: x).indices.filter { $0 != axis })
    }
}
