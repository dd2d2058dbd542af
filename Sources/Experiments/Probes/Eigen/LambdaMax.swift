import Compute
import Curvature
import Networks
import Objectives

/// The algebraically largest eigenvalues of the Hessian over the training data, each with the residual ‖Hv − λv‖ of its unit
/// vector. Cohen et al. 2021.
///
/// Series: `lambda_max`, the largest; with k > 1 also `lambda_max_2`, …: values in their order, so where two eigenvalues cross
/// the series change directions. Which direction has which value is kept beside them, for k > 1: with the measurement of
/// `lambda_max` go two lists, `identity`, the number of each eigenvector's direction in the order in which directions were
/// first seen, and `cosine`, the overlap with that direction when last seen (0 for a new one). ``vectors`` keep their signs.
public final class LambdaMax: EigenvectorProbe {
    public typealias Options = EigenSettings

    static let declarations = [
        EigenSettings.declaration(
            "lambda_max", "The algebraically largest eigenvalues of the Hessian. [Cohen et al. 2021]",
            further: [.block]
        ) { settings, _ in try LambdaMax(settings) }
    ]

    public let options: EigenSettings
    public let seriesNames: [String]
    /// The eigenvectors last found, largest eigenvalue first, each turned so that it continues its direction; those of a block are 0
    /// outside of it.
    public private(set) var vectors: [Vector] = []
    private var tracker = EigenTracker()

    public init(_ options: EigenSettings = EigenSettings()) throws {
        try options.check("lambda_max")
        self.options = options
        seriesNames = EigenSettings.names("lambda_max", options.k)
    }

    private init(copying other: LambdaMax) {
        (options, seriesNames, vectors, tracker) = (other.options, other.seriesNames, other.vectors, other.tracker)
    }

    public func copy() -> any Probe { LambdaMax(copying: self) }

    /// The directions that it follows; ``vectors`` are for those who look at the step that they were found at.
    public func code(_ coder: StateCoder) throws {
        var memory = tracker.kept
        try coder.code("identities", &memory.identities)
        try coder.code("directions", &memory.vectors)
        try coder.code("seen", &memory.seen)
        guard memory.identities.count == memory.vectors.count else {
            throw ExperimentError.invalid("the checkpoint is not complete: the directions of lambda_max are not")
        }
        tracker.kept = memory
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let found = try naming("lambda_max", run) { try run.largestEigenpairs(.hessian, options) }
        let matches = try tracker.follow(found.vectors)
        vectors = try options.scope.lifted(matches.vectors)
        var measurements = found.measurements(at: run.step)
        if options.k > 1 {
            measurements[0].arrays = ["identity": matches.identities.map(Double.init), "cosine": matches.cosines]
        }
        return measurements
    }
}
