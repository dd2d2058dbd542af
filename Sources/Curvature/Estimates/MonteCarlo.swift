import Compute
import Objectives

/// When a Monte-Carlo estimate has enough samples.
///
/// Values are drawn in chunks. After each chunk the estimate stops if it has at least ``minSamples`` and its relative
/// standard error is at most ``relativeError``; it never takes more than ``maxSamples``. With `relativeError` 0 it takes
/// exactly `maxSamples`. The chunk is part of the definition: another one stops at another number.
///
/// An error that is itself estimated is small by chance now and then, and a rule that waits for that would stop too early.
/// So it is believed from 16 draws on only, and is compared as an interval: the half-width of Student's 95 % interval, in
/// units of that of many draws. The coverage of ``Estimate/interval(_:)`` under this rule is measured in
/// `docs/decisions/estimators.md`.
public struct MonteCarlo: Sendable, Hashable, Codable {
    public let relativeError: Double
    public let minSamples: Int
    public let maxSamples: Int
    public let chunk: Int

    /// Of fewer independent values an error is not believed when it says stop.
    static let fewestForAnError = 16
    /// The same for means of groups, which are nearly normal.
    static let fewestGroups = 6

    /// - Throws: ``CurvatureError`` for a negative or nan `relativeError`, or counts below 1 or out of order.
    public init(relativeError: Double, minSamples: Int, maxSamples: Int, chunk: Int = 16) throws {
        guard relativeError >= 0 else {
            throw CurvatureError.badSetting("rel_error must be 0 or larger, not \(relativeError)")
        }
        guard minSamples >= 1, maxSamples >= 1, chunk >= 1 else {
            throw CurvatureError.badSetting("min_samples, max_samples and the chunk must be at least 1")
        }
        guard minSamples <= maxSamples else {
            throw CurvatureError.badSetting("min_samples (\(minSamples)) is larger than max_samples (\(maxSamples))")
        }
        self.relativeError = relativeError
        self.minSamples = minSamples
        self.maxSamples = maxSamples
        self.chunk = chunk
    }

    /// The draws that are taken whatever their scatter.
    var certainSamples: Int {
        relativeError > 0 ? min(maxSamples, max(minSamples, Self.fewestForAnError)) : maxSamples
    }

    /// The mean of drawn values; its standard error is s/√n.
    ///
    /// A value that is infinite or nan ends the estimate: its value and error are nan then, because no number of further
    /// draws would mend it.
    ///
    /// - Parameter draw: gives so many further values, independent of those before.
    /// - Throws: what `draw` throws; ``CurvatureError`` if it gives another number of values than asked.
    public func mean(_ draw: (Int) throws -> [Double]) throws -> Estimate {
        try estimate(draw) { Summary(mean: $0) }
    }

    /// The mean of drawn numerators over the mean of drawn denominators, r = ā/b̄; the standard error is that of the jackknife:
    /// the standard deviation of e = (a − r·b)·(1 − 1/n)/(1 − b/(nb̄)) over |b̄|√n. Without the factor it is the delta method's,
    /// which takes too little of the pairs that r is drawn to, those with large denominators. The ratio has a bias of order 1/n.
    ///
    /// The studentised error of r is that of ē but for a factor 1 + T·cov(e, b)/(s_e b̄)/√n to first order: this enters the
    /// skewness of the interval.
    ///
    /// - Parameter draw: gives so many further pairs, independent of those before (a and b of a pair may depend).
    /// - Throws: as ``mean(_:)``.
    public func ratioOfMeans(
        _ draw: (Int) throws -> [(numerator: Double, denominator: Double)]
    ) throws -> Estimate {
        try estimate(draw) { Summary(ratio: $0) }
    }

    /// What draws say of a number.
    struct Summary {
        var value: Double
        /// nan for a single draw.
        var error: Double
        var skewness = 0.0
        /// Independent deviations that the error rests on.
        var degrees: Int
        init(value: Double, error: Double, skewness: Double, degrees: Int) {
            self.value = value
            self.error = error
            self.skewness = skewness
            self.degrees = degrees
        }

        /// Of independent values: their mean, its error and their skewness (the adjusted one, of third moment over
        /// the third power of the standard deviation).
        init(mean values: [Double]) {
            let n = Double(values.count)
            value = values.reduce(0, +) / n
            degrees = values.count - 1
            // In units of the largest deviation, whose cube may leave the range of Double.
            var unit = 0.0
            for x in values { unit = max(unit, abs(x - value)) }
            var (squares, cubes) = (0.0, 0.0)
            if unit > 0 {
                for x in values {
                    let d = (x - value) / unit
                    squares += d * d
                    cubes += d * d * d
                }
            }
            error = values.count < 2 ? .nan : unit * (squares / (n - 1) / n).squareRoot()
            if values.count > 2, squares > 0 {
                let variance = squares / n
                let plain = cubes / n / (variance * variance.squareRoot())
                skewness = plain * (n * (n - 1)).squareRoot() / (n - 2)
            }
        }

