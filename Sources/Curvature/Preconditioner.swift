import Compute

/// P, the positive diagonal matrix that an adaptive rule divides its step by, without the learning rate: θ ← θ − ηP⁻¹g.
///
/// The curvature that such a rule sees is P^{−½}HP^{−½}, which has the eigenvalues of P⁻¹H (Cohen et al. 2022).
public enum Preconditioner: Sendable {
    /// The same number for all parameters.
    case scalar(Double)
    /// A number for each parameter, positive.
    case diagonal(Vector)
}
