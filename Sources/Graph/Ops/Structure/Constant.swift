/// A tensor with one value throughout.
public struct Constant: Operation {
    public static let mnemonic = "constant"
    public static let facts: OperationFacts = .init(remaking: .nothing, layouts: .made)
    public let type: TensorType
    public let splat: Double

    /// The value is rounded to the element.
    public init(type: TensorType, splat: Double) {
        self.type = type
        self.splat = type.element.rounded(splat)
    }

    public var attributes: String { type.element.text(splat) }

    /// By bits: −0 is not 0, and a NaN is itself.
    public static func == (a: Self, b: Self) -> Bool {
        a.type == b.type && a.splat.bitPattern == b.splat.bitPattern
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        hasher.combine(splat.bitPattern)
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(0, of: operands)
        return [type]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        [Tensor(type, repeating: splat)]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, []).map { b.stacked($0, size: size) }
    }

    /// Made once, when the plan is.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost { Cost() }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.constant dense<\(writer.spell(splat, type.element))> : \(writer.spell(type))")
    }
}

extension ElementType {
    /// A value as a person reads it: integers and bools without a decimal point.
    func text(_ value: Double) -> String {
        switch self {
        case .bool: value == 0 ? "false" : "true"
        case .i32: String(Int(value))
        case .f32: Float(value).description
        case .f64: value.description
        }
    }
}
