import Compute
import Testing

@testable import Curvature

@Suite struct MonteCarloTests {
    @Test func exactlyTheAskedNumberIsDrawnWhenNoErrorIsGiven() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 100, chunk: 16)
        var asked: [Int] = []
        let estimate = try rule.mean { count in
            asked.append(count)
            return Array(repeating: 3.0, count: count)
        }
        #expect(asked == [16, 16, 16, 16, 16, 16, 4])
        #expect(estimate.samples == 100)
        #expect(estimate.value == 3)
        #expect(estimate.standardError == 0)
    }

    @Test func drawingStopsAtTheAskedErrorAndNotBeforeTheMinimum() throws {
        let rule = try MonteCarlo(relativeError: 0.5, minSamples: 30, maxSamples: 1000, chunk: 10)
        // 9, 11, 9, 11, …: a relative error of 0.1/√(n − 1), below 0.5 from the start.
        var sign = 1.0
        let estimate = try rule.mean { count in
            (0..<count).map { _ in
                sign = -sign
                return 10 + sign
            }
        }
        #expect(estimate.samples == 30)
        #expect(estimate.value == 10)
        #expect(abs(estimate.standardError - 1 / 29.0.squareRoot()) < 1e-15)
    }

    @Test func theStandardErrorIsTheTextbookOne() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 4)
        var values = [1.0, 2, 3, 6]
        let estimate = try rule.mean { count in
            defer { values = [] }
            return Array(values.prefix(count))
        }
        #expect(estimate.value == 3)
        // s² = (4 + 1 + 0 + 9)/3, divided by n = 4.
        #expect(abs(estimate.standardError - (14.0 / 12).squareRoot()) < 1e-15)
    }

    @Test func aSingleSampleHasNoErrorBar() throws {
        let rule = try MonteCarlo(relativeError: 0.1, minSamples: 1, maxSamples: 1)
        let estimate = try rule.mean { _ in [2] }
        #expect(estimate.value == 2)
        #expect(estimate.standardError.isNaN)
    }

    /// Of 1,000 intervals of ±2 standard errors, 95.4 % cover the truth; the stopping rule and the skewed values cost
    /// little at these sizes. Five standard deviations of that count are 33.
    @Test(arguments: [0.0, 0.05])
    func twoStandardErrorsCoverTheTruth(relativeError: Double) throws {
        let rule = try MonteCarlo(relativeError: relativeError, minSamples: 100, maxSamples: 400, chunk: 20)
        var covered = 0
        for repetition in 0..<1000 {
            var stream = RandomStream(seed: 1, purpose: .probe, index: UInt64(repetition))
            // A mean of 2 with standard deviation 1, slightly skewed.
            let estimate = try rule.mean { count in
                (0..<count).map { _ in
                    let z = stream.normal()
                    return 2 + 0.98 * z + 0.14 * (z * z - 1)
                }
            }
            if abs(estimate.value - 2) <= 2 * estimate.standardError { covered += 1 }
        }
        #expect(abs(Double(covered) - 954) < 40)
    }

    @Test func twoStandardErrorsOfARatioCoverIt() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 200, chunk: 50)
        var covered = 0
        for repetition in 0..<1000 {
            var stream = RandomStream(seed: 1, purpose: .probe, index: UInt64(repetition))
            // E a / E b = 3; a and b are dependent, as a quadratic form and a squared norm of one gradient are.
            let estimate = try rule.ratioOfMeans { count in
                (0..<count).map { _ in
                    let b = 1 + 0.5 * stream.normal()
                    return (3 * b + stream.normal(), b)
                }
            }
            if abs(estimate.value - 3) <= 2 * estimate.standardError { covered += 1 }
        }
        #expect(abs(Double(covered) - 954) < 40)
    }

    @Test func aNanEndsTheEstimateAtOnce() throws {
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 10, maxSamples: 1000, chunk: 10)
        var calls = 0
        let estimate = try rule.mean { count in
            calls += 1
            return (0..<count).map { $0 == 3 ? .nan : 1 }
        }
        #expect(calls == 1)
        #expect(estimate.value.isNaN && estimate.standardError.isNaN)
        let infinite = try rule.ratioOfMeans { count in Array(repeating: (1, 0), count: count) }
        #expect(infinite.value.isNaN)
        // An infinite denominator would make the ratio 0.
        calls = 0
        let vanishing = try rule.ratioOfMeans { count in
            calls += 1
            return (0..<count).map { (numerator: 1, denominator: $0 == 3 ? .infinity : 1) }
        }
        #expect(vanishing.value.isNaN && vanishing.standardError.isNaN && calls == 1)
    }

    /// Scaling draws scales the estimate, to the ends of what a Double holds.
    @Test(arguments: [1e-200, 1e-110, 1, 1e200])
    func anyUnitDoes(unit: Double) throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 8)
        func estimate(_ unit: Double) throws -> Estimate {
            try rule.mean { $0 == 8 ? [1, 2, 1, 3, 1, 2, 1, 9].map { unit * $0 } : [] }
        }
        let (one, scaled) = (try estimate(1), try estimate(unit))
        #expect(abs(scaled.standardError / unit / one.standardError - 1) < 1e-14)
        #expect(abs(scaled.interval().upper / unit / one.interval().upper - 1) < 1e-13)
    }

    @Test func equalDrawsHaveNoErrorButRounding() throws {
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 2, maxSamples: 1000, chunk: 2)
        let estimate = try rule.mean { Array(repeating: 0.1, count: $0) }
        #expect(estimate.samples == 16 && abs(estimate.value - 0.1) < 1e-16 && estimate.standardError < 1e-17)
        let zero = try rule.mean { Array(repeating: 0, count: $0) }
        #expect(zero.samples == 16 && zero.interval() == (0, 0))
        let ratio = try rule.ratioOfMeans { Array(repeating: (0.3, 0.1), count: $0) }
        #expect(abs(ratio.value - 3) < 1e-14 && ratio.standardError < 1e-15)
    }

    /// Two draws: one degree of freedom, whose t is 12.7; their skewness is not known.
    @Test func twoDrawsHaveAWideInterval() throws {
        let rule = try MonteCarlo(relativeError: 0.5, minSamples: 1, maxSamples: 2)
        let estimate = try rule.mean { _ in [1, 3] }
        #expect(estimate.value == 2 && estimate.standardError == 1 && estimate.degreesOfFreedom == 1)
        #expect(abs(estimate.interval().upper - 14.7062) < 1e-4)
        let ratio = try rule.ratioOfMeans { _ in [(1, 2), (3, 2)] }
        #expect(ratio.value == 1 && ratio.standardError == 0.5)
    }

    @Test func theErrorOfARatioIsThatOfLeavingOutOnePairAfterAnother() throws {
        let pairs = [(3.0, 1.0), (5, 2), (2, 1.5), (9, 4), (1, 0.5)]
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 5)
        let estimate = try rule.ratioOfMeans { _ in pairs }
        let without = pairs.indices.map { i in
            let rest = pairs.indices.filter { $0 != i }.map { pairs[$0] }
            return rest.reduce(0) { $0 + $1.0 } / rest.reduce(0) { $0 + $1.1 }
        }
        let mean = without.reduce(0, +) / 5
        let variance = 4.0 / 5 * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        #expect(abs(estimate.value - 20 / 9) < 1e-15)
        #expect(abs(estimate.standardError - variance.squareRoot()) < 1e-15)
    }

    @Test func errorsOfTheDrawComeThrough() throws {
        struct Stop: Error {}
        let rule = try MonteCarlo(relativeError: 0.01, minSamples: 10, maxSamples: 100)
        #expect(throws: Stop.self) { try rule.mean { _ in throw Stop() } }
        #expect(throws: CurvatureError.self) { try rule.mean { _ in [] } }
    }

    @Test func settingsThatCannotBeMetAreErrors() {
        #expect(throws: CurvatureError.self) { try MonteCarlo(relativeError: -1, minSamples: 1, maxSamples: 1) }
        #expect(throws: CurvatureError.self) { try MonteCarlo(relativeError: .nan, minSamples: 1, maxSamples: 1) }
        #expect(throws: CurvatureError.self) { try MonteCarlo(relativeError: 0, minSamples: 5, maxSamples: 4) }
        #expect(throws: CurvatureError.self) { try MonteCarlo(relativeError: 0, minSamples: 0, maxSamples: 4) }
    }
}
