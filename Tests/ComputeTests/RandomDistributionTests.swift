import Foundation
import Testing

@testable import Compute

@Suite struct RandomDistributions {
    func stream(_ index: UInt64 = 0) -> RandomStream { RandomStream(seed: 11, purpose: .test, index: index) }

    /// Pearson's statistic; for k cells it has mean k − 1 and variance 2(k − 1).
    func chiSquareDeviation(_ counts: [Int]) -> Double {
        let expected = Double(counts.reduce(0, +)) / Double(counts.count)
        let statistic = counts.reduce(0.0) { $0 + pow(Double($1) - expected, 2) / expected }
        let degrees = Double(counts.count - 1)
        return (statistic - degrees) / (2 * degrees).squareRoot()
    }

    @Test func uniformNumbersFillTheUnitIntervalEvenly() {
        var s = stream()
        var counts = [Int](repeating: 0, count: 100)
        for _ in 0..<100_000 {
            let u = s.uniform()
            #expect(u >= 0 && u < 1)
            counts[Int(u * 100)] += 1
        }
        #expect(abs(chiSquareDeviation(counts)) < 5)
        #expect(s.position == 200_000)
    }

    /// Round trip through erfc of the C library; near p = ½ the error of the quantile is that of erfc, a few ulp.
    @Test func theNormalQuantileInvertsTheDistributionFunction() {
        for p in [0.5, 0.4999, 0.3, 0.0751, 0.0749, 0.01, 1e-5, 1e-9, 1e-11, 2e-11, 1e-14] {
            let x = RandomStream.normalQuantile(centred: p - 0.5)
            let q = 0.5 - (0.5 - p)  // p as it is represented from the centre
            #expect(abs(0.5 * erfc(-x / 2.0.squareRoot()) / q - 1) < 1e-13)
            #expect(RandomStream.normalQuantile(centred: 0.5 - p) == -x)
        }
        // Known quantiles, 16 digits.
        #expect(abs(RandomStream.normalQuantile(centred: 0.475) - 1.959963984540054) < 1e-14)
        #expect(abs(RandomStream.normalQuantile(centred: 0.25) - 0.6744897501960817) < 1e-15)
    }

    @Test func extremeWordsGiveFiniteSymmetricNormals() {
        let (low, high) = (RandomStream.normal(0), RandomStream.normal(.max))
        #expect(low == -high && high > 8 && high < 8.5)
    }

    @Test func normalNumbersFallEvenlyBetweenTheQuantiles() {
        var s = stream()
        var counts = [Int](repeating: 0, count: 50)
        var moments = [0.0, 0, 0, 0]
        let n = 200_000
        for _ in 0..<n {
            let x = s.normal()
            counts[min(49, Int(50 * 0.5 * erfc(-x / 2.0.squareRoot())))] += 1
            for k in 0..<4 { moments[k] += pow(x, Double(k + 1)) / Double(n) }
        }
        #expect(abs(chiSquareDeviation(counts)) < 5)
        // E x^k = 0, 1, 0, 3 with variances (E x^2k − (E x^k)²)/n = 1, 2, 15, 96 over n.
        for (moment, (mean, variance)) in zip(moments, [(0.0, 1.0), (1, 2), (0, 15), (3, 96)]) {
            #expect(abs(moment - mean) < 5 * (variance / Double(n)).squareRoot())
        }
        #expect(s.position == UInt64(2 * n))
    }

    @Test func fillingIsDrawingOneByOneFromAnyPosition() {
        for start in 0..<9 {
            for count in 0..<10 {
                var (a, b) = (stream(), stream())
                a.position = UInt64(start)
                b.position = UInt64(start)
                var (floats, doubles) = ([Float](repeating: 0, count: count), [Double](repeating: 0, count: count))
                floats.withUnsafeMutableBufferPointer { a.fillNormal($0, mean: 2, std: 0.5) }
                #expect(floats == (0..<count).map { _ in Float(2 + 0.5 * b.normal()) })
                doubles.withUnsafeMutableBufferPointer { a.fillNormal($0) }
                #expect(doubles == (0..<count).map { _ in b.normal() })
                floats.withUnsafeMutableBufferPointer { a.fillUniform($0, low: -1, high: 3) }
                #expect(floats == (0..<count).map { _ in Float(-1 + 4 * b.uniform()) })
                doubles.withUnsafeMutableBufferPointer { a.fillUniform($0) }
                #expect(doubles == (0..<count).map { _ in b.uniform() })
                #expect(a == b)
            }
        }
    }

    @Test func integersBelowABoundAreEquallyLikely() {
        for n in [1, 2, 3, 10, 37] {
            var s = stream(UInt64(n))
            var counts = [Int](repeating: 0, count: n)
            for _ in 0..<20_000 { counts[s.below(n)] += 1 }
            if n > 1 { #expect(abs(chiSquareDeviation(counts)) < 5) }
        }
        // At n = 3·2⁶¹ a plain remainder would favour the lower part by a third; half of all numbers are below n/2.
        var s = stream()
        let n = 3 << 61
        let low = (0..<20_000).count { _ in s.below(n) < n / 2 }
        #expect(abs(Double(low) - 10_000) < 5 * 20_000.0.squareRoot() / 2)
    }

    @Test func everyPermutationIsEquallyLikely() {
        var s = stream()
        var counts: [[Int]: Int] = [:]
        for _ in 0..<24_000 { counts[s.permutation(4), default: 0] += 1 }
        #expect(counts.count == 24)
        #expect(abs(chiSquareDeviation(Array(counts.values))) < 5)
        #expect(Set(s.permutation(1000)) == Set(0..<1000))
        #expect(s.permutation(0).isEmpty && s.permutation(-3).isEmpty)
    }

    @Test func everyOrderedSampleIsEquallyLikely() {
        var s = stream()
        var counts: [[Int]: Int] = [:]
        for _ in 0..<40_000 { counts[s.sample(2, from: 20), default: 0] += 1 }  // 2 < 20/8: the sparse way
        #expect(counts.count == 20 * 19)
        #expect(abs(chiSquareDeviation(Array(counts.values))) < 5)
    }

    @Test func asSampleIsTheBeginningOfAPermutation() {
        var whole = stream()
        let permutation = whole.permutation(100)
        for k in [0, 1, 5, 11, 12, 13, 50, 99, 100, 101] {
            var s = stream()
            #expect(s.sample(k, from: 100) == Array(permutation.prefix(k)))
        }
    }
}
