/// 0, 1, 2, … along one axis.
public struct Iota: Operation {
    public static let mnemonic = "iota"
    public static let facts: OperationFacts = .init(remaking: .nothing, layouts: .made)
    public let type: TensorType
    public let dimension: Int
    public init(type: TensorType, dimension: Int) {
        self.type = type
        self.dimension = dimension
    }

    public var attributes: String { "dimension = \(dimension)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(0, of: operands)
        if !type.shape.indices.contains(dimension) { throw GraphError("iota: \(type) has no axis \(dimension)") }
        if type.element == .bool { throw GraphError("iota is not defined for bool") }
        return [type]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let strides = type.shape.indices.map { $0 == dimension ? 1 : 0 }
        return [Tensor(type, Places.offsets(shape: type.shape, strides: strides).map(Double.init))]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, []).map { b.stacked($0, size: size) }
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write("\(site.result) = stablehlo.iota dim = \(dimension) : \(writer.spell(type))")
    }
}
