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

    @Test func ratioOfMeansHasItsDeltaMethodError() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 200, chunk: 50)
        var covered = 0
        for repetition in 0..<1000 {
            var stream = RandomStream(seed: 2, purpose: .probe, index: UInt64(repetition))
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
