import Graph
import Testing

@testable import Compute

@Suite struct ArenaPlanTests {
    /// What a plan computes, checked by walking it: every read finds what the step that made the value wrote, because no step
    /// in between wrote to any of its bytes.
    private func expectNoLiveValueIsOverwritten(_ plan: Plan, sourceLocation: SourceLocation = #_sourceLocation) {
        let (sizes, offsets) = (plan.arena.sizes, plan.arena.offsets)
        // The buffer whose value lies at each 64-byte line of the arena.
        var owner = [Int?](repeating: nil, count: plan.arenaBytes / 64)
        func lines(_ buffer: Int) -> Range<Int> { offsets[buffer] / 64..<(offsets[buffer] + sizes[buffer] + 63) / 64 }
        for (index, step) in plan.steps.enumerated() {
            for case .buffer(let buffer) in step.reads.map(\.whole) {
                #expect(
                    lines(buffer).allSatisfy { owner[$0] == buffer },
                    "step \(index) reads an overwritten value\n\(plan)", sourceLocation: sourceLocation)
            }
            for (write, storage) in step.writes.enumerated() {
                // A part makes all of its memory the buffer's own: the other parts come, or have come, elsewhere in it.
                guard case .buffer(let buffer) = storage.whole else { continue }
                #expect(offsets[buffer] % 64 == 0 && offsets[buffer] + sizes[buffer] <= plan.arenaBytes)
                for (read, other) in step.reads.enumerated() {
                    guard case .buffer(let operand) = other.whole, lines(operand).overlaps(lines(buffer)) else {
                        continue
                    }
                    // From one part of a memory to another.
                    if operand == buffer && other != storage { continue }
                    #expect(
                        offsets[operand] == offsets[buffer]
                            && step.inPlace.contains { $0.write == write && $0.read == read },
                        "step \(index) writes over what it reads\n\(plan)", sourceLocation: sourceLocation)
                }
                for case .buffer(let other) in step.writes.map(\.whole) where other != buffer {
                    #expect(!lines(other).overlaps(lines(buffer)), "step \(index) writes two values to one place")
                }
                for line in lines(buffer) { owner[line] = buffer }
            }
        }
    }

    @Test func noPlanOverwritesALiveValue() throws {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 1, optimizes: optimizes)
            for seed in 0..<200 {
                var graphs = RandomGraphs(seed: 5000 + UInt64(seed))
                expectNoLiveValueIsOverwritten(try engine.plan(for: graphs.graph(operations: 25)))
            }
            expectNoLiveValueIsOverwritten(try engine.plan(for: PlanTests.network(batch: 20, width: 30)))
        }
    }

    @Test func aChainOfOperationsRunsInOnePlace() throws {
        let b = GraphBuilder()
        var x = b.input("x", TensorType(.f32, [1000]))
        for _ in 0..<10 { x = b.tanh(x) }
        let plan = try Engine(threads: 1, optimizes: false).plan(for: b.build(outputs: [("y", b.sum(x))]))
        #expect(plan.arenaBytes == 4032)
    }

    @Test func theArenaHoldsWhatIsAliveAndNotAllThatIsMade() throws {
        let b = GraphBuilder()
        var x = b.input("x", TensorType(.f32, [64, 64]))
        for _ in 0..<20 { x = b.dot(x, x, contracting: ([1], [0])) }
        let plan = try Engine(threads: 1, optimizes: false).plan(for: b.build(outputs: [("y", x)]))
        #expect(plan.arenaBytes <= 2 * 64 * 64 * 4)
    }
}
