import Compute
import Dynamics

extension Run {
    /// Whether a step takes all samples.
    public var isFullBatch: Bool { batchCount == data.train.count }

    /// How much of the data a step takes.
    public var batchExtent: BatchExtent { BatchExtent(batchCount, of: data.train.count) }

    /// Up to where a curvature may go with the present learning rate and batch size; of the curvature that the rule is best known
    /// for where none is named. Nil where none is known.
    public func stabilityEdge(of quantity: EdgeQuantity? = nil) -> StabilityEdge? {
        if rule.edgeNeedsGradientNorm {
            guard let norm = try? gradient().norm() else { return nil }
            let quantities = quantity.map { [$0] } ?? [.lambdaMax]
            return quantities.lazy.compactMap { self.rule.edge(of: $0, on: self.batchExtent, gradientNorm: norm) }.first
        }
        guard let quantity else { return rule.firstEdge(on: batchExtent)?.edge }
        return rule.edge(of: quantity, on: batchExtent)
    }

    /// The same as one number, the lower end of an interval: below it training is stable.
    public func edge(of quantity: EdgeQuantity? = nil) -> Double? { stabilityEdge(of: quantity)?.lower }
}

/// The stability edge of the rule, for a curvature; not a number where none is known.
///
/// One series for each curvature: `edge` for the one that the rule is best known for, `edge_lambda_max` and so on for those that are
/// named, so that several can be tracked side by side.
final class Edge: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "edge", "Up to which curvature training is stable; not a number where none is known.",
            options: [
                ProbeOption(
                    "of", .choice(EdgeQuantity.allCases.map(\.rawValue)),
                    default: "that of the rule: 2/lr for sgd",
                    "The curvature whose edge is meant; the series is then edge_lambda_max, say.")
            ], series: { [name(try $0.choice("of"))] }, make: { arguments, _ in Edge(of: try arguments.choice("of")) })
    ]

    /// The name of the series; see also ``Run/series(_:)``.
    static func name(_ quantity: EdgeQuantity?) -> String { quantity.map { "edge_\($0.rawValue)" } ?? "edge" }

    /// All of them.
    static let names = Set([name(nil)] + EdgeQuantity.allCases.map(name))

    let seriesNames: [String]
    private let quantity: EdgeQuantity?

    init(of quantity: EdgeQuantity?) {
        self.quantity = quantity
        seriesNames = [Self.name(quantity)]
    }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        [Measurement(step: run.step, value: run.edge(of: quantity) ?? .nan)]
    }
}
