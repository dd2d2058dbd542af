import Compute
import Foundation

/// A number that was measured and not computed exactly, with its error bar and its cost.
public struct Estimate: Sendable, Equatable, Codable {
    public var value: Double
    /// The standard error of ``value``: one standard deviation of what repetitions would give. 0 where the value is
    /// exact, nan where it cannot be told (a single sample).
    public var standardError: Double
    /// Random draws used.
    public var samples: Int
    /// Matrix–vector products (or quadratic forms) used.
    public var products: Int
    /// Wall-clock time, seconds.
    public var seconds: Double
    /// The skewness of the draws, which makes the interval longer on the side of their tail; nil where unknown. For a ratio
    /// that of its linearisation, less three times what it owes to the denominator (see ``MonteCarlo/ratioOfMeans(_:)``).
    public var skewness: Double?
    /// On how many independent deviations the standard error rests; nil for one less than the samples.
    public var degreesOfFreedom: Int?
    /// False where it was cancelled (`Cancellation.keepsUnfinished`): a value from fewer draws than were asked for.
    public var isFinished: Bool

    public init(
        value: Double, standardError: Double, samples: Int, products: Int = 0, seconds: Double = 0,
        skewness: Double? = nil, degreesOfFreedom: Int? = nil, isFinished: Bool = true
    ) {
        self.value = value
        self.standardError = standardError
        self.samples = samples
        self.products = products
        self.seconds = seconds
        self.skewness = skewness
        self.degreesOfFreedom = degreesOfFreedom
        self.isFinished = isFinished
    }

    /// The standard error relative to the value; infinite for a value of 0 with an error.
    public var relativeError: Double {
        standardError == 0 ? 0 : standardError / abs(value)
    }

    /// The interval that covers the truth with this probability; the value alone where it is exact, all numbers where the
    /// error cannot be told.
    ///
    /// Student's t for the number of draws, corrected for their skewness by Hall's transformation (1992): if T is the
    /// error over its standard error, T + aT²/3 + a²T³/27 + a/6 is closer to normal than T, a = γ/√n. Samples of skewed
    /// values show too little of their skewness γ, so 3/2 of it is taken; of fewer than six draws none. The constant and the
    /// coverage are measured, see `docs/decisions/estimators.md`.
    ///
    /// - Parameter confidence: in (0, 1): 0.95 for the usual interval.
    public func interval(_ confidence: Double = 0.95) -> (lower: Double, upper: Double) {
        if standardError == 0 { return (value, value) }
        let degrees = degreesOfFreedom ?? samples - 1
        guard value.isFinite, standardError.isFinite, degrees >= 1 else { return (-.infinity, .infinity) }
        let t = StudentT.quantile(confidence: confidence, degrees: Double(degrees))
        let known = skewness.map { $0.isFinite ? $0 : 0 } ?? 0
        let a = degrees < 5 ? 0 : 1.5 * known / Double(degrees + 1).squareRoot()
        func inverse(_ x: Double) -> Double {
            // The limit for a → 0, where the formula cancels.
            abs(a) < 1e-6 ? x : 3 / a * (cbrt(1 + a * (x - a / 6)) - 1)
        }
        return (value - standardError * inverse(t), value - standardError * inverse(-t))
    }
}

/// The value of `body`, all of it or nothing; nil where it was cancelled and unfinished results are kept.
func unlessCancelled<Value>(_ body: () throws -> Value) throws -> Value? {
    do {
        return try Cancellation.$keepsUnfinished.withValue(false, operation: body)
    } catch let cancelled as Cancelled {
        guard Cancellation.keepsUnfinished else { throw cancelled }
        return nil
    }
}
