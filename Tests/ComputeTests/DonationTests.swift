import Compute
import Graph
import Testing

/// Runs a plan with the donated outputs bound to the memory of their inputs.
func evaluateInPlace(
    _ graph: Graph, donating: [String: String], _ inputs: [Tensor], engine: Engine
) throws -> [Tensor] {
    let plan = try engine.plan(for: graph, donating: donating)
    let memory = try inputs.map { tensor -> Buffer in
        let buffer = try MemoryAccount.shared.allocate(bytes: 8 * tensor.values.count, for: "a test")
        for (index, value) in tensor.values.enumerated() {
            if tensor.type.element == .f32 {
                buffer.base.storeBytes(of: Float(value), toByteOffset: 4 * index, as: Float.self)
            } else {
                buffer.base.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
            }
        }
        return buffer
    }
    let outputs = try graph.outputs.map { output -> Buffer in
        if let input = donating[output.name], let index = graph.inputIndex(input) { return memory[index] }
        return try MemoryAccount.shared.allocate(
            bytes: 8 * graph.type(of: output.value).shape.reduce(1, *), for: "a test")
    }
    withExtendedLifetime(memory) {
        plan.run(inputs: memory.map { UnsafeRawPointer($0.base) }, outputs: outputs.map(\.base))
    }
    return zip(graph.outputs, outputs).map { output, buffer in
        let type = graph.type(of: output.value)
        return Tensor(
            type,
            (0..<type.shape.reduce(1, *)).map {
                type.element == .f32
                    ? Double(buffer.base.load(fromByteOffset: 4 * $0, as: Float.self))
                    : buffer.base.load(fromByteOffset: 8 * $0, as: Double.self)
            })
    }
}

