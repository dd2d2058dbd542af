import Compute
import Dynamics

extension Run {
    /// Whether a step takes all samples.
    public var isFullBatch: Bool { batchCount == data.train.count }

    /// Up to which value of a curvature the rule is stable with the present learning rate and batch size; of the curvature that
    /// it is best known for where none is named. Nil where none is known.
    public func edge(of quantity: EdgeQuantity? = nil) -> Double? {
        guard let quantity else { return rule.firstEdge(isFullBatch: isFullBatch)?.value }
        return rule.edge(of: quantity, isFullBatch: isFullBatch)
    }
}

/// The stability edge of the rule, for a curvature; not a number where none is known.
final class Edge: Probe {
    static let declarations = [
        ProbeDeclaration(
            "edge", "Up to which curvature training is stable; not a number where none is known.",
            options: [
                ProbeOption(
                    "of", .choice(EdgeQuantity.allCases.map(\.rawValue)),
                    default: "that of the rule: 2/lr for sgd", "The curvature whose edge is meant.")
            ]
        ) { arguments, _ in Edge(of: try arguments.choice("of")) }
    ]

    let seriesNames = ["edge"]
    private let quantity: EdgeQuantity?

    init(of quantity: EdgeQuantity?) { self.quantity = quantity }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        [Measurement(step: run.step, value: run.edge(of: quantity) ?? .nan)]
    }
}
