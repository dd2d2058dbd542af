import Compute
import Graph
import Testing

/// Recurrences in plans: unrolled, with their bodies optimized once, they compute what the interpreter's loop does.
@Suite struct ScanPlanTests {
    /// The summed squares of an LSTM's last layer over a batch, its parameters `u`, `w` and `bias`.
    static func lstm(
        length: Int, batch: Int, inputs: Int, width: Int, _ element: ElementType, reverse: Bool = false
    ) throws -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(element, [length, inputs]))
        let u = b.input("u", TensorType(element, [4 * width, width]))
        let w = b.input("w", TensorType(element, [4 * width, inputs]))
        let bias = b.input("bias", TensorType(element, [4 * width]))
        let zero = b.zeros(TensorType(element, [width]))
        let results = try b.scan(
            carries: [zero, zero], stacked: [x], constants: [u, w, bias], reverse: reverse
        ) { b, h, x, c in
            let gates = b.add(b.add(b.matmul(c[0], h[0]), b.matmul(c[1], x[0])), c[2])
            let parts = (0..<4).map { b.slice(gates, axis: 0, from: $0 * width, to: ($0 + 1) * width) }
            let kept = b.multiply(b.logistic(parts[1]), h[1])
            let cell = b.add(kept, b.multiply(b.logistic(parts[0]), b.tanh(parts[2])))
            return [b.multiply(b.logistic(parts[3]), b.tanh(cell)), cell]
        }
        let loss = b.sum(b.square(results[0]))
        return try mean(b.build(outputs: [("f", loss)]), over: ["x"], batch)
    }

    /// A gated recurrence with as many gates as states, h ← exp(−Δ²) ⊙ h + Δ x.
    static func selective(length: Int, batch: Int, width: Int, _ element: ElementType) throws -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(element, [length, width]))
        let rate = b.input("rate", TensorType(element, [width]))
        let delta = b.multiply(x, b.broadcast(rate, to: [length, width]))
        let h = try b.scan(
            carries: [b.zeros(TensorType(element, [width]))],
            stacked: [b.exponential(b.negate(b.square(delta))), b.multiply(delta, x)]
        ) { b, h, x, _ in [b.add(b.multiply(x[0], h[0]), x[1])] }
        return try mean(b.build(outputs: [("f", b.sum(b.square(h[0])))]), over: ["x"], batch)
    }

    private static func mean(_ sample: Graph, over names: [String], _ count: Int) throws -> Graph {
        let batch = try vmap(sample, over: names, size: count)
        let b = GraphBuilder()
        let losses = b.inline(batch, inputs: batch.inputs.map { b.input($0.name, $0.type) })[0]
        return b.build(outputs: [("f", b.scale(b.sum(losses), by: 1 / Double(count)))])
    }

    private func check(_ f: Graph, _ names: [String]) throws {
        let gradient = try vjp(f, of: "f", withRespectTo: names)
        let product = try jvp(
            gradient.selecting(outputs: names.map { $0 + ".gradient" }), along: names)
        let form = try quadraticForm(f, of: "f", along: names, gradients: true)
        // Sums of hundreds of terms of either sign.
        for graph in [f, gradient, product, form] {
            try expectAsInterpreted(graph, tolerance: 2e-5, wideTolerance: 1e-12, scale: 4)
        }
    }

    @Test(arguments: [ElementType.f32, .f64], [false, true]) func anLSTMIsAsInterpreted(
        _ element: ElementType, _ reverse: Bool
    ) throws {
        try check(
            try Self.lstm(length: 5, batch: 3, inputs: 4, width: 6, element, reverse: reverse), ["u", "w", "bias"])
    }

    @Test(arguments: [ElementType.f32, .f64]) func aGatedRecurrenceIsAsInterpreted(_ element: ElementType) throws {
        try check(try Self.selective(length: 7, batch: 2, width: 5, element), ["rate"])
    }
}