@Suite struct DonationTests {
    private func expectTheSame(
        _ graph: Graph, donating: [String: String], sourceLocation: SourceLocation = #_sourceLocation
    )
        throws
    {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 2, optimizes: optimizes)
            var random = TestRandom(11)
            let inputs = graph.inputs.map { random.tensor($0.type) }
            let apart = try engine.plan(for: graph).evaluate(inputs)
            let inPlace = try evaluateInPlace(graph, donating: donating, inputs, engine: engine)
            let plan = try engine.plan(for: graph, donating: donating)
            #expect(inPlace == apart, "\(plan)", sourceLocation: sourceLocation)
        }
    }

    /// Layers updated by their gradients: products that read the old weights come before the update.
    @Test func anUpdateInPlaceIsTheUpdate() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [8, 40]))
        let w = b.input("w", TensorType(.f32, [30, 40]))
        let v = b.input("v", TensorType(.f32, [30, 30]))
        let rate = b.constant(-0.01, TensorType(.f32))
        let h = b.tanh(b.dot(x, w, contracting: ([1], [1])))
        let y = b.dot(h, v, contracting: ([1], [1]))
        let delta = b.dot(y, v, contracting: ([1], [0]))
        let dot = DotGeneral(lhsContracting: [0], rhsContracting: [0], result: .f32)
        let newV = b.emit(AccumulateDot(dot: dot), y, h, v, rate)
        let newW = b.emit(AccumulateDot(dot: dot), delta, x, w, rate)
        // The reader of w comes last in the graph and must still see the old w.
        let norm = b.sum(b.square(w))
        let graph = b.build(outputs: [("w'", newW), ("v'", newV), ("norm", norm)])
        try expectTheSame(graph, donating: ["w'": "w", "v'": "v"])
        let engine = try Engine(threads: 1)
        #expect(!(try engine.plan(for: graph, donating: ["w'": "w", "v'": "v"])).description.contains("copy "))
    }

    @Test func momentumKeepsBothStatesInPlace() throws {
        let b = GraphBuilder()
        let w = b.input("w", TensorType(.f64, [1000]))
        let v = b.input("v", TensorType(.f64, [1000]))
        let g = b.input("g", TensorType(.f64, [1000]))
        let newV = b.add(b.scale(v, by: 0.9), g)
        let newW = b.subtract(w, b.scale(newV, by: 0.1))
        try expectTheSame(b.build(outputs: [("w'", newW), ("v'", newV)]), donating: ["w'": "w", "v'": "v"])
    }

    @Test func whatCannotBeWrittenInPlaceIsCopiedAtTheEnd() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [30, 30]))
        let y = b.input("y", TensorType(.f32, [30, 30]))
        // The transpose reads x all over; the product reads x after the transpose that is to overwrite it.
        let turned = b.transpose(x, [1, 0])
        let product = b.dot(turned, x, contracting: ([1], [1]))
        try expectTheSame(b.build(outputs: [("t", turned), ("p", product)]), donating: ["t": "x", "p": "y"])
        // Exchange, pass-through, one value for two outputs, a constant.
        try expectTheSame(b.build(outputs: [("a", y), ("b", x)]), donating: ["a": "x", "b": "y"])
        try expectTheSame(b.build(outputs: [("a", x), ("b", y)]), donating: ["a": "x"])
        try expectTheSame(b.build(outputs: [("a", b.tanh(x)), ("b", x)]), donating: ["a": "x"])
        try expectTheSame(b.build(outputs: [("a", turned), ("b", turned)]), donating: ["a": "x", "b": "y"])
        try expectTheSame(
            b.build(outputs: [("a", b.constant(2, TensorType(.f32, [30, 30]))), ("b", x)]), donating: ["a": "x"])
        try expectTheSame(
            b.build(outputs: [("a", b.add(x, turned)), ("b", b.add(y, y))]), donating: ["a": "x", "b": "y"])
    }

    @Test func twoUpdatesThatReadEachOthersInputsAreNotBothInPlace() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [20, 20]))
        let y = b.input("y", TensorType(.f32, [20, 20]))
        let first = b.dot(x, y, contracting: ([1], [0]))
        let second = b.dot(y, x, contracting: ([1], [0]))
        try expectTheSame(b.build(outputs: [("a", first), ("b", second)]), donating: ["a": "x", "b": "y"])
        try expectTheSame(
            b.build(outputs: [("a", b.add(x, b.tanh(y))), ("b", b.add(y, b.tanh(x)))]), donating: ["a": "x", "b": "y"])
    }

    @Test func randomGraphsGiveTheSameInPlace() throws {
        var count = 0
        for seed in 0..<200 {
            var graphs = RandomGraphs(seed: 1000 + UInt64(seed))
            let graph = graphs.graph(operations: 12)
            var donating: [String: String] = [:]
            for output in graph.outputs {
                let type = graph.type(of: output.value)
                let fits = graph.inputs.first { $0.type == type && !donating.values.contains($0.name) }
                if let fits { donating[output.name] = fits.name }
            }
            let isNumeric = graph.outputs.allSatisfy { graph.type(of: $0.value).element.isFloating }
            guard !donating.isEmpty && isNumeric else { continue }
            try expectTheSame(graph, donating: donating)
            count += 1
        }
        #expect(count >= 50, "\(count) graphs have an output that fits an input")
    }

    @Test func namesAndTypesOfDonationsAreChecked() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [3]))
        let y = b.input("y", TensorType(.f64, [3]))
        let graph = b.build(outputs: [("a", b.tanh(x)), ("b", b.tanh(y)), ("c", b.negate(x))])
        for donating in [["a": "z"], ["z": "x"], ["a": "y"], ["a": "x", "c": "x"]] {
            #expect(throws: PlanError.self) { try Engine.shared.plan(for: graph, donating: donating) }
        }
    }

    /// The products read parts of the weights without a copy of them: they come before the update, or it is made aside.
    @Test func anUpdateComesAfterProductsThatReadPartsOfWhatItReplaces() throws {
        let b = GraphBuilder()
        let w = b.input("w", TensorType(.f64, [6, 9]))
        let x = b.input("x", TensorType(.f64, [6, 4]))
        let part = b.slice(w, axis: 1, from: 2, to: 6)
        let product = b.dot(x, part, contracting: ([1], [1]))
        let other = b.dot(b.transpose(part, [1, 0]), w, contracting: ([1], [0]))
        let step = b.dot(b.slice(w, axis: 1, from: 0, to: 4), x, contracting: ([1], [1]))
        let change = b.concatenate([step, b.slice(product, axis: 1, from: 0, to: 3)], axis: 1)
        let outer = b.dot(
            b.slice(w, axis: 1, from: 1, to: 5), b.slice(w, axis: 0, from: 1, to: 5), contracting: ([1], [0]))
        try expectTheSame(
            b.build(outputs: [("next", b.subtract(w, change)), ("product", product), ("other", other)]),
            donating: ["next": "w"])
        try expectTheSame(b.build(outputs: [("next", b.subtract(w, outer)), ("y", other)]), donating: ["next": "w"])
    }
}
