import Compute
import Curvature
import Networks

/// The largest eigenvalues of the Hessian over the training data, each with the residual ‖Hv − λv‖ of its unit vector.
///
/// Each measurement starts from the eigenvectors of the one before. Series: `lambda_max`, and with k > 1 `lambda_max_2`, ….
public final class LambdaMax: Probe {
    public struct Options: Sendable {
        /// How many eigenvalues.
        public var k: Int
        /// Relative accuracy of the eigenvalues.
        public var tolerance: Double
        /// What the Hessian is taken over.
        public var scope: ProbeScope

        public init(k: Int = 1, tolerance: Double = 0.01, scope: ProbeScope = ProbeScope()) {
            self.k = k
            self.tolerance = tolerance
            self.scope = scope
        }
    }

    static let declarations = [
        ProbeDeclaration(
            "lambda_max", "The algebraically largest eigenvalues of the Hessian. [Cohen et al. 2021]",
            options: [.k, .tolerance] + ProbeScope.options, series: { names("lambda_max", try $0.integer("k") ?? 1) },
            make: { arguments, run in
                let scope = try ProbeScope(arguments, run)
                return try LambdaMax(
                    Options(
                        k: arguments.eigenvalueCount(of: run), tolerance: arguments.number("tolerance") ?? 0.01,
                        scope: scope))
            })
    ]

    /// `lambda_max`, `lambda_max_2`, ….
    static func names(_ base: String, _ k: Int) -> [String] {
        (0..<k).map { $0 == 0 ? base : "\(base)_\($0 + 1)" }
    }

    public let options: Options
    public let seriesNames: [String]
    /// The eigenvectors last found, largest eigenvalue first.
    public private(set) var vectors: [Vector] = []
    /// What the next measurement starts from.
    private var warmStart: [Vector] = []

    public init(_ options: Options = Options()) throws {
        guard options.k >= 1 else {
            throw ExperimentError.invalid("lambda_max: k must be at least 1, not \(options.k)")
        }
        guard options.tolerance > 0, options.tolerance < 1 else {
            throw ExperimentError.invalid("lambda_max: tolerance must lie between 0 and 1, not \(options.tolerance)")
        }
        self.options = options
        seriesNames = Self.names("lambda_max", options.k)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let pairs = try eigenpairs(of: run, stream: stream)
        vectors = pairs.vectors
        warmStart = pairs.warmStart
        return (0..<options.k).map { i in
            Measurement(
                step: run.step, value: pairs.values[i], products: pairs.products, residual: pairs.residuals[i],
                seconds: pairs.seconds)
        }
    }

    func eigenpairs(of run: Run, stream: RandomStream) throws -> Eigenpairs {
        let scope = options.scope
        let hessian = CurvatureOperator(
            of: try scope.oracle(of: run), at: run.parameters, over: try scope.selection(of: run))
        var stream = stream
        return try topEigenpairs(
            of: hessian, k: options.k, tolerance: options.tolerance, warmStart: warmStart, stream: &stream)
    }
}
