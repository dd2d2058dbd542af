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
