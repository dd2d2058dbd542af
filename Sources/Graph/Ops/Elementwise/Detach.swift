/// x, with zero derivative.
public struct Detach: Operation {
    public static let mnemonic = "detach"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .plain)
    public init() {}

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        return operands
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] { operands }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, operands)
    }

    /// StableHLO does not differentiate, so nothing is left to say but that it is the operand.
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.optimization_barrier \(site.operands[0]) : \(writer.spell(site.resultType))")
    }
}
