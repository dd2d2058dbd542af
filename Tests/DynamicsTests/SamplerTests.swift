import Testing

@testable import Dynamics

@Suite struct SamplerOrder {
    private func take(_ sampler: inout Sampler, _ size: Int) -> [Int] { sampler.next(size) { Array($0) } }

    @Test func anEpochTakesEverySampleOnce() {
        var sampler = Sampler(count: 12, seed: 4)
        let epoch = (0..<4).flatMap { _ in take(&sampler, 3) }
        #expect(epoch.sorted() == Array(0..<12))
        #expect(sampler.epochs == 1)
    }

    @Test func epochsDifferAndSeedsDiffer() {
        var sampler = Sampler(count: 20, seed: 4)
        let first = take(&sampler, 20)
        let second = take(&sampler, 20)
        var other = Sampler(count: 20, seed: 5)
        #expect(first != second && first != take(&other, 20))
    }

    @Test func aRemainderSmallerThanABatchIsDropped() {
        var sampler = Sampler(count: 10, seed: 1)
        for _ in 0..<2 { _ = take(&sampler, 4) }
        var fresh = Sampler(count: 10, seed: 1, epoch: 1)
        #expect(take(&sampler, 4) == take(&fresh, 4))
        #expect(sampler.epoch == 1 && sampler.position == 4)
    }

    @Test func aChangedBatchSizeTakesTheNextSamplesOfTheSamePermutation() {
        var whole = Sampler(count: 10, seed: 3)
        let order = take(&whole, 10)
        var changed = Sampler(count: 10, seed: 3)
        #expect(take(&changed, 2) + take(&changed, 5) + take(&changed, 3) == order)
    }

    @Test func itGoesOnFromASavedPosition() {
        var sampler = Sampler(count: 10, seed: 8)
        for _ in 0..<3 { _ = take(&sampler, 3) }
        var restored = Sampler(count: 10, seed: 8, epoch: sampler.epoch, position: sampler.position)
        #expect(take(&sampler, 3) == take(&restored, 3))
    }
}

/// Orders other than another permutation each epoch.
@Suite struct Samplings {
    private func walk(_ sampler: Sampler, _ size: Int, _ batches: Int) -> [[Int]] {
        var sampler = sampler
        return (0..<batches).map { _ in sampler.next(size) { Array($0) } }
    }

    @Test func ordersOfTheirOwn() {
        let sequential = walk(Sampler(count: 10, seed: 1, sampling: .sequential), 4, 3)
        #expect(sequential == [[0, 1, 2, 3], [4, 5, 6, 7], [0, 1, 2, 3]])
        let fixed = walk(Sampler(count: 10, seed: 1, sampling: .fixed), 5, 4)
        #expect(fixed[0] == fixed[2] && fixed[1] == fixed[3] && Set(fixed[0] + fixed[1]) == Set(0..<10))
        #expect(fixed[0] == walk(Sampler(count: 10, seed: 1), 5, 1)[0])
        let listed = walk(Sampler(count: 10, seed: 1, sampling: .batches([[3, 1], [4, 1, 5]])), 1, 3)
        #expect(listed == [[3, 1], [4, 1, 5], [3, 1]])
    }

    @Test func theLastBatchIsKept() {
        var sampler = Sampler(count: 10, seed: 1, keepsLast: true)
        #expect(sampler.nextCount(4) == 4)
        let batches = walk(sampler, 4, 4)
        #expect(batches.map(\.count) == [4, 4, 2, 4] && Set(batches[0] + batches[1] + batches[2]) == Set(0..<10))
        for _ in 0..<2 { sampler.next(4) { _ in } }
        #expect(sampler.epochs(inBatchesOf: 4) == 0.8)
        sampler.next(4) { #expect($0.count == 2) }
        #expect(sampler.epochs(inBatchesOf: 4) == 1 && sampler.epochs == 1)
    }

    /// Each sample is drawn by itself: every pair of places is independent, and a walk can be taken up anywhere.
    @Test func withReplacement() {
        let sampler = Sampler(count: 5, seed: 3, sampling: .replacement)
        let batches = walk(sampler, 2, 20_000)
        var counts = [Int](repeating: 0, count: 25)
        for batch in batches { counts[5 * batch[0] + batch[1]] += 1 }
        // χ² with 24 degrees of freedom: 99.9 % lie below 51.2.
        let expected = Double(batches.count) / 25
        #expect(counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected } < 51.2)
        var half = sampler
        for _ in 0..<7 { half.next(2) { _ in } }
        #expect(abs(half.epochs - 2.8) < 1e-12)
        #expect(walk(sampler.at(epoch: half.epoch, position: half.position), 2, 3) == Array(batches[7..<10]))
    }
}
