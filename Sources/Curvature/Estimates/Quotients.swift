import Foundation

/// A drawn quotient a/b whose denominator can vanish.
public struct QuotientDraw: Sendable, Hashable {
    public let numerator: Double
    public let denominator: Double
    /// What the denominator can be at most: of an inner product the product of the norms.
    public let scale: Double

    public init(numerator: Double, denominator: Double, scale: Double) {
        (self.numerator, self.denominator, self.scale) = (numerator, denominator, scale)
    }
}

/// What draws say of a quotient whose denominator can vanish.
///
/// Where the denominator has a positive density at 0 the quotient has tails like 1/x²: it has no variance, and s/√n is the error of
/// nothing. Its median and the ratio of the means have errors all the same.
public struct QuotientEstimates: Sendable {
    /// The mean of the quotients; its error is not a number where the variance may not exist.
    public var mean: Estimate
    /// The ratio of the means, see ``MonteCarlo/ratioOfMeans(_:)``.
    public var ratioOfMeans: Estimate
    /// The median of the quotients. Its error is the half-width of ``medianInterval`` in units of that of a normal value.
    public var median: Estimate
    /// Between two order statistics: it covers the median with at least 95 %, whatever the distribution; nil for less than six
    /// draws, which have no such interval.
    public let medianInterval: ClosedRange<Double>?

    /// Of all pairs that there are.
    init(exactly draws: [QuotientDraw], seconds: Double) {
        let quotients = draws.map { $0.numerator / $0.denominator }
        func exact(_ value: Double) -> Estimate {
            Estimate(value: value, standardError: 0, samples: draws.count, seconds: seconds)
        }
        mean = exact(quotients.reduce(0, +) / Double(draws.count))
        ratioOfMeans = exact(
            draws.reduce(0) { $0 + $1.numerator } / draws.reduce(0) { $0 + $1.denominator })
        median = exact(Self.median(quotients.sorted()))
        medianInterval = nil
    }

    /// Of draws whose mean is known.
    init(_ draws: [QuotientDraw], mean: Estimate, ratioOfMeans: Estimate) {
        self.mean = mean
        self.ratioOfMeans = ratioOfMeans
        let sorted = draws.map { $0.numerator / $0.denominator }.sorted()
        let isComplete = !sorted.contains(where: \.isNaN)
        let places = Self.medianPlaces(sorted.count)
        medianInterval = isComplete ? places.map { sorted[$0.lowerBound]...sorted[$0.upperBound] } : nil
        // Half of a normal interval of 95 %.
        let error = medianInterval.map { ($0.upperBound - $0.lowerBound) / (2 * 1.959963984540054) }
        median = Estimate(
            value: isComplete ? Self.median(sorted) : .nan, standardError: error ?? .nan, samples: draws.count,
            seconds: mean.seconds)
    }

    private static func median(_ sorted: [Double]) -> Double {
        guard !sorted.isEmpty, !sorted.contains(where: \.isNaN) else { return .nan }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The places, from 0, of the order statistics between which the median lies with at least 95 %: the number of draws below
    /// it is binomial.
    static func medianPlaces(_ n: Int) -> ClosedRange<Int>? {
        let all = lgamma(Double(n) + 1) - Double(n) * log(2)
        var below = 0.0
        var place = 0
        while place < n {
            let ways: Double = all - lgamma(Double(place) + 1) - lgamma(Double(n - place) + 1)
            let share = exp(ways)
            if below + share > 0.025 { break }
            below += share
            place += 1
        }
        return place == 0 ? nil : (place - 1)...(n - place)
    }
}

extension MonteCarlo {
    /// How far from 0, in units of its scale, every drawn denominator must keep, on one side, for the variance of the quotient to be
    /// believed in. A tenth is well above what chance leaves empty around 0 in a few tens of draws.
    private static let leastShare = 0.1

    /// Whether all denominators have one sign and keep away from 0.
    static func keepAwayFromZero(_ draws: [QuotientDraw]) -> Bool {
        let shares = draws.map { $0.denominator / $0.scale }
        return shares.allSatisfy { $0 >= leastShare } || shares.allSatisfy { $0 <= -leastShare }
    }

    /// The mean of quotients, the ratio of means and the median, over the same draws.
    ///
    /// Where the variance of the quotient may not exist (a denominator among the draws changes its sign or comes near to 0) the
    /// mean has no error to stop by: `maxSamples` are drawn.
    ///
    /// - Parameter draw: gives so many further pairs, independent of those before.
    /// - Throws: as ``mean(_:)``.
    public func quotients(_ draw: (Int) throws -> [QuotientDraw]) throws -> QuotientEstimates {
        var drawn: [QuotientDraw] = []
        var mean = try estimate { count in
            let new = try draw(count)
            drawn += new
            return new
        } _: { draws in
            var summary = Summary(mean: draws.map { $0.numerator / $0.denominator })
            if !Self.keepAwayFromZero(draws) { summary.error = .nan }
            return summary
        }
        if mean.standardError.isNaN { mean.skewness = nil }
        let pairs = drawn.map { (numerator: $0.numerator, denominator: $0.denominator) }
        var ratio = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: drawn.count, chunk: drawn.count)
            .ratioOfMeans { _ in pairs }
        (ratio.seconds, ratio.isFinished) = (mean.seconds, mean.isFinished)
        var estimates = QuotientEstimates(drawn, mean: mean, ratioOfMeans: ratio)
        estimates.median.isFinished = mean.isFinished
        return estimates
    }
}

extension QuotientEstimates {
    /// Of pairs that leave nothing to chance.
    public static func exactly(_ draws: [QuotientDraw], seconds: Double = 0) -> QuotientEstimates {
        QuotientEstimates(exactly: draws, seconds: seconds)
    }
}
