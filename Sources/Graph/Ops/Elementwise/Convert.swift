/// The same numbers in another element: to f32 rounded to nearest, to i32 towards zero, to bool whether not zero.
/// Linear between real elements; rounding counts as none. Zero derivative from and to the others.
public struct Convert: Operation {
    public static let mnemonic = "convert"
    public static let facts: OperationFacts = .elementwise(.light)
    public let to: ElementType
    public init(to: ElementType) { self.to = to }

    public var attributes: String { "to = \(to.rawValue)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        return [TensorType(to, operands[0].shape)]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        [Tensor(types[0], operands[0].values)]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [to.isFloating ? tangents[0].map { b.convert($0, to: to) } : nil]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [cotangents[0].map { b.convert($0, to: site.operandTypes[0].element) }]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, operands)
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write("\(site.result) = stablehlo.convert \(site.operands[0]) : \(writer.signature(site))")
    }
}
