import Graph
import Testing

@testable import Compute

/// What is found fast while a plan is made, beside the same found by looking at everything.
@Suite struct PlanningTests {
    @Test func aBufferLiesAtTheLowestPlaceThatIsFreeDuringItsLife() {
        var random = TestRandom(11)
        for steps in [1, 2, 3, 7, 64, 100] {
            var occupied = OccupiedMemory(steps: steps)
            var placed: [(life: ClosedRange<Int>, bytes: Range<Int>)] = []
            for _ in 0..<200 {
                let (first, size) = (random.below(steps), 64 * (1 + random.below(5)))
                // Short lives, and some as long as can be.
                let life = first...(random.below(4) == 0 ? steps - 1 : min(steps - 1, first + random.below(3)))
                let meets = placed.filter { $0.life.overlaps(life) }.map(\.bytes)
                let places = ([0] + meets.map(\.upperBound)).sorted()
                let lowest = places.first { place in !meets.contains { $0.overlaps(place..<place + size) } }
                #expect(occupied.lowestPlace(for: size, during: life) == lowest)
                // Some memory is taken elsewhere, so that there are gaps.
                let start = (lowest ?? 0) + (random.below(3) == 0 ? 64 * random.below(4) : 0)
                if meets.contains(where: { $0.overlaps(start..<start + size) }) { continue }
                occupied.insert(start..<start + size, during: life)
                placed.append((life, start..<start + size))
            }
        }
    }

    @Test func theNodeThatShrinksMostWhatIsAliveComesFirst() throws {
        for seed in 0..<60 {
            var graphs = RandomGraphs(seed: 9000 + UInt64(seed))
            let graph = graphs.graph(operations: 40)
            let roots = ValueMemory(graph).readRoots
            let order = try Schedule(graph, roots: roots, donations: [:]).order
            #expect(order == lookedFor(graph, roots))
        }
    }

    /// The same order, every ready node looked at before each choice.
    private func lookedFor(_ graph: Graph, _ roots: [Int]) -> [Int] {
        let free = Set(graph.outputs.map { roots[$0.value.id] })
        var (known, order) = (Set(graph.inputs.indices), [Int]())
        func bytes(_ value: Int) -> Int {
            let type = graph.types[value]
            return value < graph.inputs.count || free.contains(value) || roots[value] != value
                ? 0 : type.elements * type.element.byteCount
        }
        func growth(_ index: Int) -> Int {
            let node = graph.nodes[index]
            let last = Set(node.operands.map { roots[$0.id] }).filter { root in
                !graph.nodes.indices.contains { other in
                    other != index && !order.contains(other)
                        && graph.nodes[other].operands.contains { roots[$0.id] == root }
                }
            }
            return node.results.reduce(0) { $0 + bytes($1) } - last.reduce(0) { $0 + bytes($1) }
        }
        while order.count < graph.nodes.count {
            let ready = graph.nodes.indices.filter { index in
                !order.contains(index) && graph.nodes[index].operands.allSatisfy { known.contains($0.id) }
            }
            let entries = ready.map { (growth: min(0, growth($0)), index: $0) }
            guard let next = entries.min(by: <)?.index else { return order }
            order.append(next)
            known.formUnion(graph.nodes[next].results)
        }
        return order
    }

    /// The plan of a long recurrence ends soon after it is asked to, in each part of the work.
    @Test func aPlanThatIsCancelledEnds() throws {
        let b = GraphBuilder()
        var x = b.input("x", TensorType(.f32, [4, 4]))
        for _ in 0..<5000 { x = b.tanh(b.dot(x, x, contracting: ([1], [0]))) }
        let graph = b.build(outputs: [("y", x)])
        var asked = 0
        func ask() throws { asked += 1 }
        let roots = ValueMemory(graph).readRoots
        _ = try Schedule(graph, roots: roots, donations: [:], asking: ask)
        #expect(asked > 5)
        #expect(throws: Cancelled.self) {
            _ = try Schedule(graph, roots: roots, donations: [:]) { throw Cancelled() }
        }
        let lowering = try Lowering(graph, donations: [:])
        asked = 0
        _ = try ArenaPlan(steps: lowering.steps, sizes: lowering.bufferSizes, asking: ask)
        #expect(asked > 5)
    }
}
