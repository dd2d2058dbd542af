import Compute
import Foundation
import Testing

@testable import Curvature

/// How often the 95 % interval of repeated estimates holds the truth, in per cent. The standard deviation of 400
/// repetitions at 95 % is 1.1 %.
func coverage(
    of truth: Double, repetitions: Int = 400, seed: UInt64, _ estimate: (inout RandomStream) throws -> Estimate
) rethrows -> Double {
    var covered = 0
    for repetition in 0..<repetitions {
        var stream = RandomStream(seed: seed, purpose: .test, index: UInt64(repetition))
        let (lower, upper) = try estimate(&stream).interval(0.95)
        if lower <= truth && truth <= upper { covered += 1 }
    }
    return 100 * Double(covered) / Double(repetitions)
}

/// What is drawn: values of mean 1.
enum Draws: String, CaseIterable, Sendable {
    case normal, wide, lognormal, skewed, exponential, leftSkewed

    /// What the share of intervals that cover is to lie in, per cent. The skewed draws have a skewness of 3.3, of which 20
    /// values show a third: at the worst number of draws 91.8 % of many repetitions cover.
    var promise: ClosedRange<Double> { self == .skewed ? 89.5...98 : 92...98 }

    func next(_ stream: inout RandomStream) -> Double {
        switch self {
        case .normal: 1 + 0.3 * stream.normal()
        case .wide: 1 + 1.2 * stream.normal()
        case .lognormal: exp(0.5 * stream.normal() - 0.125)
        case .skewed: exp(0.75 * stream.normal() - 0.28125)
        case .exponential: -log(1 - stream.uniform())
        case .leftSkewed: 4 / 3 + log(1 - stream.uniform()) / 3
        }
    }
}

@Suite struct CoverageTests {
    /// The promise: of 95 % intervals 92 to 98 % cover, under the sequential rule, from 10 samples on, in small chunks.
    /// The errors asked for stop at about 20 and 100 draws; more cases are in `docs/decisions/estimators.md`.
    @Test(arguments: Draws.allCases)
    func intervalsCoverWheneverDrawingStops(draws: Draws) throws {
        for (number, relativeError) in [0.13, 0.06].enumerated() {
            let rule = try MonteCarlo(relativeError: relativeError, minSamples: 10, maxSamples: 120, chunk: 4)
            let share = try coverage(of: 1, seed: UInt64(20 + number)) { stream in
                try rule.mean { count in (0..<count).map { _ in draws.next(&stream) } }
            }
            #expect(draws.promise.contains(share), "\(draws) \(relativeError): \(share)")
        }
    }

    @Test(arguments: [10, 30])
    func intervalsOfAFixedNumberCover(samples: Int) throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: samples)
        for draws in Draws.allCases {
            let share = try coverage(of: 1, seed: 50) { stream in
                try rule.mean { count in (0..<count).map { _ in draws.next(&stream) } }
            }
            #expect(draws.promise.contains(share), "\(draws) \(samples): \(share)")
        }
    }

    /// Numerator and denominator as a quadratic form and a squared norm: positive, skewed, correlated.
    @Test(arguments: [0.0, 0.8])
    func intervalsOfRatiosCover(correlation: Double) throws {
        for (relativeError, chunk) in [(0.1, 4), (0.05, 16)] {
            let rule = try MonteCarlo(relativeError: relativeError, minSamples: 10, maxSamples: 400, chunk: chunk)
            let share = try coverage(of: 2, seed: 60) { stream in
                try rule.ratioOfMeans { count in
                    (0..<count).map { _ in
                        let z = stream.normal()
                        let w = correlation * z + (1 - correlation * correlation).squareRoot() * stream.normal()
                        return (2 * exp(0.5 * w - 0.125), exp(0.5 * z - 0.125))
                    }
                }
            }
            #expect(share >= 92 && share <= 98, "\(correlation) \(relativeError): \(share)")
        }
    }

    /// The standard error is one standard deviation of repetitions: the root mean square of the errors over that of the bars.
    @Test func theStandardErrorIsThatOfRepetitions() throws {
        let rule = try MonteCarlo(relativeError: 0.05, minSamples: 10, maxSamples: 400, chunk: 16)
        var (errors, bars) = (0.0, 0.0)
        for repetition in 0..<500 {
            var stream = RandomStream(seed: 70, purpose: .test, index: UInt64(repetition))
            let estimate = try rule.mean { count in (0..<count).map { _ in Draws.lognormal.next(&stream) } }
            errors += (estimate.value - 1) * (estimate.value - 1)
            bars += estimate.standardError * estimate.standardError
        }
        // Stopping early goes with a small error bar: a few per cent, beside 3 % of the 500 repetitions.
        #expect(abs((errors / bars).squareRoot() - 1) < 0.15)
    }

    /// Student's table: 12.706, 2.2622, 2.0423 and 1.95996 for 1, 9, 30 and many degrees.
    @Test func quantilesAreStudents() {
        for (degrees, value) in [(1.0, 12.7062), (2, 4.30265), (9, 2.26216), (30, 2.04227), (1e7, 1.95996)] {
            #expect(abs(StudentT.quantile(confidence: 0.95, degrees: degrees) / value - 1) < 1e-5)
        }
        // One degree is Cauchy's distribution: tan(π c/2).
        #expect(abs(StudentT.quantile(confidence: 0.5, degrees: 1) - 1) < 1e-12)
        #expect(abs(StudentT.cumulative(-2, degrees: 5) + StudentT.cumulative(2, degrees: 5) - 1) < 1e-15)
    }

    @Test func intervalsOfExactAndHopelessValues() {
        let exact = Estimate(value: 3, standardError: 0, samples: 1)
        #expect(exact.interval() == (3, 3))
        let single = Estimate(value: 3, standardError: .nan, samples: 1)
        #expect(single.interval() == (-.infinity, .infinity))
        // Without skewness the interval is Student's: 2.2622 standard errors for ten samples.
        let ten = Estimate(value: 1, standardError: 0.1, samples: 10)
        #expect(abs(ten.interval().upper - 1.226216) < 1e-6)
        // A tail on the right: more room above than below.
        let skewed = Estimate(value: 1, standardError: 0.1, samples: 10, skewness: 1)
        #expect(skewed.interval().upper - 1 > 1 - skewed.interval().lower)
    }
}

