import Foundation

/// xᵖ for a number p. x⁰ is 1 for every x. Below 0 whole exponents alone have a value, NaN stands for the others.
///
/// The k-th derivative is p(p − 1)…(p − k + 1)·xᵖ⁻ᵏ to every order: it ends at 0 for p = 0, 1, 2, …, and at x = 0 is 0 for k < p and
/// infinite for k > p otherwise. Such a coefficient counts only where what it multiplies is not zero (`MultiplyNonzero`).
public struct Power: Operation {
    public static let mnemonic = "power"
    public static let facts: OperationFacts = .elementwise(.function)
    public let exponent: Double
    public init(exponent: Double) { self.exponent = exponent }

    public var attributes: String { "exponent = \(exponent)" }

    public func resultTypes(of operands: [TensorType]) throws(GraphError) -> [TensorType] {
        try expect(1, of: operands)
        if !operands[0].element.isFloating {
            throw GraphError("power is not defined for \(operands[0].element.rawValue)")
        }
        if !exponent.isFinite { throw GraphError("power takes a finite exponent, not \(exponent)") }
        return operands
    }

    public func evaluate(_ operands: [Tensor], as types: [TensorType]) -> [Tensor] {
        // A number beside f32 is one in f32, as everywhere.
        let exponent = types[0].element.rounded(exponent)
        return [Tensor(types[0], operands[0].values.map { Self.value($0, exponent) })]
    }

    static func value(_ x: Double, _ p: Double) -> Double {
        // The C library gives −∞ a power of either kind.
        x < 0 && p != p.rounded() ? .nan : pow(x, p)
    }

    public func tangents(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].flatMap { b.derivative(ofPower: exponent, of: site[0], order: 1, times: [$0]) }]
    }

    public func secondOrder(at site: Site, along tangents: [Value?], in b: GraphBuilder) -> [Value?] {
        [tangents[0].flatMap { b.derivative(ofPower: exponent, of: site[0], order: 2, times: [$0, $0]) }]
    }

    public func quadraticTerm(
        at site: Site, along tangents: [Value?], cotangents: [Value?], in b: GraphBuilder
    ) -> Value? {
        b.quadraticTerm(ofPower: exponent, of: site[0], along: tangents[0], cotangent: cotangents[0])
    }

    public func batched(operands: [Value], marked: [Bool], size: Int, in b: GraphBuilder) -> [Value] {
        b.emitAll(self, operands)
    }

    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let type = writer.spell(site.resultType)
        let p = writer.auxiliaryName()
        writer.write("\(p) = stablehlo.constant dense<\(writer.spell(exponent, site.resultType.element))> : \(type)")
        writer.write("\(site.result) = stablehlo.power \(site.operands[0]), \(p) : \(type)")
    }
}

extension GraphBuilder {
    /// xᵖ, in the simplest operation.
    public func power(_ x: Value, _ exponent: Double) -> Value {
        switch exponent {
        case 0: ones(like: x)
        case 0.5: sqrt(x)
        case 1: x
        case 2: square(x)
        default: emit(Power(exponent: exponent), x)
        }
    }

    /// The derivative of xᵖ of this order times factors; `nil` where it is zero everywhere.
    func derivative(ofPower p: Double, of x: Value, order: Int, times factors: [Value]) -> Value? {
        let coefficient = (0..<order).reduce(1) { $0 * (p - Double($1)) }
        if coefficient == 0 { return nil }
        let rest = p - Double(order)
        let slope = rest == 0 ? constant(coefficient, type(of: x)) : scale(power(x, rest), by: coefficient)
        // Infinite at 0, or NaN below. One factor after the other: their product may vanish where none of them does.
        let isEverywhereFinite = rest >= 0 && rest == rest.rounded()
        return factors.reduce(slope) { isEverywhereFinite ? multiply($0, $1) : multiplyNonzero($0, $1) }
    }

    /// ⟨cotangent, p(p − 1)xᵖ⁻²ẋ²⟩; the coefficient counts only where neither factor is zero.
    func quadraticTerm(ofPower p: Double, of x: Value, along tangent: Value?, cotangent: Value?) -> Value? {
        guard let tangent, let cotangent else { return nil }
        return derivative(ofPower: p, of: x, order: 2, times: [cotangent, tangent]).map { inner($0, tangent) }
    }
}
