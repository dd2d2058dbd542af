import Foundation

/// The error function, 2/√π ∫₀ˣ exp(−t²) dt.
public struct Erf: UnaryElementwise {
    public static let mnemonic = "erf"
    public static let facts: OperationFacts = .elementwise(.function)
    public init() {}

    public static func value(_ x: Double) -> Double { erf(x) }

    /// 2/√π · exp(−x²).
    public static func derivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        b.scale(b.exponential(b.negate(b.square(x))), by: 2 / Double.pi.squareRoot())
    }
    /// −2x times the first.
    public static func secondDerivative(_ x: Value, _ y: Value, in b: GraphBuilder) -> Value? {
        derivative(x, y, in: b).map { b.scale(b.multiply(x, $0), by: -2) }
    }

    /// Not StableHLO's own but CHLO's, the dialect that compilers of StableHLO lower with it.
    public func writeStableHLO(_ site: StableHLOWriter.Site, to writer: inout StableHLOWriter) {
        let type = writer.spell(site.resultType)
        writer.write("\(site.result) = chlo.erf \(site.operands[0]) : \(type) -> \(type)")
    }
}
