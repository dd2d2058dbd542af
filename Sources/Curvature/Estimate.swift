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

    public init(value: Double, standardError: Double, samples: Int, products: Int = 0, seconds: Double = 0) {
        self.value = value
        self.standardError = standardError
        self.samples = samples
        self.products = products
        self.seconds = seconds
    }

    /// The standard error relative to the value; infinite for a value of 0 with an error.
    public var relativeError: Double {
        standardError == 0 ? 0 : standardError / abs(value)
    }

    /// The interval around ``value`` that covers the truth with this probability, by Student's t with `samples − 1` degrees
    /// of freedom; the value alone where it is exact, all numbers where the error cannot be told.
    ///
    /// - Parameter confidence: in (0, 1): 0.95 for the usual interval.
    public func interval(_ confidence: Double = 0.95) -> (lower: Double, upper: Double) {
        if standardError == 0 { return (value, value) }
        guard value.isFinite, standardError.isFinite, samples >= 2 else { return (-.infinity, .infinity) }
        let width = standardError * StudentT.quantile(confidence: confidence, degrees: Double(samples - 1))
        return (value - width, value + width)
    }
}

/// Wall-clock time since its making.
struct Stopwatch {
    private let start = ContinuousClock.now

    var seconds: Double {
        let elapsed = (ContinuousClock.now - start).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
}
