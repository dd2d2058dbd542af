import Compute
import Curvature
import Networks

/// What probes of eigenvalues share: how many, how exact, by which solver, and over which samples.
public struct EigenSettings: Sendable {
    /// How many eigenvalues.
    public var k: Int
    /// The relative error of the eigenvalues aimed at, between 0 and 1. An eigenvector's error is of first order where its
    /// eigenvalue's is of second, about residual/gap: whoever looks at directions takes a smaller one.
    public var tolerance: Double
    public var solver: EigenSolver
    /// What the matrix is taken over.
    public var scope: ProbeScope
    /// Whether every solve starts from random vectors alone, with the certainty of a first one.
    public var isCold: Bool

    public init(
        k: Int = 1, tolerance: Double = 0.01, solver: EigenSolver = .automatic, scope: ProbeScope = ProbeScope(),
        isCold: Bool = false
    ) {
        self.isCold = isCold
        self.k = k
        self.tolerance = tolerance
        self.solver = solver
        self.scope = scope
    }

    static let options: [ProbeOption] = [.k] + optionsOfOne
    /// Of probes that look at one eigenpair.
    static let optionsOfOne: [ProbeOption] = [.tolerance, .solver, .cold] + ProbeScope.options

    /// The same for probes that look at directions, with a tolerance ten times as small.
    static let directionOptions: [ProbeOption] = [.k] + directionOptionsOfOne
    static let directionOptionsOfOne: [ProbeOption] = [.directionTolerance, .solver, .cold] + ProbeScope.options
    /// The defaults of probes that look at directions.
    public static let ofDirections = EigenSettings(tolerance: 0.001)

    /// As options say, for a probe that looks at directions.
    /// - Throws: as `init(_:_:)`.
    init(directions arguments: ProbeArguments, _ run: Run) throws {
        try self.init(arguments, run)
        if !arguments.has("tolerance") { tolerance = Self.ofDirections.tolerance }
    }

    /// As options say.
    /// - Throws: `ExperimentError.invalid`, with both figures, for more eigenvalues than parameters, more samples than the data.
    public init(_ arguments: ProbeArguments, _ run: Run) throws {
        let scope = try ProbeScope(arguments, run)
        try self.init(
            k: arguments.eigenvalueCount(of: run, over: scope), tolerance: arguments.number("tolerance") ?? 0.01,
            solver: arguments.choice("solver") ?? .automatic, scope: scope,
            isCold: arguments.boolean("cold") ?? false)
    }

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    func check(_ probe: String) throws {
        guard k >= 1 else { throw ExperimentError.invalid("\(probe): k must be at least 1, not \(k)") }
        guard tolerance > 0, tolerance < 1 else {
            throw ExperimentError.invalid("\(probe): tolerance must lie between 0 and 1, not \(tolerance)")
        }
    }

    /// `lambda_max`, `lambda_max_2`, ….
    static func names(_ base: String, _ k: Int) -> [String] {
        (0..<max(1, k)).map { $0 == 0 ? base : "\(base)_\($0 + 1)" }
    }

    /// A probe with a series for each of k eigenvalues.
    /// - Parameter further: options beside those that all of them have.
    static func declaration(
        _ name: String, _ summary: String, further: [ProbeOption] = [],
        make: @escaping @Sendable (EigenSettings, Run) throws -> any Probe
    ) -> ProbeDeclaration {
        ProbeDeclaration(
            name, summary, options: options + further, series: { names(name, try $0.integer("k") ?? 1) },
            make: { try make(EigenSettings($0, $1), $1) })
    }
}

extension ProbeOption {
    static let directionTolerance = ProbeOption(
        "tolerance", .number(.positive), default: "0.001",
        "The residual of eigenvectors, over their eigenvalue.")
    static let solver = ProbeOption(
        "solver", .choice(EigenSolver.allCases.map(\.rawValue)), default: "\"automatic\"",
        "How eigenvalues are found; by default whatever costs least.")
    static let cold = ProbeOption(
        "cold", .boolean, default: "false",
        "Find eigenvectors from a random start each time, not from those last found on the way: a fifth dearer, and surer of the largest one. What is measured by hand always is."
    )
}

/// A probe that finds eigenvectors.
public protocol EigenvectorProbe: Probe {
    /// The unit vectors last found, in the order of the series.
    var vectors: [Vector] { get }
}

/// Measures, and says of which probe it was where something is not finite.
func naming<Result>(_ probe: String, _ run: Run, _ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch CurvatureError.notFinite(let what) {
        throw CurvatureError.notFinite(what: "\(probe) at step \(run.step) of run '\(run.name)': \(what)")
    }
}
