import Compute
import Curvature
import Objectives

/// How much of the gradient lies in the space of the top eigenvectors: ‖P_i g‖/‖g‖ for i = 1 … k, P_i the projector on the
/// eigenvectors of the i largest eigenvalues, and what is left, ‖g − P_k g‖/‖g‖. Andreyev & Beneventano 2024.
///
/// Series: `gradient_projection` for i = 1, `gradient_projection_2`, …, and `gradient_projection_residual`. Not a number where
/// the gradient vanishes. The residual recorded with each is that of its eigenpair.
public final class GradientProjection: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "gradient_projection",
            "‖P_i g‖/‖g‖, P_i the projector on the top i eigenvectors of the Hessian, and the residual. [Andreyev & Beneventano 2024]",
            options: EigenSettings.directionOptions, series: { names(try $0.integer("k") ?? 1) },
            make: { try GradientProjection(EigenSettings(directions: $0, $1)) })
    ]

    static func names(_ k: Int) -> [String] {
        EigenSettings.names("gradient_projection", k) + ["gradient_projection_residual"]
    }

    public let settings: EigenSettings
    public let seriesNames: [String]

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ settings: EigenSettings = EigenSettings.ofDirections) throws {
        try settings.check("gradient_projection")
        self.settings = settings
        seriesNames = Self.names(settings.k)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let found = try naming("gradient_projection", run) { try run.largestEigenpairs(.hessian, settings).finished() }
        var rest = try run.eigenCache.gradient(over: settings.scope, of: run)
        let norm = rest.norm()
        var squares = 0.0
        var result: [Measurement] = []
        for (i, u) in found.vectors.enumerated() {
            let coefficient = try u.dot(rest)
            try rest.add(-coefficient, u)
            squares += coefficient * coefficient
            result.append(found.measurement(at: run.step, value: squares.squareRoot() / norm, ofPair: i))
        }
        return result + [found.measurement(at: run.step, value: rest.norm() / norm)]
    }
}

/// |u·g|/‖g‖, u the top eigenvector of the Hessian: the cosine of the angle between the gradient and the line of u. Not a number
/// where the gradient vanishes.
public final class Alignment: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "alignment", "|u·g|/‖g‖, u the top eigenvector of the Hessian and g the gradient.",
            options: EigenSettings.directionOptionsOfOne
        ) { try Alignment(EigenSettings(directions: $0, $1)) }
    ]

    public let settings: EigenSettings
    public let seriesNames = ["alignment"]

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ settings: EigenSettings = EigenSettings.ofDirections) throws {
        try settings.check("alignment")
        self.settings = settings
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let found = try naming("alignment", run) { try run.largestEigenpairs(.hessian, settings).finished() }
        let gradient = try run.eigenCache.gradient(over: settings.scope, of: run)
        let slope = try found.vectors[0].dot(gradient)
        return [found.measurement(at: run.step, value: abs(slope) / gradient.norm(), ofPair: 0)]
    }
}

/// How far the top eigenvectors have turned since the measurement before: the largest principal angle between the spaces of the
/// top k eigenvectors then and now, in radians from 0 to π/2; for k = 1 the angle between the lines of two vectors. Not a number
/// at the first measurement.
///
/// Within a space eigenvalues may cross and vectors turn unseen; where the k-th eigenvalue crosses the next one the angle is
/// large, as it should be. An angle below about residual/gap is the solver's error: see the option `tolerance`.
public final class EigenvectorAngle: EigenvectorProbe {
    static let declarations = [
        ProbeDeclaration(
            "eigenvector_angle",
            "The largest principal angle, in radians, between the top k eigenvectors of the Hessian and those of the measurement before.",
            options: EigenSettings.directionOptions
        ) { try EigenvectorAngle(EigenSettings(directions: $0, $1)) }
    ]

    public let settings: EigenSettings
    public let seriesNames = ["eigenvector_angle"]
    public private(set) var vectors: [Vector] = []

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ settings: EigenSettings = EigenSettings.ofDirections) throws {
        try settings.check("eigenvector_angle")
        self.settings = settings
    }

    private init(copying other: EigenvectorAngle) {
        (settings, vectors) = (other.settings, other.vectors)
    }

    public func copy() -> any Probe { EigenvectorAngle(copying: self) }

    public func code(_ coder: StateCoder) throws { try coder.code("vectors", &vectors) }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let found = try naming("eigenvector_angle", run) { try run.largestEigenpairs(.hessian, settings).finished() }
        let angle = vectors.isEmpty ? .nan : try largestPrincipalAngle(between: vectors, and: found.vectors)
        vectors = found.vectors
        return [found.measurement(at: run.step, value: angle)]
    }
}