        /// Of independent pairs: ā/b̄ with its jackknife error, see ``MonteCarlo/ratioOfMeans(_:)``.
        init(ratio pairs: [(numerator: Double, denominator: Double)]) {
            let denominator = Summary(mean: pairs.map(\.denominator)).value
            // Over an infinite mean the ratio would be 0, and look like a value.
            let ratio = denominator.isFinite ? Summary(mean: pairs.map(\.numerator)).value / denominator : .nan
            // (1 − 1/n)/(1 − b/(nb̄)) = (n − 1)b̄/(nb̄ − b): how far r moves where the pair is left out.
            let n = Double(pairs.count)
            let rest = pairs.map {
                ($0.numerator - ratio * $0.denominator) * ((n - 1) * denominator / (n * denominator - $0.denominator))
            }
            self.init(mean: rest)
            let spread = error * Double(pairs.count).squareRoot()
            let product = zip(rest, pairs).reduce(0) { $0 + $1.0 * ($1.1.denominator - denominator) }
            let shared = product / Double(max(1, pairs.count - 1)) / (spread * abs(denominator))
            skewness = spread > 0 ? (denominator < 0 ? -1 : 1) * skewness - 3 * shared : 0
            value = ratio
            error /= abs(denominator)
        }
    }

    /// A value that can be had without sampling, for so many draws' work.
    struct Exact {
        let cost: Int
        let compute: () throws -> Estimate
    }

    /// Draws until the summary of all draws is precise enough, or it is cancelled.
    ///
    /// - Parameters:
    ///   - size: how many samples each draw counts for.
    ///   - exact: taken instead as soon as the draws still needed would cost as much.
    func estimate<Draw>(
        size: Int = 1, exact: Exact? = nil, _ draw: (Int) throws -> [Draw], _ summary: ([Draw]) -> Summary
    ) throws -> Estimate {
        let watch = Stopwatch()
        let limit = max(1, maxSamples / size)
        var draws: [Draw] = []
        var nextSummary = 1
        // Means of whole groups are nearly normal, and few: their sample skewness is noise.
        func estimate(_ result: Summary, isFinished: Bool = true) -> Estimate {
            let hopeless = !result.value.isFinite
            DrawCourse.current?.add(draws: draws.count) { summary(Array(draws.prefix($0))).value }
            return Estimate(
                value: hopeless ? .nan : result.value, standardError: hopeless ? .nan : result.error,
                samples: draws.count * size, seconds: watch.seconds, skewness: size > 1 ? nil : result.skewness,
                degreesOfFreedom: result.degrees, isFinished: isFinished)
        }
        while true {
            let asked = min(max(1, chunk / size), limit - draws.count)
            guard let new = try unlessCancelled({ try draw(asked) }) else {
                if draws.isEmpty { throw Cancelled() }
                return estimate(summary(draws), isFinished: false)
            }
            guard new.count == asked else {
                throw CurvatureError.badSetting("asked for \(asked) draws and got \(new.count)")
            }
            draws += new
            // Where no error is asked for, a summary only says whether there is hope: of all draws, after each chunk, it would come to
            // take longer than they do.
            if relativeError == 0 && draws.count < min(nextSummary, limit) { continue }
            nextSummary = 2 * draws.count
            let result = summary(draws)
            let hopeless = !result.value.isFinite
            let needed = samplesNeeded(result)
            let fewest = size > 1 ? Self.fewestGroups : Self.fewestForAnError
            let precise = draws.count * size >= minSamples && draws.count >= fewest && needed <= 1
            if precise || hopeless || draws.count >= limit {
                return estimate(result)
            }
            let left = min(needed * Double(draws.count), Double(limit)) - Double(draws.count)
            if let exact, draws.count >= certainSamples, left >= Double(exact.cost) {
                guard var value = try unlessCancelled(exact.compute) else { return estimate(result, isFinished: false) }
                value.seconds = watch.seconds
                return value
            }
        }
    }

    /// How many times as many draws the asked error needs; at most 1 where it is reached, infinite where no error is asked.
    func samplesNeeded(_ summary: Summary) -> Double {
        guard relativeError > 0, summary.degrees >= 1, summary.error.isFinite else { return .infinity }
        if summary.error == 0 { return 0 }
        let ratio = summary.error / (relativeError * abs(summary.value))
        if ratio > 1 { return ratio * ratio }
        let wider = StudentT.quantile(confidence: 0.95, degrees: Double(summary.degrees)) / 1.959963984540054
        return ratio * ratio * wider * wider
    }
}
