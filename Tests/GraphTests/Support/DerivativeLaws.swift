import Graph
import Testing

/// The laws that tie the derivative transformations to finite differences and to each other, checked on one graph at one
/// point. The graph is in f64 and smooth near the point.
struct DerivativeLaws {
    let graph: Graph
    /// Inputs differentiated, and all inputs' values.
    let names: [String]
    let point: [Tensor]
    private var random: SplitMix
    /// Central differences err by h²f‴/6 + ε/h: about 1e-10 at h = 1e-5 for derivatives of order one. The functions tested
    /// have third derivatives up to about a thousand.
    static let differenceTolerance = 1e-6
    /// Two ways to the same number in f64.
    static let exactTolerance = 1e-10
    private static let step = 1e-5

    init(_ graph: Graph, names: [String]? = nil, point: [Tensor]? = nil, seed: Int = 1) {
        self.graph = graph
        self.names = names ?? graph.inputs.filter { $0.type.element == .f64 }.map(\.name)
        var random = SplitMix(seed)
        self.point = point ?? random.tensors(for: graph)
        self.random = random
    }

    private var places: [Int] { names.compactMap(graph.inputIndex) }
    private func at(_ amount: Double, _ direction: [Tensor]) -> [Tensor] {
        var moved = point
        for (place, tangent) in zip(places, direction) { moved[place] = moved[place] + amount * tangent }
        return moved
    }
    /// (f(x + hv) − f(x − hv))/2h.
    private func difference(_ g: Graph, _ direction: [Tensor], extra: [Tensor] = []) throws -> [Tensor] {
        let ahead = try Interpreter.run(g, at(Self.step, direction) + extra)
        let behind = try Interpreter.run(g, at(-Self.step, direction) + extra)
        return zip(ahead, behind).map { 1 / (2 * Self.step) * ($0 - $1) }
    }
    private mutating func direction() -> [Tensor] {
        var tensors: [Tensor] = []
        for place in places { tensors.append(random.tensor(graph.inputs[place].type)) }
        return tensors
    }

