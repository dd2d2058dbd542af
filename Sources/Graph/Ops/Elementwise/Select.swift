/// Where the predicate holds the second operand, elsewhere the third; all of one shape.
public struct Select: Operation {
    public static let mnemonic = "select"
    public static let facts: OperationFacts = .elementwise(.light)
    public init() {}

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(3, of: operands)
        if operands[1] != operands[2] || operands[0] != TensorType(.bool, operands[1].shape) {
            throw GraphError(
                "select takes a bool predicate and two operands of one type and its shape, not "
                    + operands.map(\.description).joined(separator: ", "))
        }
        return [operands[1]]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let (predicate, onTrue, onFalse) = (operands[0].values, operands[1].values, operands[2].values)
        return [Tensor(types[0], predicate.indices.map { predicate[$0] != 0 ? onTrue[$0] : onFalse[$0] })]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard tangents[1] != nil || tangents[2] != nil else { return [nil] }
        let zero = b.zeros(like: site.result)
        return [b.select(site[0], tangents[1] ?? zero, tangents[2] ?? zero)]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let cotangent = cotangents[0] else { return [nil, nil, nil] }
        let zero = b.zeros(like: cotangent)
        return [
            nil,
            linear[1] ? b.select(site[0], cotangent, zero) : nil,
            linear[2] ? b.select(site[0], zero, cotangent) : nil,
        ]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, b.aligned(operands, marked: marked, size: size))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.select \(site.operands.joined(separator: ", ")) : "
                + "\(writer.spell(site.operandTypes[0])), \(writer.spell(site.resultType))")
    }
}
