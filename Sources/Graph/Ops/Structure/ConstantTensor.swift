/// A tensor with given values, row-major.
public struct ConstantTensor: Operation {
    public static let mnemonic = "constant"
    public static let facts: OperationFacts = .init(remaking: .nothing, layouts: .plain)
    public let type: TensorType
    public let values: [Double]

    /// The values are rounded to the element. Their number is checked by `resultTypes`.
    public init(type: TensorType, values: [Double]) {
        self.type = type
        self.values = values.map(type.element.rounded)
    }

    /// All values of a small tensor, the first few of a large one.
    public var attributes: String {
        let shown = values.prefix(8).map(type.element.text).joined(separator: ", ")
        return values.count > 8 ? "[\(shown), … \(values.count) values]" : "[\(shown)]"
    }

    /// By bits: −0 is not 0, and a NaN is itself.
    public static func == (a: Self, b: Self) -> Bool {
        a.type == b.type && a.values.count == b.values.count
            && zip(a.values, b.values).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(type)
        for value in values { hasher.combine(value.bitPattern) }
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(0, of: operands)
        let count = try type.elementCount()
        if values.count != count { throw GraphError("a constant \(type) has \(count) values, not \(values.count)") }
        return [type]
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] { [Tensor(type, values)] }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, []).map { b.stacked($0, size: size) }
    }

    /// Made once, when the plan is.
    public func cost(operands: [TensorType], results: [TensorType]) -> Cost { Cost() }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        writer.write(
            "\(site.result) = stablehlo.constant dense<\(spell(values[...], type.shape[...], writer))> : "
                + writer.spell(type))
    }

    /// Nested brackets, one level an axis.
    private func spell(_ values: ArraySlice<Double>, _ shape: ArraySlice<Int>, _ writer: StableHLOWriter) -> String {
        guard let extent = shape.first else { return writer.spell(values.first ?? 0, type.element) }
        let step = extent == 0 ? 0 : values.count / extent
        let parts = (0..<extent).map { index in
            let start = values.startIndex + index * step
            return spell(values[start..<start + step], shape.dropFirst(), writer)
        }
        return "[" + parts.joined(separator: ", ") + "]"
    }
}
