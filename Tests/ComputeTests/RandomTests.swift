import Foundation
import Testing

@testable import Compute

@Suite struct RandomStreams {
    func stream(_ seed: UInt64 = 1, _ purpose: RandomPurpose = .test, _ index: UInt64 = 0) -> RandomStream {
        RandomStream(seed: seed, purpose: purpose, index: index)
    }

    /// The known answers that Random123 publishes for philox4x32 with 10 rounds (its file kat_vectors).
    @Test func philoxGivesThePublishedAnswers() {
        let answers: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
            (.init(0, 0, 0, 0), .init(0, 0), .init(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
            (
                .init(repeating: .max), .init(repeating: .max),
                .init(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
            ),
            (
                .init(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), .init(0xa409_3822, 0x299f_31d0),
                .init(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
            ),
        ]
        for (counter, key, expected) in answers {
            #expect(RandomStream.philox4x32(counter: counter, key: key) == expected)
        }
    }

    @Test func aStreamIsAFunctionOfItsPosition() {
        var whole = stream()
        let words = (0..<40).map { _ in whole.nextUInt32() }
        #expect(whole.position == 40)
        for start in 0..<40 {
            var part = stream()
            part.position = UInt64(start)
            #expect((start..<40).map { _ in part.nextUInt32() } == Array(words[start...]))
            #expect(part == whole)
        }
    }

    @Test func aPositionBeyondTheEndCountsFromTheBeginning() {
        var a = stream()
        a.position = .max
        #expect(a.position == (1 << 50) - 1)
        _ = a.nextUInt32()
        #expect(a == stream())
    }

    @Test func theSeedPurposeAndIndexAllMakeAnotherStream() {
        var seen: Set<UInt64> = []
        var streams = 0
        for seed in [0, 1, 2, 1 << 32, UInt64.max] {
            for purpose in RandomPurpose.allCases {
                for index in [0, 1, 1 << 32, UInt64.max] {
                    var s = stream(seed, purpose, index)
                    seen.insert(s.nextUInt64())
                    streams += 1
                }
            }
        }
        #expect(seen.count == streams)
    }

    @Test func aStreamSurvivesBeingStored() throws {
        var s = stream(.max, .sampler, 7)
        for _ in 0..<5 { _ = s.nextUInt32() }
        var restored = try JSONDecoder().decode(RandomStream.self, from: JSONEncoder().encode(s))
        #expect(restored == s && restored.hashValue == s.hashValue)
        #expect(restored.nextUInt64() == s.nextUInt64())
    }

    /// Correlations of n pairs have a standard deviation of 1/√n; 5 of them are passed by chance once in 10⁶.
    @Test func neighbouringStreamsAreUncorrelated() {
        let n = 20_000
        func numbers(_ s: RandomStream) -> [Double] {
            var s = s
            return (0..<n).map { _ in s.normal() }
        }
        let streams = [
            stream(0, .test), stream(1, .test), stream(1 << 32, .test), stream(0, .test, 1), stream(0, .test, 1 << 32),
            stream(0, .probe), stream(0, .sampler),
        ].map(numbers)
        for i in streams.indices {
            for j in streams.indices where j > i {
                for lag in [0, 1, 2] {
                    let correlation =
                        zip(streams[i], streams[j].dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 } / Double(n)
                    #expect(abs(correlation) < 5 / Double(n).squareRoot())
                }
            }
        }
    }

    /// The bits of XORed words of two streams are fair coins: the count of ones has a standard deviation of √(bits)/2.
    @Test func everyBitIsAFairCoin() {
        var (a, b) = (stream(3), stream(4))
        let n = 100_000
        var ones = [Int](repeating: 0, count: 64)
        for _ in 0..<n {
            let (x, y) = (a.nextUInt32(), b.nextUInt32())
            for bit in 0..<32 {
                ones[bit] += Int(x >> bit & 1)
                ones[bit + 32] += Int((x ^ y) >> bit & 1)
            }
        }
        for count in ones { #expect(abs(Double(count) - Double(n) / 2) < 5 * Double(n).squareRoot() / 2) }
    }
}
