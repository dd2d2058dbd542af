import Compute
import Graph
import Testing

/// Scans whose bodies hold what the networks' do not: other elements, cut derivatives, any operations.
@Suite struct ScanBodies {
    /// A linear recurrence whose coefficient is a carry of its own: a counter in i32, and a factor that decays.
    private func counted(reverse: Bool) throws -> Graph {
        let b = GraphBuilder()
        let h = b.input("h", TensorType(.f64, [2]))
        let x = b.input("x", TensorType(.f64, [4, 2]))
        let w = b.input("w", TensorType(.f64, [2]))
        let mask = b.constant(Tensor(TensorType(.bool, [4]), [1, 0, 1, 1]))
        let results = try b.scan(
            carries: [b.constant(1, TensorType(.i32)), h, b.constant(0.9, TensorType(.f64))], stacked: [x, mask],
            constants: [w], reverse: reverse
        ) { b, carries, slices, constants in
            let count = b.add(carries[0], b.constant(1, TensorType(.i32)))
            let factor = b.multiply(carries[2], b.convert(count, to: .f64))
            let scaled = b.multiply(b.broadcast(factor, to: [2]), carries[1])
            let next = b.add(b.scale(scaled, by: 0.2), b.multiply(slices[0], constants[0]))
            let kept = b.select(b.broadcast(slices[1], to: [2]), next, carries[1])
            return [count, kept, b.scale(carries[2], by: 0.5)]
        }
        return b.build(outputs: [("y", results[1]), ("count", results[0])])
    }

    @Test(arguments: [false, true]) func carriesWithoutTangentsRunAlong(_ reverse: Bool) throws {
        let graph = try counted(reverse: reverse)
        for names in [["h"], ["x"], ["w"], ["h", "x", "w"]] {
            var laws = DerivativeLaws(graph, names: names)
            try laws.check("along \(names)")
        }
        try checkBatching(graph, over: ["x"], size: 3)
        let counts = try Interpreter.run(graph, DerivativeLaws(graph).point)[1].values
        #expect(counts == (reverse ? [5, 4, 3, 2] : [2, 3, 4, 5]))
    }

    /// The recurrence is linear in h and x as it stands, carries that are not linear included.
    @Test(arguments: [false, true]) func theTransposeOfALinearScanIsItsAdjoint(_ reverse: Bool) throws {
        let graph = try counted(reverse: reverse).selecting(outputs: ["y"])
        var random = SplitMix(5)
        let point = random.tensors(for: graph)
        for names in [["h", "x"], ["h"], ["x"]] {
            // Without what is not marked, the map is linear and not only affine.
            let inputs = zip(graph.inputs, point).map { names.contains($0.name) || $0.name == "w" ? $1 : 0 * $1 }
            let adjoint = try transpose(graph, linearIn: names)
            let cotangent = random.tensor(TensorType(.f64, [4, 2]))
            let kept = zip(graph.inputs, inputs).filter { !names.contains($0.0.name) }.map(\.1)
            let pulled = try Interpreter.run(adjoint, kept + [cotangent])
            let marked = zip(graph.inputs, inputs).filter { names.contains($0.0.name) }.map(\.1)
            let forward = try Interpreter.run(graph, inputs)[0]
            #expect(distance(inner(forward, cotangent), inner(marked, pulled)) < 1e-12, "\(names)")
        }
    }

    @Test func aDetachedCarryStopsTheDerivative() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [4]))
        let sums = try b.scan(carries: [b.constant(0, TensorType(.f64))], stacked: [x]) { b, h, x, _ in
            [b.add(b.detach(h[0]), b.square(x[0]))]
        }
        let g = b.build(outputs: [("f", b.sum(sums[0]))])
        let gradient = try vjp(g, of: "f", withRespectTo: ["x"])
        let point = Tensor(TensorType(.f64, [4]), [1, 2, 3, 4])
        for graph in [gradient, gradient.optimized()] {
            let results = try Interpreter.run(graph, [point])
            #expect(results[0].scalar == 1 + 5 + 14 + 30)
            #expect(results[1].values == [2, 4, 6, 8])
        }
    }

    /// A random program as the body: its first input is the carry, the others are slices and constants in turn; the carry after
    /// the step sees all its outputs.
    private func random(_ seed: Int) throws -> Graph {
        let body = RandomGraph.make(seed: 9000 + seed, size: 4 + seed % 6, detaching: false)
        let b = GraphBuilder()
        let others = body.inputs.dropFirst()
        let isStacked = others.indices.map { ($0 + seed) % 2 == 0 }
        let h = b.input("h", body.inputs[0].type)
        let values = zip(others, isStacked).map { input, stacked in
            b.input(input.name, TensorType(.f64, (stacked ? [3] : []) + input.type.shape))
        }
        func part(_ marked: Bool) -> [Value] { zip(values, isStacked).filter { $1 == marked }.map(\.0) }
        let results = try b.scan(
            carries: [h], stacked: part(true), constants: part(false), length: 3, reverse: seed % 3 == 0
        ) { b, h, x, c in
            var (slices, constants) = (x.makeIterator(), c.makeIterator())
            let own = isStacked.compactMap { $0 ? slices.next() : constants.next() }
            let sum = b.inline(body, inputs: h + own).map { b.sum($0) }
                .reduce(b.constant(0, TensorType(.f64)), b.add)
            let shape = b.shape(of: h[0])
            return [b.tanh(b.add(b.scale(h[0], by: 0.5), b.broadcast(b.tanh(b.scale(sum, by: 0.1)), to: shape)))]
        }
        return b.build(outputs: [("y", results[0])])
    }

    @Test(arguments: 1...40) func randomBodiesKeepTheLaws(_ seed: Int) throws {
        let graph = try random(seed)
        #expect(graph.inputs.allSatisfy { $0.type.element == .f64 } && graph.nodes.contains { $0.operation is Scan })
        var laws = DerivativeLaws(graph, seed: seed)
        try laws.check("seed \(seed)")
        try checkBatching(graph, over: [graph.inputs[seed % graph.inputs.count].name], size: 2)
        let forward = try jvp(graph, along: graph.inputs.map(\.name))
        var random = SplitMix(seed)
        let inputs = random.tensors(for: forward)
        let expected = try Interpreter.run(forward, inputs)
        #expect(distance(expected, try Interpreter.run(forward.optimized(), inputs)) < 1e-12)
    }
}
