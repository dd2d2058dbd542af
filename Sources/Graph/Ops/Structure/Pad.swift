/// A tensor with a value put before, after and between its elements: along axis i `low[i]` times before the first,
/// `high[i]` times after the last, `interior[i]` times between neighbours. Negative `low` and `high` take away, from what
/// the interior has already been put into.
///
/// Of any element. Affine: linear where the value is 0, as it is in tangents. Its transpose is `Slice`.
public struct Pad: Operation {
    public static let mnemonic = "pad"
    public static let facts: OperationFacts = .init(remaking: .never, layouts: .ruled)
    public let low: [Int]
    public let high: [Int]
    public let interior: [Int]
    /// Rounded to the operand's element where it is put.
    public let value: Double

    /// Of an amount, so that sums and differences of a few are integers too.
    static let limit = 1 << 60

    public init(low: [Int], high: [Int], interior: [Int], value: Double = 0) {
        self.low = low
        self.high = high
        self.interior = interior
        self.value = value
    }

    public var attributes: String {
        "low = \(low), high = \(high)" + (interior.allSatisfy { $0 == 0 } ? "" : ", interior = \(interior)")
            + (value.bitPattern == 0 ? "" : ", value = \(value)")
    }

    /// The value by bits: −0 is not 0, and a NaN is itself.
    public static func == (a: Self, b: Self) -> Bool {
        a.low == b.low && a.high == b.high && a.interior == b.interior && a.value.bitPattern == b.value.bitPattern
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(low)
        hasher.combine(high)
        hasher.combine(interior)
        hasher.combine(value.bitPattern)
    }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        let type = operands[0]
        if [low.count, high.count, interior.count] != [type.rank, type.rank, type.rank] {
            throw GraphError(
                "pad of \(type) takes \(type.rank) amounts low, high and interior, not \(low), \(high) and \(interior)")
        }
        if (low + high + interior).contains(where: { $0.magnitude > Self.limit }) {
            throw GraphError("pad: low \(low), high \(high) or interior \(interior) is beyond what can be addressed")
        }
        if !type.element.isFloating && !(type.element.rounded(value) == value) {
            throw GraphError("pad of \(type): \(value) is no \(type.element.rawValue)")
        }
        var shape: [Int] = []
        for axis in type.shape.indices {
            if interior[axis] < 0 {
                throw GraphError(
                    "pad: the interior of axis \(axis) is \(interior[axis]); only low and high may be negative")
            }
            guard let extent = extent(axis, of: type.shape[axis]) else {
                throw GraphError("pad: axis \(axis) of \(type) has more elements than can be addressed")
            }
            if extent < 0 {
                throw GraphError(
                    "pad: low \(low[axis]) and high \(high[axis]) take more from axis \(axis) of \(type) than it has")
            }
            shape.append(extent)
        }
        return [TensorType(type.element, shape)]
    }

    /// The extent of the result along an axis; `nil` where it overflows.
    private func extent(_ axis: Int, of extent: Int) -> Int? {
        let (gaps, overflow) = max(extent - 1, 0).multipliedReportingOverflow(by: interior[axis])
        let (spread, overflow2) = extent.addingReportingOverflow(gaps)
        let (before, overflow3) = spread.addingReportingOverflow(low[axis])
        let (all, overflow4) = before.addingReportingOverflow(high[axis])
        return overflow || overflow2 || overflow3 || overflow4 ? nil : all
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        let steps = Places.strides(types[0].shape)
        // Where each element goes; nil where it is taken away.
        var places: [Int?] = [0]
        for (axis, extent) in operands[0].type.shape.enumerated() {
            places = places.flatMap { base in
                (0..<extent).map { index -> Int? in
                    let place = low[axis] + index * (interior[axis] + 1)
                    return (0..<types[0].shape[axis]).contains(place) ? base.map { $0 + place * steps[axis] } : nil
                }
            }
        }
        var result = [Double](repeating: value, count: types[0].count)
        for (x, place) in zip(operands[0].values, places) { if let place { result[place] = x } }
        return [Tensor(types[0], result)]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].map { b.pad($0, low: low, high: high, interior: interior) }]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let cotangent = cotangents[0] else { return [nil] }
        // Zero for what was taken away; then without what was put.
        let whole = b.pad(cotangent, low: low.map { max(-$0, 0) }, high: high.map { max(-$0, 0) })
        let limits = zip(b.shape(of: whole), high).map { $0 - max($1, 0) }
        return [b.slice(whole, starts: low.map { max($0, 0) }, limits: limits, strides: interior.map { $0 + 1 })]
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        [b.emit(Pad(low: [0] + low, high: [0] + high, interior: [0] + interior, value: value), operands[0])]
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let element = site.resultType.element
        let constant = writer.scalarConstant(writer.spell(element.rounded(value), element), element)
        writer.write(
            "\(site.result) = stablehlo.pad \(site.operands[0]), \(constant), low = \(writer.spell(low)), "
                + "high = \(writer.spell(high)), interior = \(writer.spell(interior)) : "
                + "(\(writer.spell(site.operandTypes[0])), \(writer.spell(TensorType(element)))) -> "
                + writer.spell(site.resultType))
    }
}
