import Compute
import Curvature
import Networks
import Objectives

/// Which batches an expectation E_B[…] is taken over, and when there are enough of them: the options that all probes of this
/// kind share.
///
/// Batches are drawn from the probe's own stream, without replacement inside a batch. Batches that were named, and the one
/// batch of all samples, leave nothing to chance: their standard error is 0.
public struct BatchSampling: Sendable {
    public var scope: ProbeScope
    /// Samples in a batch; nil for the run's own at each measurement.
    public var batchSize: Int?
    /// Stops when the standard error relative to the value is at most this; 0 takes exactly `maxSamples` batches.
    public var relativeError: Double
    /// Batches.
    public var minSamples: Int
    public var maxSamples: Int
    /// These batches, sample numbers from 0, in place of random ones.
    public var batches: [[Int]]?

    public init(
        relativeError: Double, minSamples: Int, maxSamples: Int, batchSize: Int? = nil, batches: [[Int]]? = nil,
        scope: ProbeScope = ProbeScope()
    ) {
        self.relativeError = relativeError
        self.minSamples = minSamples
        self.maxSamples = maxSamples
        self.batchSize = batchSize
        self.batches = batches
        self.scope = scope
    }

    /// As options say, with these for what they do not.
    public init(_ arguments: ProbeArguments, _ run: Run, defaults: BatchSampling) throws {
        self = defaults
        scope = try ProbeScope(arguments, run)
        batchSize = try arguments.batchSize(of: run)
        batches = try arguments.batches(of: run)
        relativeError = try arguments.number("rel_error") ?? relativeError
        minSamples = try arguments.integer("min_samples") ?? minSamples
        maxSamples = try arguments.integer("max_samples") ?? maxSamples
        if arguments.has("min_samples"), minSamples > maxSamples {
            throw ExperimentError.invalid(
                "min_samples (\(minSamples)) is larger than max_samples (\(maxSamples)\(arguments.has("max_samples") ? "" : ", the default"))"
            )
        }
        if batches == nil, batchSize ?? run.batchCount > scope.count(of: run) {
            let whose = batchSize == nil ? "run '\(run.name)' has" : "option"
            throw ExperimentError.invalid(
                "\(whose) batch_size \(batchSize ?? run.batchCount): batches are drawn from \(scope.count(of: run)) samples "
                    + "(option 'samples')")
        }
        if batches != nil, batchSize != nil || arguments.has("samples") {
            throw ExperimentError.invalid(
                "option 'batches' names the samples itself: give no batch_size or samples with it")
        }
    }

    /// What a probe with these defaults declares.
    var options: [ProbeOption] {
        [.batchSize, .batches]
            + ProbeOption.stopping(relativeError: relativeError, minSamples: minSamples, maxSamples: maxSamples)
            + ProbeScope.options
    }

    /// A probe of one series whose batches these are where its options do not say otherwise.
    /// - Parameter further: options beside those that all of them have.
    func declaration(
        _ name: String, _ summary: String, further: [ProbeOption] = [],
        make: @escaping @Sendable (BatchSampling) -> any Probe
    ) -> ProbeDeclaration {
        ProbeDeclaration(name, summary, options: options + further) { make(try BatchSampling($0, $1, defaults: self)) }
    }

    /// The batches of one measurement.
    /// - Parameter chunk: batches drawn at once; by default as many as are stacked for one evaluation.
    /// - Throws: `ExperimentError.invalid` for samples that the data does not have, and for more than there are.
    func source(of run: Run, _ stream: RandomStream, chunk: Int? = nil) throws -> BatchSource {
        let size = batchSize ?? run.batchCount
        let subset = try scope.indices(of: run)
        let count = scope.count(of: run)
        var named = batches
        if let batches {
            guard !batches.isEmpty else { throw ExperimentError.invalid("option 'batches' names no batch") }
            for batch in batches { try ProbeArguments.check(batch, of: run, "batches") }
        } else {
            guard (1...count).contains(size) else {
                throw ExperimentError.invalid(
                    "batch_size is \(size): there are \(count) samples to draw from; give the probe a batch_size of its own"
                )
            }
            if size == count { named = [subset ?? Array(0..<count)] }
        }
        return BatchSource(
            oracle: try scope.oracle(of: run), named: named, size: size, count: count, subset: subset,
            monteCarlo: try MonteCarlo(
                relativeError: relativeError, minSamples: min(minSamples, maxSamples), maxSamples: maxSamples,
                chunk: chunk ?? max(1, Oracle.stackedSamples / size)), stream: stream)
    }
}

/// The batches of one measurement: those that were named, or random ones, one after the other.
final class BatchSource {
    let oracle: Oracle
    /// The batches where nothing is left to chance.
    let named: [[Int]]?
    /// Samples in a random batch, and how many there are to draw from.
    let size: Int
    let count: Int
    private let subset: [Int]?
    let monteCarlo: MonteCarlo
    private var stream: RandomStream

