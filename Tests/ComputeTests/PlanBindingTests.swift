import Graph
import Testing

@testable import Compute

@Suite struct RunsOfAPlanForSeveralBindings {
    /// z = tanh(xW)Wᵀ, s = Σ z over rows: products, a region and a reduction, with tanh(xW) in the arena.
    private func plan(rows: Int, width: Int, _ engine: Engine) throws -> Plan {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [rows, 6]))
        let w = b.input("w", TensorType(.f32, [6, width]))
        let y = b.emit(Tanh(), b.emit(DotGeneral(lhsContracting: [1], rhsContracting: [0], result: .f32), x, w))
        let z = b.emit(DotGeneral(lhsContracting: [1], rhsContracting: [1], result: .f32), y, w)
        return try engine.plan(for: b.build(outputs: [("z", z), ("s", b.emit(ReduceSum(dimensions: [0]), z))]))
    }

    private struct Results {
        var values: [Vector]

        /// The results of a plan for `count` bindings: each with an x of its own, all with the same w.
        init(_ plan: Plan, count: Int, each: Bool) throws {
            let types = plan.graph.outputs.map { plan.graph.type(of: $0.value) }
            let widths = types.map(\.elements)
            let size = plan.graph.inputs.map(\.type.elements)
            var stream = RandomStream(seed: 1, purpose: .test)
            let w = try Vector.randomNormal(count: size[1], element: .f32, stream: &stream)
            let inputs = try (0..<count).map { _ in
                try Vector.randomNormal(count: size[0], element: .f32, stream: &stream)
            }
            values = try (0..<count * widths.count).map { try Vector(zeros: widths[$0 % 2], element: .f32) }
            try Vector.withUnsafeBytes(of: inputs + [w]) { from in
                try Vector.withUnsafeMutableBytes(of: &values) { to in
                    let bindings = (0..<count).map {
                        PlanBinding(inputs: [from[$0], from[count]], outputs: [to[2 * $0], to[2 * $0 + 1]])
                    }
                    if each { return plan.run(each: bindings) }
                    for binding in bindings { plan.run(inputs: binding.inputs, outputs: binding.outputs) }
                }
            }
        }
    }

    /// With few intermediate values threads work apart, with many together; with 3 threads some bindings are left over.
    @Test(arguments: [(rows: 9, width: 20), (300, 200), (1500, 1500)])
    func haveTheBitsOfSingleRunsWhateverTheThreads(_ size: (rows: Int, width: Int)) throws {
        let single = try Results(plan(rows: size.rows, width: size.width, Engine(threads: 1)), count: 8, each: false)
        for threads in 1...3 {
            let plan = try plan(rows: size.rows, width: size.width, Engine(threads: threads))
            #expect((plan.arenaBytes > Plan.mostArenaApart) == (size.rows == 1500))
            for count in [0, 1, 2, 5, 8] {
                let results = try Results(plan, count: count, each: true)
                for (mine, expected) in zip(results.values, single.values) {
                    #expect(mine.hasSameBits(as: expected), "\(count) bindings, \(threads) threads")
                }
            }
        }
    }

    /// Arenas for all threads are a matter of speed: where memory is short, threads share one.
    @Test func needNoMoreMemoryThanOne() throws {
        let account = MemoryAccount(limit: 2_000_000)
        let plan = try plan(rows: 256, width: 300, Engine(threads: 8, account: account))
        let before = account.peak
        let expected = try Results(self.plan(rows: 256, width: 300, Engine(threads: 1)), count: 8, each: false)
        let results = try Results(plan, count: 8, each: true)
        #expect(account.peak <= before + account.limit / 8)
        for (mine, theirs) in zip(results.values, expected.values) { #expect(mine.hasSameBits(as: theirs)) }
    }
}
