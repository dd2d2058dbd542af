/// Contractions of rows that were taken from a table, with the table instead.
///
/// An embedding gives N rows of a table of V: with G for taking rows by number, (G T) W = G (T W), which multiplies V rows instead of N.
/// In the gradients of both, (G T)ᵀ D = Tᵀ (Gᵀ D) and Gᵀ (D Wᵀ) = (Gᵀ D) Wᵀ, where Gᵀ D adds up the rows of D that belong to each row of
/// the table: one `ScatterAdd` for both. Transpositions of rows taken become transpositions of the numbers, and a bias is added to the
/// table.
///
/// Only where the table has fewer rows than are taken; the graph comes back as it is where that costs no less.
func contractTables(_ g: Graph, _ weights: CostWeights) -> Graph {
    guard g.nodes.contains(where: { $0.operation is Gather || $0.operation is ScatterAdd }) else { return g }
    let tables = TableContractions()
    let next = g.rewritten(in: tables.b) { node, operands in
        tables.make(node.operation, operands).map { [$0] } ?? tables.b.emitAll(node.operation, operands)
    }
    let clean = eliminateDeadCode(eliminateCommonSubexpressions(next))
    return clean.cost().total(weights) < g.cost().total(weights) ? clean : g
}

private final class TableContractions {
    let b = GraphBuilder()

    /// The operation in a cheaper form, if it has one.
    func make(_ operation: any Operation, _ operands: [Value]) -> Value? {
        switch operation {
        case let dot as DotGeneral:
            if let value = contracted(dot, operands[0], operands[1]) { return value }
            guard let value = contracted(dot.mirrored, operands[1], operands[0]) else { return nil }
            // Batch axes there are none.
            let left = dot.lhsFree(rank: b.type(of: operands[0]).rank).count
            let rank = b.type(of: value).rank
            return b.transpose(value, Array(rank - left..<rank) + Array(0..<rank - left))
        case let scatter as ScatterAdd: return scattered(scatter, operands[0], operands[1])
        case let transpose as Transpose:
            // Rows in another order are the rows of the numbers in that order.
            guard let rows = rows(of: operands[0]), let outer = transpose.outerAxes(b.type(of: rows.numbers).rank)
            else {
                return nil
            }
            return b.gather(rows.table, b.transpose(rows.numbers, outer))
        case is any BinaryElementwise:
            return ofTable(operation, operands[0], operands[1], { $0 })
                ?? ofTable(operation, operands[1], operands[0], { $0.reversed() })
        default: return nil
        }
    }

    /// An operation on rows of a table and on what is the same for all rows, a bias say: on the table.
    private func ofTable(
        _ operation: any Operation, _ left: Value, _ right: Value, _ order: ([Value]) -> [Value]
    ) -> Value? {
        guard let (table, numbers) = rows(of: left), let node = b.definition(of: right),
            let broadcast = node.operation as? BroadcastInDim
        else { return nil }
        let taken = b.type(of: numbers).rank
        guard broadcast.dimensions.allSatisfy({ $0 >= taken }), b.type(of: table).shape[0] < b.type(of: numbers).count
        else {
            return nil
        }
        let repeated = b.broadcast(
            node.operands[0], to: b.type(of: table).shape, dimensions: broadcast.dimensions.map { $0 - taken + 1 })
        return b.gather(b.emitAll(operation, order([table, repeated]))[0], numbers)
    }

    /// A table and the numbers of the rows that a value is.
    private func rows(of value: Value) -> (table: Value, numbers: Value)? {
        guard let node = b.definition(of: value), let gather = node.operation as? Gather, gather.batch == 0 else {
            return nil
        }
        return (node.operands[0], node.operands[1])
    }

    /// A contraction whose left operand is rows of a table.
    private func contracted(_ dot: DotGeneral, _ left: Value, _ right: Value) -> Value? {
        guard dot.lhsBatch.isEmpty, let (table, numbers) = rows(of: left),
            b.type(of: table).shape[0] < b.type(of: numbers).count
        else { return nil }
        let taken = b.type(of: numbers).rank
        if dot.lhsContracting.allSatisfy({ $0 >= taken }) {
            // Along the rows: every row of the table is contracted once.
            let ofTable = DotGeneral(
                lhsContracting: dot.lhsContracting.map { $0 - taken + 1 }, rhsContracting: dot.rhsContracting,
                result: dot.result)
            return b.gather(b.emit(ofTable, table, right), numbers)
        }
        guard Set(dot.lhsContracting) == Set(0..<taken), dot.result == b.type(of: left).element else { return nil }
        // Over the rows: what each row of the table is multiplied by is added up first.
        let pairs = zip(dot.lhsContracting, dot.rhsContracting).sorted { $0.0 < $1.0 }
        let rank = b.type(of: right).rank
        let updates = b.transpose(right, pairs.map(\.1) + dot.rhsFree(rank: rank))
        let sums = sum(of: updates, numbers, rows: b.type(of: table).shape[0])
        return b.emit(DotGeneral(lhsContracting: [0], rhsContracting: [0], result: dot.result), table, sums)
    }

    /// Sums of rows that are contractions: the contractions of sums.
    private func scattered(_ scatter: ScatterAdd, _ numbers: Value, _ updates: Value) -> Value? {
        guard scatter.batch == 0, scatter.rows < b.type(of: numbers).count else { return nil }
        let (numbers, updates) = untransposed(numbers, updates)
        guard let node = b.definition(of: updates), let dot = node.operation as? DotGeneral, dot.lhsBatch.isEmpty,
            dot.result == b.type(of: node.operands[0]).element
        else { return nil }
        let (left, right) = (node.operands[0], node.operands[1])
        let rank = b.type(of: left).rank
        let free = dot.lhsFree(rank: rank)
        let taken = free.prefix(b.type(of: numbers).rank)
        guard taken.count == b.type(of: numbers).rank else { return nil }
        // The axes of the left operand behind those of the numbers.
        let others = (0..<rank).filter { !taken.contains($0) }
        let sums = sum(of: b.transpose(left, taken + others), numbers, rows: scatter.rows)
        let contracting = dot.lhsContracting.map { axis in 1 + others.prefix { $0 < axis }.count }
        return b.emit(
            DotGeneral(lhsContracting: contracting, rhsContracting: dot.rhsContracting, result: dot.result), sums, right
        )
    }

    /// The sum of the updates of each row.
    private func sum(of updates: Value, _ numbers: Value, rows: Int) -> Value {
        let (numbers, updates) = untransposed(numbers, updates)
        return b.scatterAdd(numbers, updates, rows: rows)
    }

    /// Numbers that are transposed instead of the updates: their order is open.
    private func untransposed(_ numbers: Value, _ updates: Value) -> (numbers: Value, updates: Value) {
        guard let node = b.definition(of: updates), let transpose = node.operation as? Transpose,
            let outer = transpose.outerAxes(b.type(of: numbers).rank)
        else { return (numbers, updates) }
        // Update i of the transposed is update outer(i) of the operand.
        var inverse = outer
        for (place, axis) in outer.enumerated() { inverse[axis] = place }
        return untransposed(b.transpose(numbers, inverse), node.operands[0])
    }
}

extension Transpose {
    /// The order of the first axes, so many, where they stay the first and the others stay in their places.
    fileprivate func outerAxes(_ count: Int) -> [Int]? {
        let (outer, inner) = (permutation.prefix(count), permutation.dropFirst(count))
        return outer.allSatisfy { $0 < count } && inner.elementsEqual(inner.indices) ? Array(outer) : nil
    }
}