    /// The sum over the real outputs of ⟨w, y⟩ for fixed random w: a scalar `f` that sees every result.
    private mutating func scalarized() -> Graph {
        let b = GraphBuilder()
        let values = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })
        var sum = b.constant(0, TensorType(.f64))
        for value in values where b.type(of: value).element == .f64 {
            sum = b.add(sum, b.inner(b.constant(random.tensor(b.type(of: value))), value))
        }
        return b.build(outputs: [("f", sum)])
    }

    mutating func check(_ context: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
        func expect(_ law: String, _ distance: Double, below tolerance: Double) {
            #expect(distance < tolerance, "\(law) \(context)\n\(graph)", sourceLocation: sourceLocation)
        }
        let (v, u, w) = (direction(), direction(), direction())

        // First order.
        let forward = try jvp(graph, along: names)
        let tangentNames = forward.outputs.map(\.name).filter { $0.hasSuffix(".tangent") }
        let tangents = try Interpreter.run(forward.selecting(outputs: tangentNames), point + v)
        let real = graph.selecting(outputs: graph.outputs.map(\.name).filter { tangentNames.contains($0 + ".tangent") })
        expect(
            "jvp is the directional derivative", distance(tangents, try difference(real, v)),
            below: Self.differenceTolerance)

        let split = try linearize(graph, withRespectTo: names)
        let residuals = try Interpreter.run(split.point.selecting(outputs: split.residuals), point)
        expect(
            "linear part at the point is jvp", distance(tangents, try Interpreter.run(split.linear, residuals + v)),
            below: Self.exactTolerance)

        let reversed = try transpose(split.linear, linearIn: names.map { $0 + ".tangent" })
        var cotangents: [Tensor] = []
        for input in reversed.inputs.dropFirst(residuals.count) { cotangents.append(random.tensor(input.type)) }
        let pulled = try Interpreter.run(reversed, residuals + cotangents)
        let reaching = zip(real.outputs, tangents).filter { output, _ in
            reversed.inputs.contains { $0.name == output.name + ".tangent.cotangent" }
        }.map(\.1)
        expect(
            "⟨Jv, w⟩ = ⟨v, Jᵀw⟩", distance(inner(reaching, cotangents), inner(v, pulled)), below: Self.exactTolerance)

        // Second order, of a scalar.
        let f = scalarized()
        let gradientNames = names.map { $0 + ".gradient" }
        let gradient = try vjp(f, of: "f", withRespectTo: names).selecting(outputs: gradientNames)
        let slope = try Interpreter.run(try jvp(f, along: names).selecting(outputs: ["f.tangent"]), point + v)[0].scalar
        expect(
            "⟨gradient, v⟩ is the slope", distance(slope, inner(try Interpreter.run(gradient, point), v)),
            below: Self.exactTolerance)

        let hessian = try jvp(gradient, along: names).selecting(outputs: gradientNames.map { $0 + ".tangent" })
        let hv = try Interpreter.run(hessian, point + v)
        expect(
            "jvp∘vjp is the gradient's derivative", distance(hv, try difference(gradient, v)),
            below: Self.differenceTolerance)

        let forms = try quadraticForm(f, of: "f", along: names).selecting(outputs: ["f.quadratic"])
        let form = try Interpreter.run(forms, point + v)[0].scalar
        expect("quadraticForm is vᵀHv", distance(form, inner(v, hv)), below: Self.exactTolerance)

        let twiceForward = try jvp(
            try jvp(f, along: names).selecting(outputs: ["f.tangent"]), along: names
        ).selecting(outputs: ["f.tangent.tangent"])
        let curved = try Interpreter.run(twiceForward, point + v + v)[0].scalar
        expect("quadraticForm is jvp∘jvp", distance(form, curved), below: Self.exactTolerance)

        let twiceReversed = try vjp(innerProduct(of: gradient), of: "s", withRespectTo: names)
            .selecting(outputs: gradientNames)
        let hvReversed = try Interpreter.run(twiceReversed, point + v)
        expect("vjp∘vjp is jvp∘vjp", distance(hv, hvReversed), below: Self.exactTolerance)

        // Third order.
        let third = try jvp(hessian, along: names)
            .selecting(outputs: gradientNames.map { $0 + ".tangent.tangent" })
        let thirdVU = try Interpreter.run(third, point + v + u)
        expect(
            "jvp∘jvp∘vjp is the Hessian's derivative", distance(thirdVU, try difference(hessian, u, extra: v)),
            below: Self.differenceTolerance * 10)
        let thirdUW = try Interpreter.run(third, point + u + w)
        expect(
            "third derivatives are symmetric", distance(inner(thirdVU, w), inner(thirdUW, v)),
            below: Self.exactTolerance * 10)
        let gradientOfForm = try vjp(forms, of: "f.quadratic", withRespectTo: names).selecting(outputs: gradientNames)
        let thirdVV = try Interpreter.run(third, point + v + v)
        expect(
            "the gradient of quadraticForm is the third derivative",
            distance(try Interpreter.run(gradientOfForm, point + v), thirdVV), below: Self.exactTolerance * 10)
    }

    /// s = Σ ⟨output, v⟩ with v further inputs, for graphs of one output per name.
    private func innerProduct(of g: Graph) -> Graph {
        let b = GraphBuilder()
        let values = b.inline(g, inputs: g.inputs.map { b.input($0.name, $0.type) })
        var sum = b.constant(0, TensorType(.f64))
        for (index, value) in values.enumerated() {
            sum = b.add(sum, b.inner(b.input("v\(index)", b.type(of: value)), value))
        }
        return b.build(outputs: [("s", sum)])
    }
}

/// `vmap` over a subset of the inputs against a loop over the batch.
func checkBatching(
    _ graph: Graph, over names: [String], size: Int, seed: Int = 1, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    var random = SplitMix(seed)
    let batched = try vmap(graph, over: names, size: size)
    let inputs = random.tensors(for: batched)
    let together = try Interpreter.run(batched, inputs)
    let apart = try (0..<size).map { sample in
        try Interpreter.run(
            graph,
            zip(graph.inputs, inputs).map { input, tensor in
                guard names.contains(input.name) else { return tensor }
                let count = input.type.shape.reduce(1, *)
                return Tensor(input.type, Array(tensor.values[sample * count..<(sample + 1) * count]))
            })
    }
    let stacked = batched.outputs.indices.map { index in
        Tensor(batched.type(of: batched.outputs[index].value), apart.flatMap { $0[index].values })
    }
    // Sums in another order.
    #expect(distance(together, stacked) < 1e-12, "vmap over \(names)\n\(graph)", sourceLocation: sourceLocation)
}
