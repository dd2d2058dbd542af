/// c · x, and 0 where x is 0: a coefficient counts only where what it multiplies is not zero, be it infinite or NaN.
///
/// What derivatives of powers are written with: the slope of √u is infinite at 0, and where u rests there, as behind a unit
/// that is off, so does √u.
public struct MultiplyNonzero: BinaryElementwise {
    public static let mnemonic = "multiply_nonzero"
    public static let facts: OperationFacts = .elementwise(.light)
    public init() {}

    public static func value(_ c: Double, _ x: Double) -> Double { x == 0 ? 0 : c * x }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(2, of: operands)
        if operands[0] != operands[1] || !operands[0].element.isFloating {
            throw GraphError(
                "\(Self.mnemonic) takes real operands of one type, not \(operands[0]) and \(operands[1])")
        }
        return [operands[0]]
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [
            b.add(
                tangents[0].map { b.multiplyNonzero($0, site[1]) }, tangents[1].map { b.multiplyNonzero(site[0], $0) })
        ]
    }

    public func transpose(at site: Site, linear: [Bool], cotangents: [Value?], in b: GraphBuilder) -> [Value?] {
        precondition(linear[0] != linear[1], "multiply_nonzero is linear in one operand at a time")
        return linear[0]
            ? [cotangents[0].map { b.multiplyNonzero($0, site[1]) }, nil]
            : [nil, cotangents[0].map { b.multiplyNonzero(site[0], $0) }]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let dc = tangents[0], let dx = tangents[1] else { return [nil] }
        return [b.scale(b.multiplyNonzero(dc, dx), by: 2)]
    }

    public func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value? {
        guard let dc = tangents[0], let dx = tangents[1], let cotangent = cotangents[0] else { return nil }
        return b.inner(b.multiplyNonzero(dc, b.multiply(dx, cotangent)), b.constant(2, b.type(of: dx)))
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let (type, truth) = (writer.spell(site.resultType), writer.spell(TensorType(.bool, site.resultType.shape)))
        let (zero, isZero, product) = (writer.auxiliaryName(), writer.auxiliaryName(), writer.auxiliaryName())
        let (c, x) = (site.operands[0], site.operands[1])
        writer.write("\(zero) = stablehlo.constant dense<\(writer.spell(0, site.resultType.element))> : \(type)")
        writer.write("\(isZero) = stablehlo.compare EQ, \(x), \(zero) : (\(type), \(type)) -> \(truth)")
        writer.write("\(product) = stablehlo.multiply \(c), \(x) : \(type)")
        writer.write("\(site.result) = stablehlo.select \(isZero), \(zero), \(product) : \(truth), \(type)")
    }
}
