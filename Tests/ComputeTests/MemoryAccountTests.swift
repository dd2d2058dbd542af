import Foundation
import Graph
import Testing

@testable import Compute

@Suite struct MemoryAccountTests {
    @Test func buffersAreCountedWhileTheyLive() throws {
        let account = MemoryAccount(limit: 1 << 20)
        var buffer: Buffer? = try account.allocate(bytes: 1000, for: "a test")
        #expect(buffer?.byteCount == 1000)
        #expect(account.used == 1024)  // whole cache lines of 64 bytes
        buffer = nil
        #expect(account.used == 0)
        #expect(account.peak == 1024)
    }

    @Test func buffersAreAlignedToCacheLines() throws {
        let account = MemoryAccount(limit: 1 << 20)
        let buffers = try (0..<50).map { try account.allocate(bytes: 37 * $0, for: "a test") }
        for buffer in buffers { #expect(Int(bitPattern: buffer.base) % 64 == 0) }
    }

    @Test func passingTheLimitIsAnErrorWithBothFigures() throws {
        let account = MemoryAccount(limit: 12 << 30)
        let held = try account.allocate(bytes: 1 << 20, for: "the data")
        let error = #expect(throws: MemoryError.self) {
            try account.allocate(count: 1_025_000_000_000, stride: 4, for: "the parameters of the model")
        }
        #expect(
            error?.description == "out of memory for the parameters of the model: needs 3.73 TiB, limit 12 GiB "
                + "(1 MiB in use): make it smaller or raise --memory")
        #expect(account.used == held.byteCount)
    }

    /// What would be refused is asked for again once garbage has been given back, and not without end.
    @Test func garbageIsGivenBackBeforeAnythingIsRefused() throws {
        let account = MemoryAccount(limit: 3 << 20)
        var garbage: [Buffer] = []
        var asked = 0
        let reclaim = {
            asked += 1
            defer { garbage = [] }
            return !garbage.isEmpty
        }
        try account.reclaiming(by: reclaim) {
            for _ in 1...10 { garbage.append(try account.allocate(bytes: 1 << 20, for: "a test")) }
            #expect(asked == 3)
            try account.check(bytes: 3 << 20, for: "a test")
            #expect(asked == 4 && garbage.isEmpty)
            let held = try account.allocate(bytes: 2 << 20, for: "a test")
            #expect(throws: MemoryError.self) { try account.allocate(bytes: 2 << 20, for: "a test") }
            #expect(throws: MemoryError.self) { try account.check(bytes: 2 << 20, for: "a test") }
            #expect(asked == 6)
            // No garbage makes room for more than there is.
            #expect(throws: MemoryError.self) { try account.allocate(bytes: 4 << 20, for: "a test") }
            #expect(throws: MemoryError.self) { try account.allocate(bytes: -1, for: "a test") }
            #expect(asked == 6)
            withExtendedLifetime(held) {}
        }
        let held = try account.allocate(bytes: 2 << 20, for: "a test")
        #expect(throws: MemoryError.self) { try account.allocate(bytes: 2 << 20, for: "a test") }
        #expect(asked == 6, "it is asked only while the work runs")
        withExtendedLifetime(held) {}
    }

    /// Another thread's garbage may not be touched.
    @Test func onlyTheThreadThatAsksGivesBack() throws {
        let account = MemoryAccount(limit: 1 << 20)
        var asked = 0
        let reclaim = {
            asked += 1
            return true
        }
        account.reclaiming(by: reclaim) {
            let other = Thread {
                let held = try? account.allocate(bytes: 1 << 20, for: "a test")
                #expect(throws: MemoryError.self) { try account.allocate(bytes: 1 << 20, for: "a test") }
                withExtendedLifetime(held) {}
            }
            other.start()
            while !other.isFinished { usleep(1000) }
        }
        #expect(asked == 0)
    }

    @Test func sizesThatOverflowAreErrorsAndNotTraps() {
        let account = MemoryAccount(limit: .max)
        #expect(throws: MemoryError.impossibleSize(what: "x")) {
            try account.allocate(count: 1 << 40, stride: 1 << 40, for: "x")
        }
        #expect(throws: MemoryError.impossibleSize(what: "x")) { try account.allocate(bytes: -1, for: "x") }
        #expect(throws: MemoryError.impossibleSize(what: "x")) { try account.allocate(bytes: .max, for: "x") }
        #expect(throws: MemoryError.impossibleSize(what: "x")) { try account.allocate(count: -1, stride: -8, for: "x") }
    }

    @Test func theLimitCanBeUsedToTheLastByteAndNoFurther() throws {
        let account = MemoryAccount(limit: 128)
        let first = try account.allocate(bytes: 64, for: "x")
        let second = try account.allocate(bytes: 64, for: "x")
        #expect(throws: MemoryError.self) { try account.allocate(bytes: 1, for: "x") }
        withExtendedLifetime((first, second)) {}
    }

    @Test func loweringTheLimitRefusesWhatComesAfter() throws {
        let account = MemoryAccount(limit: 1024)
        let held = try account.allocate(bytes: 512, for: "x")
        account.limit = 256
        #expect(throws: MemoryError.self) { try account.allocate(bytes: 64, for: "x") }
        account.limit = 1024
        #expect(throws: Never.self) { try account.allocate(bytes: 64, for: "x") }
        withExtendedLifetime(held) {}
    }

    @Test func threadsThatAllocateAtOnceLeaveAnAccountThatAddsUp() async {
        let account = MemoryAccount(limit: 64 * 100)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<2000 {
                        let buffer = try? account.allocate(bytes: 64 * 30, for: "x")
                        withExtendedLifetime(buffer) {}
                    }
                }
            }
        }
        #expect(account.used == 0)
        #expect(account.peak <= account.limit)
    }

    @Test func aLargeBlockGivenBackIsHandedOutAgain() throws {
        let account = MemoryAccount(limit: 64 << 20)
        func place(_ bytes: Int) throws -> UnsafeMutableRawPointer {
            try account.allocate(bytes: bytes, for: "x").base
        }
        _ = try place(2 << 20)
        let first = try place(1 << 20)
        // A block of another size does not stand in for it.
        #expect(try place(1 << 19) != first)
        #expect(try place(1 << 20) == first)
        #expect(account.used == 0)
        // The block of 2 MiB, the most that was used at a time, had to go for these two.
        #expect(account.freeBytes == 3 << 19)
    }

    @Test func whatIsHeldNeverPassesTheMostThatWasUsed() throws {
        let account = MemoryAccount(limit: 1 << 30)
        var stream = RandomStream(seed: 1, purpose: .data)
        var alive: [Buffer] = []
        for _ in 0..<2000 {
            if stream.below(2) == 0 || alive.isEmpty {
                alive.append(try account.allocate(bytes: (1 + stream.below(6)) * FreeBlocks.smallest, for: "x"))
            } else {
                alive.remove(at: stream.below(alive.count))
            }
            #expect(account.used == alive.reduce(0) { $0 + $1.byteCount })
            #expect(account.used + account.freeBytes <= account.peak)
        }
    }

    @Test func noMoreThanAShareOfTheLimitIsHeldFree() throws {
        let account = MemoryAccount(limit: 32 << 20)
        var buffers = try (0..<8).map { _ in try account.allocate(bytes: 512 << 10, for: "x") }
        buffers.removeAll()
        #expect(account.freeBytes == 1 << 20)
        // What is free is no reason for a refusal.
        #expect(throws: Never.self) { try account.allocate(bytes: 32 << 20, for: "x") }
        #expect(account.freeBytes <= 1 << 20)
    }

    @Test func theDefaultLimitIsHalfOfTheMachine() {
        #expect(MachineMemory.total > 1 << 28)
        #expect(MemoryAccount.shared.limit == MachineMemory.total / 2)
    }

    @Test(arguments: [
        (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (10 << 20, "10 MiB"),
        (1023 << 10, "1 MiB"), (4_100_000_000_000, "3.73 TiB"), (Int.max, "8 EiB"),
    ])
    func bytesAreWrittenAsPeopleReadThem(bytes: Int, text: String) {
        #expect(byteText(bytes) == text)
    }

    /// The largest value of an outer product of n by n numbers, which needs memory of that size.
    private func largestProduct(_ n: Int) -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [n]))
        let y = b.input("y", TensorType(.f64, [n]))
        return b.build(outputs: [("m", b.max(b.dot(x, y, contracting: ([], [])), dimensions: [0, 1]))])
    }

    /// Whether the account refuses the memory of a plan or the system does, the plans that there are go on.
    @Test func anArenaThatCannotGrowStaysAsItWas() throws {
        for (limit, refused) in [(1 << 20, 1 << 10), (Int.max, 1 << 23)] {
            let account = MemoryAccount(limit: limit)
            let engine = try Engine(threads: 2, account: account)
            let (graph, n) = (largestProduct(200), 200)
            let inputs = [Tensor(TensorType(.f64, [n]), repeating: 3), Tensor(TensorType(.f64, [n]), repeating: 0.5)]
            let plan = try engine.plan(for: graph)
            #expect(try plan.evaluate(inputs)[0].scalar == 1.5)
            let (arena, used) = (engine.arenaBytes, account.used)
            #expect(arena >= 8 * n * n)
            for _ in 0..<3 {
                #expect(throws: MemoryError.self) { try engine.plan(for: largestProduct(refused)) }
                #expect(engine.arenaBytes == arena && account.used == used)
                #expect(try plan.evaluate(inputs)[0].scalar == 1.5)
                #expect(try engine.plan(for: graph).evaluate(inputs)[0].scalar == 1.5)
            }
            // What fits in the place of the present arena, not beside it.
            let larger = [Tensor(TensorType(.f64, [330]), repeating: 2), Tensor(TensorType(.f64, [330]), repeating: 4)]
            #expect(try engine.plan(for: largestProduct(330)).evaluate(larger)[0].scalar == 8)
            #expect(try plan.evaluate(inputs)[0].scalar == 1.5)
            #expect(account.peak < arena + engine.arenaBytes)
        }
    }
}
