import Networks

/// The curvature matrices of an objective L = Σ wᵢℓᵢ, all symmetric, p × p, and known by their products.
///
/// wᵢ are the weights of the loss: 1/n for each of the n samples that count, or for each of the labelled places that count where
/// a sample has several; 0 for those left out. J is the derivative of all samples' outputs. Where samples share batch
/// statistics, derivatives go through the statistics of their (ghost) batch, so that an output depends on all of its samples;
/// with `StatisticsUse.running` the statistics are constants.
public enum CurvatureMatrix: String, CaseIterable, Sendable {
    /// ∇²L.
    case hessian
    /// The Gauss–Newton matrix Σ wᵢJᵢᵀ(∇²_f ℓᵢ)Jᵢ, also for losses written by the user. The Hessian of a model that is linear in
    /// its parameters; positive semi-definite for a convex loss.
    case ggn
    /// The empirical Fisher matrix (1/n) Σ gᵢgᵢᵀ, with gᵢ the gradient of one sample's loss. Where a sample has labels at several
    /// places, its loss is the mean over those that count, and its weight the sum of their weights: the mean of the gᵢ with
    /// these weights is ∇L.
    case fisher
    /// Σ wᵢJᵢᵀJᵢ, (1/n)JᵀJ: the neural tangent kernel in the space of parameters, with the eigenvalues of (1/n)JJᵀ that are not
    /// zero. The loss enters by its weights only.
    case ntk
}
