import Graph

/// A loss of one sample, ℓ(f, y); the objective is its mean over samples. Definitions: `docs/definitions.md`.
public enum LossName: String, CaseIterable, Sendable, Codable {
    /// ‖f − y‖², summed over outputs, no ½ (EoSS; Damian et al.).
    case mse
    /// ½‖f − y‖² (Cohen et al.).
    case halfMSE = "half_mse"
    /// ‖f − y‖² / K (Long & Bartlett).
    case mseMean = "mse_mean"
    /// Softmax cross-entropy against a one-hot (or soft) target.
    case crossEntropy = "ce"
    /// Logistic loss of one logit against a target of 0 or 1.
    case binaryCrossEntropy = "bce"

    /// - Parameters:
    ///   - output: the network's output for one sample, of any shape.
    ///   - target: the same shape: values, or a distribution over classes.
    /// - Returns: a scalar.
    public func callAsFunction(_ output: Symbolic, _ target: Symbolic) throws(GraphError) -> Symbolic {
        guard output.shape == target.shape else {
            throw GraphError(
                "loss '\(rawValue)': the output has shape \(output.shape), the target \(target.shape); they must agree")
        }
        switch self {
        case .mse: return try output.squaredDistance(to: target)
        case .halfMSE: return try 0.5 * output.squaredDistance(to: target)
        case .mseMean: return try (1 / Double(max(1, output.shape.reduce(1, *)))) * output.squaredDistance(to: target)
        case .crossEntropy:
            guard output.shape.count == 1 else {
                throw GraphError(
                    "loss 'ce' takes one logit per class, an output of one axis; it has shape \(output.shape)")
            }
            // Σ y (log Σ exp f − f): for a one-hot y, the negative log-likelihood.
            return try target.sum() * output.logSumExp() - (target * output).sum()
        case .binaryCrossEntropy:
            guard output.shape.reduce(1, *) == 1 else {
                throw GraphError("loss 'bce' takes one logit; the output has shape \(output.shape)")
            }
            return try (output.softplus() - output * target).sum()
        }
    }
}

extension Symbolic {
    func squaredDistance(to other: Symbolic) throws(GraphError) -> Symbolic {
        let difference = try self - other
        return try (difference * difference).sum()
    }
}
