/// When a Monte-Carlo estimate has enough samples.
///
/// Values are drawn in chunks. After each chunk the estimate stops if it has at least ``minSamples`` and its relative
/// standard error is at most ``relativeError``; it never takes more than ``maxSamples``. With `relativeError` 0 it takes
/// exactly `maxSamples`. The chunk is part of the definition: another one stops at another number.
public struct MonteCarlo: Sendable, Hashable, Codable {
    public let relativeError: Double
    public let minSamples: Int
    public let maxSamples: Int
    public let chunk: Int

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

    /// The mean of drawn values; its standard error is s/√n.
    ///
    /// A value that is infinite or nan ends the estimate: its value and error are nan then, because no number of further
    /// draws would mend it.
    ///
    /// - Parameter draw: gives so many further values, independent of those before.
    /// - Throws: what `draw` throws; ``CurvatureError`` if it gives another number of values than asked.
    public func mean(_ draw: (Int) throws -> [Double]) throws -> Estimate {
        try estimate(draw) { values in
            let (mean, error) = Self.meanAndError(values)
            return (mean, error)
        }
    }

    /// The mean of drawn numerators over the mean of drawn denominators, r = ā/b̄; the standard error is that of the delta
    /// method, the standard deviation of aᵢ − r·bᵢ over |b̄|√n. The ratio has a bias of order 1/n.
    ///
    /// - Parameter draw: gives so many further pairs, independent of those before (a and b of a pair may depend).
    /// - Throws: as ``mean(_:)``.
    public func ratioOfMeans(
        _ draw: (Int) throws -> [(numerator: Double, denominator: Double)]
    ) throws -> Estimate {
        try estimate(draw) { pairs in
            let denominator = Self.meanAndError(pairs.map(\.denominator)).mean
            let ratio = Self.meanAndError(pairs.map(\.numerator)).mean / denominator
            let error = Self.meanAndError(pairs.map { $0.numerator - ratio * $0.denominator }).error
            return (ratio, error / abs(denominator))
        }
    }

    private func estimate<Draw>(
        _ draw: (Int) throws -> [Draw], _ summary: ([Draw]) -> (value: Double, error: Double)
    ) throws -> Estimate {
        let watch = Stopwatch()
        var draws: [Draw] = []
        while true {
            let asked = min(chunk, maxSamples - draws.count)
            let new = try draw(asked)
            guard new.count == asked else {
                throw CurvatureError.badSetting("asked for \(asked) draws and got \(new.count)")
            }
            draws += new
            let (value, error) = summary(draws)
            let precise =
                relativeError > 0 && draws.count >= max(2, minSamples) && error <= relativeError * abs(value)
            let hopeless = !value.isFinite
            if precise || hopeless || draws.count >= maxSamples {
                return Estimate(
                    value: hopeless ? .nan : value, standardError: hopeless ? .nan : error, samples: draws.count,
                    seconds: watch.seconds)
            }
        }
    }

    /// Mean and standard error of the mean; the error of a single value is nan.
    static func meanAndError(_ values: [Double]) -> (mean: Double, error: Double) {
        let n = Double(values.count)
        let mean = values.reduce(0, +) / n
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, values.count < 2 ? .nan : (squares / (n - 1) / n).squareRoot())
    }
}
