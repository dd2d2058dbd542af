import Compute
import Curvature
import Networks
import Objectives

/// How training at the edge of stability holds its sharpness back (Damian, Nichani & Lee 2022): the sharpness S = λ_max(H) along
/// its eigenvector u, its gradient ∇S = ∇³L[u, u], and what follows from it.
///
/// ∇S is exact for every layer, by the third derivative of the loss; it exists where the largest eigenvalue is simple. Its error
/// is that of u, about residual/gap.
public struct SelfStabilization: Sendable {
    /// S.
    public let sharpness: Double
    /// u, a unit vector.
    public let direction: Vector
    /// ∇S.
    public let gradient: Vector
    /// ∇S⊥ = ∇S − u(u·∇S).
    public let perpendicular: Vector
    /// α = −∇L·∇S⊥, progressive sharpening: how fast gradient flow would raise the sharpness, were it not for u.
    public let progressiveSharpening: Double
    /// β_s = ‖∇S⊥‖², how strongly an oscillation along u lowers the sharpness.
    public let strength: Double

    /// δ = √(2α/β_s), how far θ is from the constrained trajectory along u where both balance. Not a number where the sharpness
    /// does not rise, α < 0.
    public var deviation: Double { (2 * progressiveSharpening / strength).squareRoot() }

    /// α of F = L + ½ω‖θ‖², which coupled weight decay ω descends: −(∇L + ωθ)·∇S⊥. u, ∇S and β_s are those of L.
    /// - Throws: `VectorError` for a point of another model.
    public func progressiveSharpening(decay: Double, at point: Vector) throws -> Double {
        decay == 0 ? progressiveSharpening : progressiveSharpening - decay * (try point.dot(perpendicular))
    }

    /// The sharpness of L that SGD settles at, 2/η − ω − ηβ_sσ_u²/(4α) (arXiv 2604.21016, of F, whose sharpness is S + ω).
    /// - Parameters:
    ///   - rate: η.
    ///   - decay: ω.
    ///   - sharpening: α of what is descended; by default that without decay.
    ///   - noise: σ_u² = Var_B(u·g_B), which decay leaves as it is.
    public func predictedSharpness(
        rate: Double, decay: Double = 0, sharpening: Double? = nil, noise: Double
    ) -> Double {
        2 / rate - decay - rate * strength * noise / (4 * (sharpening ?? progressiveSharpening))
    }

    /// Of an eigenpair that is known.
    /// - Parameters:
    ///   - direction: u, a unit vector.
    ///   - sharpness: S, for the record.
    ///   - lossGradient: ∇L at `point` over the same samples.
    /// - Throws: what derivatives throw; `VectorError` for vectors of another model.
    public init(
        of oracle: Oracle, at point: Vector, over samples: BatchSelection = .all, direction: Vector, sharpness: Double,
        lossGradient: Vector
    ) throws {
        gradient = try oracle.directional(at: point, along: [direction, direction], over: samples)
        var perpendicular = gradient
        try perpendicular.add(-direction.dot(gradient), direction)
        self.perpendicular = perpendicular
        self.direction = direction
        self.sharpness = sharpness
        progressiveSharpening = -(try lossGradient.dot(perpendicular))
        strength = perpendicular.squaredNorm
    }
}

extension Run {
    /// Self-stabilisation at the present parameters. The eigenpair is the one that probes share, and the third derivative is
    /// taken once for all who ask at this point.
    public func selfStabilization(_ settings: EigenSettings = EigenSettings.ofDirections) throws -> SelfStabilization {
        try sharedStabilization(settings).value
    }

    /// As above, along a unit vector u whose curvature is S, both known to the caller.
    public func selfStabilization(
        along direction: Vector, sharpness: Double, scope: ProbeScope = ProbeScope()
    ) throws -> SelfStabilization {
        try SelfStabilization(
            of: scope.oracle(of: self), at: parameters, over: scope.selection(of: self), direction: direction,
            sharpness: sharpness, lossGradient: eigenCache.gradient(over: scope, of: self))
    }

    /// With the eigenpair and what it cost.
    func sharedStabilization(
        _ settings: EigenSettings
    ) throws -> (value: SelfStabilization, found: FoundEigenpairs) {
        let found = try largestEigenpairs(.hessian, settings).finished()
        let (scope, tolerance) = (settings.scope, settings.tolerance)
        if let value = eigenCache.stabilization(over: scope, tolerance: tolerance, of: self) { return (value, found) }
        let value = try selfStabilization(along: found.vectors[0], sharpness: found.values[0], scope: scope)
        eigenCache.keep(value, over: scope, tolerance: tolerance, of: self)
        return (value, found)
    }
}

/// α = −∇L·∇S⊥ (`progressive_sharpening`), or β_s = ‖∇S⊥‖² and δ = √(2α/β_s) (`self_stabilization`,
/// `self_stabilization_delta`). Damian, Nichani & Lee 2022.
///
/// The residual recorded is that of the eigenpair, ‖Hu − Su‖.
public final class StabilizationProbe: EigenvectorProbe {
    public enum Quantity: String, Sendable {
        case progressiveSharpening = "progressive_sharpening"
        case selfStabilization = "self_stabilization"
    }

    static let declarations = [
        ProbeDeclaration(
            "progressive_sharpening",
            "α = −∇L·∇S⊥, the rate at which the gradient raises the sharpness S. [Damian, Nichani & Lee 2022]",
            options: EigenSettings.directionOptionsOfOne
        ) { try StabilizationProbe(.progressiveSharpening, EigenSettings(directions: $0, $1)) },
        ProbeDeclaration(
            "self_stabilization",
            "β_s = ‖∇S⊥‖², and δ = √(2α/β_s) as self_stabilization_delta. [Damian, Nichani & Lee 2022]",
            options: EigenSettings.directionOptionsOfOne,
            series: { _ in names(.selfStabilization) },
            make: { try StabilizationProbe(.selfStabilization, EigenSettings(directions: $0, $1)) }),
    ]

    private static func names(_ quantity: Quantity) -> [String] {
        switch quantity {
        case .progressiveSharpening: ["progressive_sharpening"]
        case .selfStabilization: ["self_stabilization", "self_stabilization_delta"]
        }
    }

    public let quantity: Quantity
    public let settings: EigenSettings
    public let seriesNames: [String]
    public private(set) var vectors: [Vector] = []

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ quantity: Quantity, _ settings: EigenSettings = EigenSettings.ofDirections) throws {
        try settings.check(quantity.rawValue)
        self.quantity = quantity
        self.settings = settings
        seriesNames = Self.names(quantity)
    }

    private init(copying other: StabilizationProbe) {
        (quantity, settings, seriesNames, vectors) = (other.quantity, other.settings, other.seriesNames, other.vectors)
    }

    public func copy() -> any Probe { StabilizationProbe(copying: self) }

    /// Eigenvectors are for those who look at the step that they were found at.
    public func code(_ coder: StateCoder) {}

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let (value, found) = try naming(quantity.rawValue, run) { try run.sharedStabilization(settings) }
        vectors = [value.direction]
        let values =
            switch quantity {
            case .progressiveSharpening: [value.progressiveSharpening]
            case .selfStabilization: [value.strength, value.deviation]
            }
        return values.map {
            var measurement = found.measurement(at: run.step, value: $0, ofPair: 0)
            // The third derivative took time too.
            measurement.seconds = nil
            return measurement
        }
    }
}