@Suite struct ControlVariateTests {
    /// y = 1 + 2c + e with controls of variance 1 and e of variance 0.09: a reduction from 4.09 to 0.09.
    private func draws(_ count: Int, _ stream: inout RandomStream) -> [ControlledDraw] {
        (0..<count).map { _ in
            let (c, other) = (stream.normal(), stream.normal())
            return ControlledDraw(value: 1 + 2 * c + 0.3 * stream.normal(), controls: [c, other])
        }
    }

    @Test(arguments: [ControlCoefficients.given([2, 0]), .fitted])
    func controlsTakeTheVarianceThatTheyExplain(_ coefficients: ControlCoefficients) throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 40)
        var (errors, bars) = (0.0, 0.0)
        let share = try coverage(of: 1, seed: 80) { stream in
            let estimate = try rule.mean(controls: coefficients) { draws($0, &stream) }
            errors += (estimate.value - 1) * (estimate.value - 1) / 400
            bars += estimate.standardError * estimate.standardError / 400
            return estimate
        }
        // 0.09/40, for fitted coefficients times (n − 2)/(n − 4); the mean of 400 squares scatters by 7 %.
        #expect(abs(errors / (0.09 / 40) - 1) < 0.3)
        #expect(abs(bars / errors - 1) < 0.3)
        #expect(share >= 91 && share <= 99)
    }

    @Test func theGivenMultipleNeedNotBeTheBest() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 40)
        let share = try coverage(of: 1, seed: 81) { stream in
            try rule.mean(controls: .given([1, 0.5])) { draws($0, &stream) }
        }
        #expect(share >= 91 && share <= 99)
    }

    @Test func aControlThatIsACombinationOfOthersChangesNothing() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 30)
        func estimate(_ double: Bool) throws -> Estimate {
            var stream = RandomStream(seed: 82, purpose: .test)
            return try rule.mean(controls: .fitted) { count in
                draws(count, &stream).map {
                    ControlledDraw(
                        value: $0.value,
                        controls: double ? [$0.controls[0], 2 * $0.controls[0]] : [$0.controls[0]])
                }
            }
        }
        let (one, two) = (try estimate(false), try estimate(true))
        #expect(abs(one.value - two.value) < 1e-9)
        // Only a degree of freedom is given away.
        #expect(abs(two.standardError / one.standardError - 1) < 0.03)
    }

    @Test func drawsMustHaveTheControlsThatWereSaid() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 4)
        var stream = RandomStream(seed: 83, purpose: .test)
        #expect(throws: CurvatureError.self) { try rule.mean(controls: .given([1])) { draws($0, &stream) } }
    }
}
