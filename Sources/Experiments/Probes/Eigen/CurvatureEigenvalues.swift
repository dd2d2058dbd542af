import Compute
import Curvature
import Networks

/// Eigenvalues of curvature matrices beside `lambda_max`: the other end and the norm of the Hessian, and the largest ones of
/// the Gauss–Newton, Fisher and tangent-kernel matrices. Each value with the residual of its unit vector.
///
/// Those of Fisher matrix and tangent kernel come from their Gram matrices where these are smaller and cheaper (``GramMatrix``). The
/// residual is that of the matrix used; either way an eigenvalue lies within it.
public final class CurvatureEigenvalues: EigenvectorProbe {
    /// Which eigenvalues.
    public enum Quantity: String, Sendable {
        /// The algebraically smallest of the Hessian: `lambda_min`, `lambda_min_2`, ….
        case smallest = "lambda_min"
        /// max |λ| of the Hessian, its spectral norm.
        case norm = "hessian_norm"
        /// The largest of the Gauss–Newton matrix.
        case gaussNewton = "lambda_max_gn"
        /// The largest of the empirical Fisher matrix (1/n) Σ gᵢgᵢᵀ.
        case fisher = "fisher_max"
        /// The largest of the tangent kernel (1/n)JJᵀ.
        case tangentKernel = "ntk_max"
    }

    static let declarations = [
        declaration(.smallest, "The algebraically smallest eigenvalues of the Hessian."),
        ProbeDeclaration(
            "hessian_norm", "max |λ| over the eigenvalues λ of the Hessian. [Long & Bartlett 2023]",
            options: EigenSettings.optionsOfOne + [.block]
        ) { try CurvatureEigenvalues(.norm, EigenSettings($0, $1)) },
        declaration(
            .gaussNewton,
            "The largest eigenvalues of the Gauss–Newton matrix (1/n) Σ JᵢᵀℓᵢʺJᵢ. [Andreyev & Beneventano 2024]"),
        declaration(
            .fisher,
            "The largest eigenvalues of the empirical Fisher matrix (1/n) Σ gᵢgᵢᵀ, gᵢ the gradient of a sample's loss."),
        declaration(
            .tangentKernel,
            "The largest eigenvalues of (1/n)JJᵀ, J the derivative of the outputs; twice it is what the EoSS code calls Fisher. [Andreyev & Beneventano 2024]"
        ),
    ]

    private static func declaration(_ quantity: Quantity, _ summary: String) -> ProbeDeclaration {
        EigenSettings.declaration(quantity.rawValue, summary, further: [.block]) { settings, _ in
            try CurvatureEigenvalues(quantity, settings)
        }
    }

    public let quantity: Quantity
    public let settings: EigenSettings
    public let seriesNames: [String]
    /// In the space of all parameters; empty where a Gram matrix was used.
    public private(set) var vectors: [Vector] = []

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ quantity: Quantity, _ settings: EigenSettings = EigenSettings()) throws {
        try settings.check(quantity.rawValue)
        guard quantity != .norm || settings.k == 1 else {
            throw ExperimentError.invalid("hessian_norm is one number: k must be 1, not \(settings.k)")
        }
        self.quantity = quantity
        self.settings = settings
        seriesNames = EigenSettings.names(quantity.rawValue, settings.k)
    }

    private init(copying other: CurvatureEigenvalues) {
        (quantity, settings, seriesNames, vectors) = (other.quantity, other.settings, other.seriesNames, other.vectors)
    }

    public func copy() -> any Probe { CurvatureEigenvalues(copying: self) }

    /// Eigenvectors are for those who look at the step that they were found at.
    public func code(_ coder: StateCoder) {}

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let gram = try gramMatrix(for: run)
        let found = try naming(quantity.rawValue, run) {
            if let gram { return try gram.eigenpairs(of: run) }
            return switch quantity {
            case .gaussNewton: try run.largestEigenpairs(.ggn, settings)
            case .fisher: try run.largestEigenpairs(.fisher, settings)
            case .tangentKernel: try run.largestEigenpairs(.ntk, settings)
            case .smallest: try pairs(.smallest, of: run)
            case .norm: try pairs(.magnitude, of: run)
            }
        }
        vectors = try gram == nil ? settings.scope.lifted(found.vectors) : []
        return found.measurements(at: run.step, factor: quantity == .norm && found.values[0] < 0 ? -1 : 1)
    }

    /// The Gram matrix with these eigenvalues, where the matrix has one and it is the cheaper way.
    func gramMatrix(for run: Run) throws -> GramMatrix? {
        // It is of whole gradients.
        guard settings.scope.block == nil else { return nil }
        let matrix: GramMatrix
        switch quantity {
        case .fisher: matrix = GramMatrix(.gradients, settings)
        case .tangentKernel: matrix = GramMatrix(.jacobians, settings)
        case .smallest, .norm, .gaussNewton: return nil
        }
        return try matrix.isPreferred(for: run) ? matrix : nil
    }

    private func pairs(_ kind: EigenQuestion.Kind, of run: Run) throws -> FoundEigenpairs {
        try run.eigenCache.eigenpairs(EigenQuestion(kind, over: settings.scope), settings, of: run) {
            try run.curvature(over: settings.scope)
        }
    }
}
