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
        /// How many training samples the Hessian is taken over, drawn once from a stream of the probe's own; nil for all.
        public var samples: Int?

        public init(k: Int = 1, tolerance: Double = 0.01, samples: Int? = nil) {
            self.k = k
            self.tolerance = tolerance
            self.samples = samples
        }
    }

    public let options: Options
    public let seriesNames: [String]
    private var selection: BatchSelection?
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
        seriesNames = (1...options.k).map { $0 == 1 ? "lambda_max" : "lambda_max_\($0)" }
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
        let hessian = Hessian(run.oracle, at: run.parameters, over: try selection(of: run))
        var stream = stream
        return try topEigenpairs(
            of: hessian, k: options.k, tolerance: options.tolerance, warmStart: warmStart, stream: &stream)
    }

    private func selection(of run: Run) throws -> BatchSelection {
        if let selection { return selection }
        let made: BatchSelection
        if let count = options.samples {
            guard (1...run.data.train.count).contains(count) else {
                throw ExperimentError.invalid(
                    "lambda_max: samples is \(count), the data has \(run.data.train.count) samples")
            }
            var stream = RandomStream(seed: run.seed, purpose: .subset, index: 1)
            made = .indices(stream.sample(count, from: run.data.train.count))
        } else {
            made = .all
        }
        selection = made
        return made
    }
}
