import Compute
import Graph
import Testing

@Suite struct PlanTests {
    @Test func randomGraphsAreAsInterpreted() throws {
        let plain = try Engine(threads: 2, optimizes: false)
        for seed in 0..<300 {
            var graphs = RandomGraphs(seed: UInt64(seed))
            let graph = graphs.graph(operations: 12)
            // Errors of one operation are carried on by the next ones: a hundred roundings.
            for engine in [plain, .shared] {
                try expectAsInterpreted(
                    graph, seed: UInt64(seed), engine: engine, tolerance: 2e-5, wideTolerance: 2e-5, scale: 4)
            }
        }
    }

    /// A chain of layers and its gradient-like backward products; large enough that every kernel has several tiles.
    static func network(batch: Int, width: Int, _ element: ElementType = .f32) -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(element, [batch, width]))
        let w = (0..<3).map { b.input("w\($0)", TensorType(element, [width, width])) }
        var h = [x]
        for weights in w { h.append(b.scale(b.tanh(b.dot(h[h.count - 1], weights, contracting: ([1], [1]))), by: 0.5)) }
        var outputs: [(name: String, value: Value)] = [("y", h[3]), ("loss", b.sum(b.square(h[3])))]
        var delta = h[3]
        for layer in (0..<3).reversed() {
            outputs.append(("g\(layer)", b.dot(delta, h[layer], contracting: ([0], [0]))))
            outputs.append(("b\(layer)", b.sum(delta, dimensions: [0])))
            delta = b.multiply(b.dot(delta, w[layer], contracting: ([1], [0])), b.logistic(h[layer]))
        }
        outputs.append(("t", b.transpose(delta, [1, 0])))
        return b.build(outputs: outputs)
    }

    @Test(arguments: [(8, 300), (200, 260), (3, 1)]) func theNumberOfThreadsChangesNoBit(_ size: (Int, Int)) throws {
        for element in [ElementType.f32, .f64] {
            let graph = Self.network(batch: size.0, width: size.1, element)
            var random = TestRandom(3)
            let inputs = graph.inputs.map { random.tensor($0.type) }
            for set in KernelSet.available {
                let engine = try Engine(threads: 1, kernelSet: set)
                let plan = try engine.plan(for: graph)
                let alone = try plan.evaluate(inputs)
                for threads in [2, 3, 1, 7] {
                    engine.threads = threads
                    #expect(try plan.evaluate(inputs) == alone, "\(threads) threads, \(set)")
                }
            }
        }
    }

    @Test func aPlanGivesTheSameBitsEveryTime() throws {
        let graph = Self.network(batch: 16, width: 200)
        var random = TestRandom(5)
        let inputs = graph.inputs.map { random.tensor($0.type) }
        let plan = try Engine(threads: 3).plan(for: graph)
        let first = try plan.evaluate(inputs)
        for _ in 0..<20 { #expect(try plan.evaluate(inputs) == first) }
    }

    @Test func plansAreKeptByGraph() throws {
        let engine = try Engine(threads: 1)
        let first = try engine.plan(for: Self.network(batch: 4, width: 5))
        let same = try engine.plan(for: Self.network(batch: 4, width: 5))
        let other = try engine.plan(for: Self.network(batch: 5, width: 5))
        #expect(first === same)
        #expect(first !== other)
        #expect(engine.cachedPlans == 2)
        for batch in 1...200 { _ = try engine.plan(for: Self.network(batch: batch, width: 2)) }
        #expect(engine.cachedPlans <= 128)
    }

    @Test func aPlanThatDoesNotFitIsAnErrorWithBothFigures() throws {
        let account = MemoryAccount(limit: 1 << 20)
        let engine = try Engine(threads: 1, account: account)
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [1000, 1000]))
        let graph = b.build(outputs: [("y", b.dot(b.tanh(x), x, contracting: ([1], [1])))])
        #expect {
            try engine.plan(for: graph)
        } throws: { error in
            guard case MemoryError.overLimit(_, let needed, _, let limit) = error else { return false }
            return needed >= 4_000_000 && limit == 1 << 20
        }
        #expect(account.used == 0)
        // The engine goes on with what fits.
        try expectAsInterpreted(Self.network(batch: 2, width: 3), engine: engine)
    }

    @Test func aModelOfATrillionParametersIsAnErrorAndNotATrap() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [1_000_000, 1_000_000]))
        let graph = b.build(outputs: [("y", b.sum(b.tanh(b.transpose(x, [1, 0])), dimensions: [0]))])
        #expect(throws: MemoryError.self) { try Engine.shared.plan(for: graph) }
        let huge = GraphBuilder()
        let z = huge.input("x", TensorType(.f64, [1 << 31, 1 << 31]))
        #expect(throws: MemoryError.self) {
            try Engine.shared.plan(
                for: huge.build(outputs: [("y", huge.dot(huge.tanh(z), z, contracting: ([1], [1])))]))
        }
    }

    @Test func theDescriptionNamesKernelsAndShapes() throws {
        let plan = try Engine(threads: 1).plan(for: Self.network(batch: 8, width: 30))
        #expect(plan.description.contains("dot_general f32[8,30], f32[30,30] -> f32[8,30]"))
        #expect(plan.description.contains("output g0"))
        var random = TestRandom(1)
        _ = try plan.evaluate(plan.graph.inputs.map { random.tensor($0.type) })
    }

    @Test func aProfileHasATimeForEveryCall() throws {
        let plan = try Engine(threads: 2).plan(for: Self.network(batch: 8, width: 64))
        let memory = try (plan.graph.inputs.map(\.type) + plan.graph.outputs.map { plan.graph.type(of: $0.value) }).map
        {
            let buffer = try MemoryAccount.shared.allocate(bytes: 8 * $0.shape.reduce(1, *), for: "a test")
            buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: buffer.byteCount)
            return buffer
        }
        let inputs = plan.graph.inputs.count
        let profile = withExtendedLifetime(memory) {
            plan.profile(
                inputs: memory.prefix(inputs).map { UnsafeRawPointer($0.base) },
                outputs: memory.dropFirst(inputs).map(\.base), repetitions: 3)
        }
        #expect(profile.entries.count == plan.description.split(separator: "\n").count - 1)
        #expect(profile.nanoseconds > 0)
    }

    @Test func theEnvironmentNamesKernelsAndLibrary() throws {
        let environment = try Engine.shared.environment()
        #expect(environment["openblas"]?.contains("OpenBLAS") == true)
        #expect(environment["kernels"] == KernelSet.available.last?.description)
        #expect(try Engine.shared.productRate(size: 256, repetitions: 1) > 1e8)
    }
}
