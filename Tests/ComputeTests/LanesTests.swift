import CKernels
import Graph
import Testing

@testable import Compute

/// Calls that threads make without waiting for each other.
@Suite struct LanesTests {
    /// A recurrence of the kind that lanes are for: gates, one product a step, samples by rows.
    private static func gradientOfLSTM(batch: Int) throws -> Graph {
        let f = try ScanPlanTests.lstm(length: 12, batch: batch, inputs: 20, width: 24, .f32)
        return try vjp(f, of: "f", withRespectTo: ["u", "w", "bias"])
    }

    @Test(arguments: [32, 50, 64])
    func stepsOfARecurrenceAreWalkedTogether(batch: Int) throws {
        let plan = try Engine(threads: 2).plan(for: Self.gradientOfLSTM(batch: batch))
        #expect(plan.groups.first?.lowerBound == 0 && plan.groups.last?.upperBound == plan.steps.count)
        #expect(zip(plan.groups, plan.groups.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        // One or two calls a step, forth and back.
        let together = plan.groups.filter { $0.count > 1 }
        #expect(together.reduce(0) { $0 + $1.count } >= 30, "\(plan.groups) of \(plan)")
        #expect((together.map(\.count).max() ?? 0) >= 8, "\(plan.groups) of \(plan)")
        for group in together { #expect(Set(plan.steps[group].map(\.tiles)).count == 1) }
    }

    /// Tiles of one call after the other in any order, each tile's calls in theirs: that is all that two threads may do to each other.
    @Test(arguments: [32, 50, 64])
    func anyOrderOfTilesGivesTheSameBits(batch: Int) throws {
        try expectAnyOrder(of: Self.gradientOfLSTM(batch: batch), seed: UInt64(batch))
    }

    @Test func anyOrderOfTilesOfRandomProgramsGivesTheSameBits() throws {
        var grouped = 0
        for seed in 1...60 {
            var random = RandomGraphs(seed: UInt64(seed))
            grouped += try expectAnyOrder(of: Self.widened(random.graph(operations: 14)), seed: UInt64(seed))
        }
        #expect(grouped > 20)
    }

    /// A program over many samples, so that its calls have tiles.
    private static func widened(_ graph: Graph) throws -> Graph {
        try vmap(graph, over: graph.inputs.map(\.name), size: 700)
    }

    /// A thread needs what the other has written: rows of a product that the next one contracts.
    @Test func callsThatNeedOtherTilesAreWaitedFor() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [64, 64]))
        let w = b.input("w", TensorType(.f32, [64, 64]))
        let y = b.tanh(b.matmul(x, w))
        let plan = try Engine(threads: 2).plan(for: b.build(outputs: [("z", b.matmul(w, y))]))
        #expect(plan.steps.allSatisfy { $0.tiles > 1 }, "\(plan)")
        let group = try #require(plan.groups.first { $0.contains(plan.steps.count - 1) })
        #expect(group.count == 1, "\(plan.groups) of \(plan)")
        try expectAnyOrder(of: plan.graph, seed: 1)
    }

    /// Of tiles that touch each other's memory, wherever that comes from.
    @Test func accessesMeetWhereTilesOverlap() {
        func access(_ slot: Int, _ ranges: [Range<Int>]) -> Footprint.Access {
            let (low, high) = (ranges.map(\.lowerBound).min() ?? 0, ranges.map(\.upperBound).max() ?? 0)
            return Footprint.Access(slot: slot, isWrite: true, ranges: ranges, whole: low..<high)
        }
        let rows = access(0, [0..<64, 64..<128])
        #expect(!rows.meetsOtherTiles(of: rows))
        #expect(!rows.meetsOtherTiles(of: access(1, [64..<128, 0..<64])))
        #expect(rows.meetsOtherTiles(of: access(0, [0..<65, 64..<128])))
        #expect(rows.meetsOtherTiles(of: access(0, [64..<128, 0..<64])))
        #expect(rows.meetsOtherTiles(of: access(0, [100..<101, 100..<101])))
        #expect(!rows.meetsOtherTiles(of: access(0, [128..<256, 128..<256])))
    }

    /// Runs the plan of a graph with the tiles of each group in random orders, on one thread; returns how many calls were in groups.
    @discardableResult
    private func expectAnyOrder(of graph: Graph, seed: UInt64) throws -> Int {
        var random = TestRandom(seed)
        let plan = try Engine(threads: 2).plan(for: graph)
        let inputs = graph.inputs.map { random.tensor($0.type) }
        let expected = try plan.evaluate(inputs)

        let arena = UnsafeMutableRawPointer.allocate(byteCount: plan.arena.size + 64, alignment: 64)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: Int(CK_SCRATCH_BYTES), alignment: 128)
        defer {
            arena.deallocate()
            scratch.deallocate()
        }
        let types = graph.inputs.map(\.type) + graph.outputs.map { graph.type(of: $0.value) }
        let places = try types.map {
            try MemoryAccount.shared.allocate(bytes: max(8, $0.bytes(for: "a test")), for: "a test")
        }
        for (place, input) in zip(places, inputs) { place.store(input) }
        let bases = ([arena, plan.constants.base] + places.map(\.base)).map {
            Optional($0.assumingMemoryBound(to: CChar.self))
        }
        for _ in 0..<3 {
            for group in plan.groups {
                var next = [Int](repeating: group.lowerBound, count: plan.steps[group.lowerBound].tiles)
                while let tile = next.indices.filter({ next[$0] < group.upperBound }).randomElement(using: &random) {
                    let call = plan.calls + next[tile]
                    call.pointee.kernel(call, bases, Int64(tile), scratch.assumingMemoryBound(to: CChar.self))
                    next[tile] += 1
                }
            }
            for (place, tensor) in zip(places.dropFirst(inputs.count), expected) {
                let same = place.tensor(tensor.type).values.elementsEqual(tensor.values) {
                    $0 == $1 || $0.isNaN && $1.isNaN
                }
                #expect(same, "\(plan.groups) of \(plan)")
            }
        }
        return plan.groups.reduce(0) { $0 + ($1.count > 1 ? $1.count : 0) }
    }
}

extension TestRandom: RandomNumberGenerator {
    mutating func next() -> UInt64 { bits() }
}
