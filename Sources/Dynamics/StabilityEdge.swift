/// Up to where a curvature may go: training is stable below ``lower`` and not above ``upper``.
///
/// The two agree where the edge is one number. Where it depends on more than a rule's settings it lies between them: of batch
/// sharpness under momentum on how noisy the batches are (table *Stability edges* of `docs/definitions.md`).
public struct StabilityEdge: Sendable, Hashable {
    public let lower: Double
    public let upper: Double

    /// One number.
    public init(_ value: Double) { (lower, upper) = (value, value) }

    /// An interval.
    public init(from lower: Double, to upper: Double) { (self.lower, self.upper) = (lower, upper) }

    public var isInterval: Bool { lower < upper }
}

/// How much of the data a step's batch holds.
public enum BatchExtent: Sendable, Hashable {
    /// One sample of several.
    case one
    case some
    /// All samples: gradient descent.
    case all

    public init(_ size: Int, of count: Int) { self = size >= count ? .all : size == 1 ? .one : .some }
}

/// The curvatures that have an edge (table *Stability edges* of `docs/definitions.md`).
public enum EdgeQuantity: String, Sendable, CaseIterable {
    case lambdaMax = "lambda_max"
    case batchSharpness = "batch_sharpness"
    case batchSharpnessRatio = "batch_sharpness_ratio"
    case gni
    case momentumBatchSharpness = "momentum_batch_sharpness"
    case momentumBatchSharpnessRatio = "momentum_batch_sharpness_ratio"
    case momentumBatchSharpnessMedian = "momentum_batch_sharpness_median"
    case preconditionedLambdaMax = "preconditioned_lambda_max"
    /// η times the one before.
    case effectiveSharpness = "effective_sharpness"
    case secondMomentContraction = "second_moment_contraction"
    /// Of descent in another norm than the Euclidean one.
    case linfSharpness = "linf_sharpness"
    case spectralSharpness = "spectral_sharpness"

    /// The curvature that a series measures or stands in for, by the series' name; nil where that has no edge of its own.
    ///
    /// Further eigenvalues (`lambda_max_2`) belong to the first. `hessian_norm` is |λ_max| unless the spectrum leans to the other
    /// side, the Gauss–Newton matrix is the Hessian but for second derivatives of the network, and the batch of a step is one of
    /// those that batch sharpness is the mean over.
    public init?(series name: String) {
        var base = name
        if let end = name.lastIndex(of: "_"), Int(name[name.index(after: end)...]) != nil {
            base = String(name[..<end])
        }
        if base.hasPrefix("edge_") { base = String(base.dropFirst(5)) }
        switch base {
        case "hessian_norm", "lambda_max_gn", "lambda_max_predicted": self = .lambdaMax
        case "step_sharpness", "step_sharpness_mean", "batch_sharpness_gn": self = .batchSharpness
        default:
            guard let quantity = EdgeQuantity(rawValue: base) else { return nil }
            self = quantity
        }
    }
}

extension UpdateRule {
    /// The lower end of `edge(of:on:)`: below it training is stable.
    public func edge(of quantity: EdgeQuantity, isFullBatch: Bool) -> Double? {
        edge(of: quantity, on: isFullBatch ? .all : .some)?.lower
    }

    /// The edge that a plot shows where none is named: of batch sharpness under random batches, else of λ_max, or what the rule
    /// has.
    public func firstEdge(on batch: BatchExtent) -> (quantity: EdgeQuantity, edge: StabilityEdge)? {
        let first: [EdgeQuantity] = batch == .all ? [.lambdaMax, .batchSharpness] : [.batchSharpness, .lambdaMax]
        for quantity in first + EdgeQuantity.allCases {
            if let edge = edge(of: quantity, on: batch) { return (quantity, edge) }
        }
        return nil
    }
}
