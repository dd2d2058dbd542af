import Compute
import Networks
import Objectives
import Testing

@testable import Curvature

/// Batch sharpness of all pairs of the twelve samples of a small network: every batch of two there is, so that the truth is
/// known and draws cost nothing.
private struct Pairs {
    private var table = [[BatchCurvature?]](repeating: Array(repeating: nil, count: 12), count: 12)
    let oracle: Oracle
    var mean = 0.0
    var ratio = 0.0

    init() throws {
        let problem = try NetworkProblem(loss: .crossEntropy)
        oracle = problem.oracle
        let pairs = (0..<12).flatMap { i in (0..<i).map { [i, $0] } }
        let values = try oracle.batchCurvature(at: problem.theta, batches: pairs.flatMap { $0 }, size: 2)
        for (pair, value) in zip(pairs, values) {
            table[pair[0]][pair[1]] = value
            table[pair[1]][pair[0]] = value
            mean += value.ratio / 66
        }
        ratio = values.reduce(0) { $0 + $1.quadratic } / values.reduce(0) { $0 + $1.squaredGradientNorm }
    }

    func values(_ batches: [Int]) -> [BatchCurvature] {
        stride(from: 0, to: batches.count, by: 2).compactMap { table[batches[$0]][batches[$0 + 1]] }
    }
}

private struct Repeated {
    var variance = 0.0
    var bar = 0.0
    var coverage = 0.0

    init(truth: Double, repetitions: Int = 2000, _ estimate: (inout RandomStream) throws -> Estimate) rethrows {
        var covered = 0.0
        for repetition in 0..<repetitions {
            var stream = RandomStream(seed: 1, purpose: .test, index: UInt64(repetition))
            let result = try estimate(&stream)
            let (lower, upper) = result.interval()
            if lower <= truth && truth <= upper { covered += 1 }
            variance += (result.value - truth) * (result.value - truth) / Double(repetitions)
            bar += result.standardError * result.standardError / Double(repetitions)
        }
        coverage = 100 * covered / Double(repetitions)
    }
}

@Suite struct BatchDrawsTests {
    private let pairs: Pairs

    init() throws { pairs = try Pairs() }

    @Test func permutationsHaveLessVarianceAndAnHonestErrorBar() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 72)
        func repeated(_ permuted: Bool) throws -> Repeated {
            let sampling = try BatchDraws(size: 2, of: 12, for: rule, permuted: permuted)
            #expect(sampling.group == (permuted ? 6 : 1))
            return try Repeated(truth: pairs.mean) { stream in
                try rule.mean(over: sampling, stream: &stream) { pairs.values($0).map(\.ratio) }
            }
        }
        let (together, alone) = (try repeated(true), try repeated(false))
        #expect(together.variance < 0.7 * alone.variance, "\(together) \(alone)")
        for result in [together, alone] {
            #expect(result.coverage >= 92 && result.coverage <= 98, "\(result)")
            // The mean of 2,000 squares scatters by 3 %.
            #expect(abs(result.bar / result.variance - 1) < 0.15, "\(result)")
        }
    }

    @Test func intervalsCoverWhenTheErrorSaysStop() throws {
        let rule = try MonteCarlo(relativeError: 0.03, minSamples: 10, maxSamples: 600, chunk: 1)
        let sampling = try BatchDraws(size: 2, of: 12, for: rule)
        let mean = try Repeated(truth: pairs.mean) { stream in
            try rule.mean(over: sampling, stream: &stream) { pairs.values($0).map(\.ratio) }
        }
        let ratio = try Repeated(truth: pairs.ratio) { stream in
            try rule.ratioOfMeans(over: sampling, stream: &stream) {
                pairs.values($0).map { ($0.quadratic, $0.squaredGradientNorm) }
            }
        }
        #expect(mean.coverage >= 92 && mean.coverage <= 98, "\(mean)")
        #expect(ratio.coverage >= 92 && ratio.coverage <= 98, "\(ratio)")
    }

    /// The batch's loss less that of all samples has expectation 0.
    @Test func theLossIsAControl() throws {
        let rule = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 60)
        let all = (0..<12).flatMap { i in (0..<i).flatMap { [i, $0] } }
        let loss = pairs.values(all).reduce(0) { $0 + $1.loss } / 66
        let sampling = try BatchDraws(size: 2, of: 12, for: rule, permuted: false)
        let plain = try Repeated(truth: pairs.mean) { stream in
            try rule.mean(over: sampling, stream: &stream) { pairs.values($0).map(\.ratio) }
        }
        let controlled = try Repeated(truth: pairs.mean) { stream in
            try rule.mean(over: sampling, controls: .fitted, stream: &stream) {
                pairs.values($0).map { ControlledDraw(value: $0.ratio, controls: [$0.loss - loss]) }
            }
        }
        #expect(controlled.variance < plain.variance, "\(controlled) \(plain)")
        #expect(controlled.coverage >= 92 && controlled.coverage <= 98, "\(controlled)")
    }

    @Test func aBatchOfAllSamplesIsTakenOnce() throws {
        let rule = try MonteCarlo(relativeError: 0.1, minSamples: 10, maxSamples: 100)
        var stream = RandomStream(seed: 1, purpose: .test)
        var asked: [[Int]] = []
        let estimate = try rule.mean(over: BatchDraws(size: 5, of: 5, for: rule), stream: &stream) {
            asked.append($0)
            return [3]
        }
        #expect(asked == [[0, 1, 2, 3, 4]])
        #expect(estimate.value == 3 && estimate.standardError == 0 && estimate.samples == 1)
        #expect(stream.position == 0)
    }

    /// Twenty-five batches a permutation: 26 permutations would be 650 batches, 25 are 625.
    @Test(arguments: [200, 256, 2048], [640, 100, 3])
    func exactlyAsManyBatchesAsWereAsked(samples: Int, batches: Int) throws {
        let exact = try MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: batches)
        let atLeast = try MonteCarlo(relativeError: 10, minSamples: batches, maxSamples: batches)
        for rule in [exact, atLeast] {
            var stream = RandomStream(seed: 1, purpose: .test)
            var drawn = 0
            let estimate = try rule.mean(over: BatchDraws(size: 8, of: samples, for: rule), stream: &stream) { places in
                drawn += places.count / 8
                return (0..<places.count / 8).map { Double(places[8 * $0]) }
            }
            #expect(drawn == batches && estimate.samples == batches)
        }
        #expect(
            try BatchDraws(size: 8, of: 256, for: MonteCarlo(relativeError: 0, minSamples: 1, maxSamples: 640)).group
                == 32)
    }

    @Test func permutationsAreUsedWhereSixFit() throws {
        let rule = try MonteCarlo(relativeError: 0.1, minSamples: 10, maxSamples: 60)
        #expect(try BatchDraws(size: 10, of: 105, for: rule).group == 10)
        #expect(try BatchDraws(size: 9, of: 105, for: rule).group == 1)
        #expect(throws: CurvatureError.self) { try BatchDraws(size: 9, of: 105, for: rule, permuted: true) }
        #expect(throws: CurvatureError.self) { try BatchDraws(size: 0, of: 105, for: rule) }
        #expect(throws: CurvatureError.self) { try BatchDraws(size: 106, of: 105, for: rule) }
        var stream = RandomStream(seed: 1, purpose: .test)
        let drawn = try BatchDraws(size: 10, of: 105, for: rule).draw(2, &stream)
        #expect(drawn.count == 200 && Set(drawn[..<100]).count == 100 && Set(drawn[100...]).count == 100)
    }
}