    init(
        oracle: Oracle, named: [[Int]]?, size: Int, count: Int, subset: [Int]?, monteCarlo: MonteCarlo,
        stream: RandomStream
    ) {
        self.oracle = oracle
        self.named = named
        self.size = size
        self.count = count
        self.subset = subset
        self.monteCarlo = monteCarlo
        self.stream = stream
    }

    /// What random batches are drawn from.
    var selection: BatchSelection { subset.map { .indices($0) } ?? .all }

    /// (n − b)/((n − 1)b): the variance of the mean of b numbers drawn without replacement out of n, over the variance of
    /// those n. Cochran, *Sampling Techniques*, 1977.
    var varianceOfMeans: Double {
        count == 1 ? 0 : Double(count - size) / (Double(count - 1) * Double(size))
    }

    /// Whether the mean over batches of a batch's gradient is the gradient over all samples: no statistics are shared inside a
    /// batch, and all samples count alike.
    func hasUnbiasedGradients() throws -> Bool {
        if oracle.hasGhostBatches { return false }
        let weights = try oracle.sampleWeights(over: selection)
        return weights.allSatisfy { $0 == weights[0] }
    }

    /// So many further random batches, laid end to end.
    func next(_ batches: Int) -> [Int] {
        numbered((0..<batches).flatMap { _ in stream.sample(size, from: count) })
    }

    /// Places among the samples that batches are drawn from, as sample numbers.
    func numbered(_ places: [Int]) -> [Int] { subset.map { subset in places.map { subset[$0] } } ?? places }

    /// The stream from where it stands, for one who draws by itself from now on.
    func takeStream() -> RandomStream { stream }

    /// E_B of a value that batches have.
    /// - Parameter values: those of batches of equal size, laid end to end.
    func mean(_ values: (_ batches: [Int], _ size: Int) throws -> [Double]) throws -> Estimate {
        if let named { return try exact(named, values) { mean($0) } }
        return try monteCarlo.mean { try values(next($0), size) }
    }

    /// E_B of a value that is drawn with numbers whose expectation is 0; these are of no use over named batches.
    func mean(
        controls: ControlCoefficients, _ values: (_ batches: [Int], _ size: Int) throws -> [ControlledDraw]
    ) throws -> Estimate {
        if let named { return try exact(named, values) { mean($0.map(\.value)) } }
        return try monteCarlo.mean(controls: controls) { try values(next($0), size) }
    }

    /// The variance over random batches of a value that they have: the mean of ½(x − x′)² over pairs of batches.
    func variance(_ values: (_ batches: [Int], _ size: Int) throws -> [Double]) throws -> Estimate {
        let half = try MonteCarlo(
            relativeError: monteCarlo.relativeError, minSamples: (monteCarlo.minSamples + 1) / 2,
            maxSamples: (monteCarlo.maxSamples + 1) / 2, chunk: (monteCarlo.chunk + 1) / 2)
        var estimate = try half.mean { pairs in
            let x = try values(next(2 * pairs), size)
            return (0..<pairs).map { pair in
                let difference = x[2 * pair] - x[2 * pair + 1]
                return difference * difference / 2
            }
        }
        estimate.samples *= 2
        return estimate
    }

    func exact<Draw>(
        _ batches: [[Int]], _ values: ([Int], Int) throws -> [Draw], _ summary: ([Draw]) -> Double
    ) throws -> Estimate {
        let watch = Stopwatch()
        let draws = try batches.flatMap { try values($0, $0.count) }
        return Estimate(
            value: summary(draws), standardError: 0, samples: draws.count,
            seconds: watch.seconds)
    }

    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}

extension ProbeScope {
    /// ∇L over the samples of the scope, at the present parameters.
    func gradient(of run: Run) throws -> Vector {
        if samples == nil, statistics == .batch { return try run.gradient() }
        return try oracle(of: run).gradient(at: run.parameters, over: selection(of: run)).gradient
    }

    /// L over the samples of the scope.
    func loss(of run: Run) throws -> Double {
        if samples == nil, statistics == .batch { return try run.evaluation().loss }
        return try oracle(of: run).evaluate(
            at: run.parameters, over: selection(of: run), keepingOutputs: false
        ).loss
    }
}

extension Measurement {
    /// A number that no draw has changed: its standard error is 0, and nan, which is no number, has none.
    init(step: Int, exact value: Double, samples: Int, seconds: Double? = nil) {
        self.init(
            step: step, value: value, standardError: value.isNaN ? nil : 0, samples: samples, seconds: seconds)
    }

    /// An estimate, as a measurement of this step.
    public init(step: Int, _ estimate: Estimate) {
        let (lower, upper) = estimate.interval(0.95)
        let isNothing = estimate.value.isNaN && estimate.standardError == 0
        self.init(
            step: step, value: estimate.value, standardError: isNothing ? nil : estimate.standardError,
            samples: estimate.samples,
            products: estimate.products == 0 ? nil : estimate.products, seconds: estimate.seconds,
            interval: lower <= upper ? lower...upper : nil)
        isFinished = estimate.isFinished
    }
}
