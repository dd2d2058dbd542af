import Graph

/// A loss ℓ(f, y) of one sample; the objective is its mean over samples. Definitions: `docs/definitions.md`.
public enum LossName: String, CaseIterable, Sendable, Codable {
    /// ‖f − y‖², summed over outputs, no ½ (EoSS; Damian et al.).
    case mse
    /// ½‖f − y‖² (Cohen et al.).
    case halfMSE = "half_mse"
    /// ‖f − y‖² / K (Long & Bartlett).
    case mseMean = "mse_mean"
    /// Softmax cross-entropy against a one-hot (or soft) target; classes are the last axis.
    case crossEntropy = "ce"
    /// Logistic loss of one logit against a target of 0 or 1, or against a one-hot target of two classes.
    case binaryCrossEntropy = "bce"

    /// The loss of one sample, in a sentence.
    public var summary: String {
        switch self {
        case .mse: "‖f − y‖², summed over outputs, without ½."
        case .halfMSE: "½‖f − y‖² [Cohen et al. 2021]."
        case .mseMean: "‖f − y‖²/K, the mean over the K outputs [Long & Bartlett 2024]."
        case .crossEntropy:
            "Cross-entropy of the softmax of the outputs against a class, or a distribution over classes."
        case .binaryCrossEntropy: "The logistic loss of one output against a target of 0 or 1."
        }
    }

    /// The loss of each position of one sample: a tensor of the shape `positions`.
    /// - Parameters:
    ///   - output: the network's output for one sample, of any shape.
    ///   - target: the same shape: values, or distributions over classes along the last axis.
    ///   - positions: the leading axes of the output that have a target each, over which the mean is taken as over samples: `[T]`
    ///     for a sequence `[T, K]` with a label at each place, none where a sample has one target. For `ce` and `bce` these are
    ///     always all axes but the last.
    /// - Throws: `GraphError` that names both shapes where they do not fit.
    public func callAsFunction(
        _ output: Symbolic, _ target: Symbolic, positions: [Int] = []
    ) throws(GraphError) -> Symbolic {
        let target = self == .binaryCrossEntropy ? try oneProbability(target, for: output) : target
        guard output.shape == target.shape else {
            throw GraphError(
                "loss '\(rawValue)': the output has shape \(output.shape), the target \(target.shape); they must agree")
        }
        let positions = try checked(positions, output.shape)
        let inner = Array(output.shape.indices.dropFirst(positions.count))
        switch self {
        case .mse: return try output.squaredDistance(to: target, over: inner)
        case .halfMSE: return try 0.5 * output.squaredDistance(to: target, over: inner)
        case .mseMean:
            let count = inner.reduce(1) { $0 * output.shape[$1] }
            return try (1 / Double(max(1, count))) * output.squaredDistance(to: target, over: inner)
        case .crossEntropy:
            // Σ y (log Σ exp f − f), for a one-hot y the negative log-likelihood: both less the largest logit, for the difference of large
            // ones keeps few digits. A class of no probability may have a logit of −∞.
            let shifted = try output.shiftedByMaximum().shifted
            return try target.sum(inner) * shifted.logSumExpOfShifted() - shifted.timesNonzero(target).sum(inner)
        case .binaryCrossEntropy:
            // −y log p − (1 − y) log(1 − p): softplus(f) − yf is the same, and nothing is left of it where f is large and y = 1.
            let (ofOne, ofZero) = (try output.negated().softplus(), try output.softplus())
            return try (target * ofOne + (target.constant(1) - target) * ofZero).sum(inner)
        }
    }

    /// What `positions` is for outputs of a shape.
    /// - Throws: `GraphError` where the outputs have no such leading axes.
    package func checked(_ positions: [Int], _ output: [Int]) throws(GraphError) -> [Int] {
        switch self {
        case .crossEntropy:
            guard let classes = output.last, classes > 1 else {
                throw GraphError(
                    "loss 'ce' takes one logit per class along the last axis; the output has shape \(output)"
                        + (output.reduce(1, *) == 1 ? ": for one logit there is 'bce'" : ""))
            }
            return Array(output.dropLast())
        case .binaryCrossEntropy:
            guard output.last ?? 1 == 1 else {
                throw GraphError("loss 'bce' takes one logit, a last axis of 1; the output has shape \(output)")
            }
            return Array(output.dropLast())
        default:
            guard output.starts(with: positions) else {
                throw GraphError(
                    "loss '\(rawValue)': targets for the positions \(positions) do not fit an output of shape \(output)"
                )
            }
            return positions
        }
    }

    /// For `bce`: the second column of one-hot rows over two classes, in the output's shape.
    private func oneProbability(_ target: Symbolic, for output: Symbolic) throws(GraphError) -> Symbolic {
        let rank = target.shape.count
        guard rank > 0, target.shape[rank - 1] == 2, output.shape.last ?? 1 == 1,
            Array(output.shape.dropLast()) == Array(target.shape.dropLast())
        else { return target }
        var starts = [Int](repeating: 0, count: rank)
        starts[rank - 1] = 1
        let column = try target.with(
            Slice(starts: starts, limits: target.shape, strides: [Int](repeating: 1, count: rank)))
        return try column.reshaped(to: output.shape)
    }

    /// What a target's numbers must be, for messages, and whether one is.
    public var targetRange: (text: String, contains: @Sendable (Double) -> Bool) {
        switch self {
        case .mse, .halfMSE, .mseMean: ("finite numbers", { $0.isFinite })
        case .crossEntropy: ("probabilities of classes: numbers from 0 to 1", { (0...1).contains($0) })
        case .binaryCrossEntropy: ("numbers from 0 to 1", { (0...1).contains($0) })
        }
    }

    /// The output above which a single one stands for the class 1: the middle of the targets, or of the logits.
    public var decisionThreshold: Double { self == .binaryCrossEntropy ? 0 : 0.5 }
}

extension Symbolic {
    func squaredDistance(to other: Symbolic, over axes: [Int]) throws(GraphError) -> Symbolic {
        let difference = try self - other
        return try (difference * difference).sum(axes)
    }
}
