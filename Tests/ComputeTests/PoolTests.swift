import CKernels
import Compute
import Foundation
import Graph
import Synchronization
import Testing

/// What the kernels of these tests count; they get no context but the memory they are given.
private func countTile(
    _ call: UnsafePointer<ck_call>?, _ bases: UnsafePointer<UnsafeMutablePointer<CChar>?>?, _ tile: Int64,
    _ scratch: UnsafeMutablePointer<CChar>?
) {
    guard let base = bases?[0] else { return }
    let counts = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Int32.self)
    // Each tile has a counter of its own: an update lost to a tile run twice at once would show too.
    counts[Int(tile)] += 1
    scratch?[Int(CK_SCRATCH_BYTES) - 1] = 1
}

@Suite struct PoolTests {
    @Test func everyTileRunsExactlyOnceWhateverTheThreads() {
        guard let pool = ck_pool_create(1) else {
            Issue.record("no pool")
            return
        }
        defer { ck_pool_destroy(pool) }
        let counts = UnsafeMutablePointer<Int32>.allocate(capacity: 70_000)
        counts.initialize(repeating: 0, count: 70_000)
        defer { counts.deallocate() }
        var bases = [
            UnsafeMutableRawPointer(counts).assumingMemoryBound(to: CChar.self) as UnsafeMutablePointer<CChar>?
        ]
        var random = TestRandom(7)
        for round in 0..<60 {
            ck_pool_set_threads(pool, Int32(1 + random.below(6)))
            let tiles = [0, 1, 2, 3, 17, 1000, 65_535, 70_000][round % 8]
            let repetitions = tiles > 1000 ? 3 : 100
            let calls = [ck_call](
                repeating: ck_call(kernel: countTile, tiles: Int64(tiles), refs: nil, parameters: nil),
                count: repetitions)
            ck_pool_lock(pool)
            ck_run(pool, calls, Int64(repetitions), &bases, nil)
            ck_pool_unlock(pool)
            #expect((0..<tiles).allSatisfy { counts[$0] == repetitions })
            counts.update(repeating: 0, count: 70_000)
            // Long enough for the workers to fall asleep, now and then.
            if round % 5 == 0 { usleep(2000) }
        }
    }

    @Test func plansRunFromManyThreadsAtOnce() async throws {
        let engine = try Engine(threads: 3)
        let graph = PlanTests.network(batch: 9, width: 70)
        var random = TestRandom(2)
        let inputs = graph.inputs.map { random.tensor($0.type) }
        let expected = try engine.plan(for: graph).evaluate(inputs)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for task in 0..<6 {
                group.addTask {
                    for round in 0..<30 {
                        if task == 0 { engine.threads = 1 + round % 4 }
                        // Plans of other sizes make the arena grow meanwhile.
                        _ = try engine.plan(for: PlanTests.network(batch: 1 + task, width: 10 + round))
                        if try engine.plan(for: graph).evaluate(inputs) != expected { return false }
                    }
                    return true
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
    }

    @Test func threadsAreClampedToWhatThePoolHolds() throws {
        let engine = try Engine(threads: 0)
        #expect(engine.threads == 1)
        engine.threads = 1_000_000
        #expect(engine.threads == 64)
    }
}
