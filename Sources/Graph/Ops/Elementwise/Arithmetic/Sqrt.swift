/// √x; NaN below 0. The derivative at 0 is infinite, and counts only where what it multiplies is not zero (`MultiplyNonzero`).
public struct Sqrt: UnaryElementwise {
    public static let mnemonic = "sqrt"
    public static let facts: OperationFacts = .elementwise(.division)
    public init() {}

    public static func value(_ x: Double) -> Double { x.squareRoot() }

    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.divide(b.constant(0.5, b.type(of: x)), y)
    }
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.divide(b.constant(-0.25, b.type(of: x)), b.multiply(x, y))
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let tangent = tangents[0] else { return [nil] }
        if b.isKeptFromZero(site[0]) {
            return [Self.derivative(site[0], site.result, in: b).map { b.multiply($0, tangent) }]
        }
        return [b.derivative(ofPower: 0.5, of: site[0], order: 1, times: [tangent])]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        guard let tangent = tangents[0] else { return [nil] }
        if b.isKeptFromZero(site[0]) {
            return [Self.secondDerivative(site[0], site.result, in: b).map { b.multiply($0, b.square(tangent)) }]
        }
        return [b.derivative(ofPower: 0.5, of: site[0], order: 2, times: [tangent, tangent])]
    }

    public func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value? {
        b.isKeptFromZero(site[0])
            ? b.inner(cotangents, secondOrder(at: site, along: tangents, in: b))
            : b.quadraticTerm(ofPower: 0.5, of: site[0], along: tangents[0], cotangent: cotangents[0])
    }
}

extension GraphBuilder {
    /// Whether x is something plus a positive number, as the variance under the root of a normalisation. Its author has seen to
    /// it that the root's slope is finite, and products with it may be reordered as any others.
    fileprivate func isKeptFromZero(_ x: Value) -> Bool {
        guard let sum = definition(of: x), sum.operation is Add else { return false }
        return sum.operands.contains { operand in
            guard let node = definition(of: operand) else { return false }
            let number = node.operation is BroadcastInDim ? splat(of: node.operands[0]) : splat(of: operand)
            return (number ?? 0) > 0
        }
    }
}
