import Compute
import Foundation
import Graph
import Testing

@testable import Curvature

@Suite struct Quotients {
    private func draws(_ count: Int, _ stream: inout RandomStream, denominator: (Double) -> Double) -> [QuotientDraw] {
        (0..<count).map { _ in
            let (a, b) = (1 + stream.normal(), denominator(stream.normal()))
            return QuotientDraw(numerator: a, denominator: b, scale: 1 + abs(b))
        }
    }

    /// A normal number over a normal number around 0: Cauchy's tails, no variance. Of 300 estimates not one has an error.
    @Test func whereTheVarianceDoesNotExistTheMeanHasNoError() throws {
        for seed in 0..<300 {
            var stream = RandomStream(seed: UInt64(seed), purpose: .test)
            let found = try MonteCarlo(relativeError: 0.1, minSamples: 1, maxSamples: 64, chunk: 8).quotients {
                draws($0, &stream) { $0 }
            }
            #expect(found.mean.standardError.isNaN && found.mean.samples == 64 && found.mean.value.isFinite)
        }
    }

    /// Denominators from ½ to 2½: the quotient is bounded by the numerator, and everything is as for a plain mean.
    @Test func whereItDoesTheMeanIsAnOrdinaryOne() throws {
        let rule = try MonteCarlo(relativeError: 0.05, minSamples: 1, maxSamples: 5000, chunk: 16)
        var stream = RandomStream(seed: 3, purpose: .test)
        let found = try rule.quotients { draws($0, &stream) { 1.5 + tanh($0) } }
        stream = RandomStream(seed: 3, purpose: .test)
        let plain = try rule.mean { draws($0, &stream) { 1.5 + tanh($0) }.map { $0.numerator / $0.denominator } }
        #expect(found.mean.value == plain.value && found.mean.standardError == plain.standardError)
        #expect(found.mean.samples == plain.samples && plain.samples < 5000)
        stream = RandomStream(seed: 3, purpose: .test)
        let ratio = try MonteCarlo(
            relativeError: 0, minSamples: 1, maxSamples: plain.samples, chunk: plain.samples
        ).ratioOfMeans { draws($0, &stream) { 1.5 + tanh($0) }.map { ($0.numerator, $0.denominator) } }
        #expect(found.ratioOfMeans.value == ratio.value && found.ratioOfMeans.standardError == ratio.standardError)
    }

    /// The median of a number around 1 over one around 0 is known by symmetry in the denominator's sign: 0. Its interval covers it in
    /// 95 % at least; of 400 repetitions the share has a standard deviation of 1.1 %. By the order statistics that far apart
    /// it is 96 to 97 % for 20 to 60 draws.
    @Test(arguments: [6, 20, 61]) func theIntervalOfTheMedianHoldsForAnyDistribution(count: Int) throws {
        let covered = try (0..<400).count { seed in
            var stream = RandomStream(seed: UInt64(seed), purpose: .test)
            let found = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: count, chunk: count).quotients {
                draws($0, &stream) { $0 }
            }
            #expect(found.median.standardError > 0)
            return try #require(found.medianInterval).contains(0)
        }
        #expect(covered >= 366, "\(covered)")
        #expect(count < 20 || covered < 400, "an interval that always covers is too long")
    }

    /// P(X ≤ 5) = 2.07 % and P(X ≤ 6) = 5.8 % for 20 tosses of a coin; 5 tosses have no place.
    @Test func theOrderStatisticsAreThoseOfTheBinomialDistribution() throws {
        #expect(QuotientEstimates.medianPlaces(20) == 5...14)
        #expect(QuotientEstimates.medianPlaces(6) == 0...5)
        #expect(QuotientEstimates.medianPlaces(5) == nil && QuotientEstimates.medianPlaces(0) == nil)
        // √n/2 is the standard deviation.
        let first = Double(try #require(QuotientEstimates.medianPlaces(10_000)).lowerBound)
        let expected: Double = 5000 - 1.96 * 50
        #expect(abs(first - expected) < 2)
    }

    @Test func ofAllPairsNothingIsLeftToChance() {
        let all = [(1.0, 2.0), (3, -1), (2, 4), (8, 1)].map { QuotientDraw(numerator: $0, denominator: $1, scale: 1) }
        let found = QuotientEstimates.exactly(all)
        #expect(found.mean.value == 1.5 && found.ratioOfMeans.value == 14.0 / 6 && found.median.value == 0.5)
        #expect([found.mean, found.ratioOfMeans, found.median].allSatisfy { $0.standardError == 0 && $0.samples == 4 })
    }
}
