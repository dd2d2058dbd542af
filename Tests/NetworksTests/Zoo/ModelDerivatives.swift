import Compute
import Graph
import SmallNetworks

@testable import Networks

/// A model's loss on a few samples, and its derivatives, as graphs that the interpreter evaluates: nothing between a model and
/// the definition of its operations.
struct ModelDerivatives {
    let model: Model
    /// Parameters away from initial values that are zero or on a kink.
    let theta: [Double]
    private let samples: [Tensor]
    private let loss: Graph
    private let gradientGraph: Graph
    private let productGraph: Graph
    private let thirdGraph: Graph

    /// - Parameter tokens: the vocabulary of integer inputs.
    init(_ model: Model, samples count: Int = 3, tokens: Int = 0, spread: Double = 0.1, seed: UInt64 = 1) throws {
        self.model = model
        var stream = RandomStream(seed: seed, purpose: .test)
        func random(_ shape: [Int], _ element: ElementType, _ draw: () -> Double) -> Tensor {
            Tensor(TensorType(element, [count] + shape), (0..<count * shape.reduce(1, *)).map { _ in draw() })
        }
        theta = model.initial.values.map { $0 + spread * stream.normal() }
        samples = [
            random(model.inputShape, model.inputElement) {
                model.inputElement == .i32 ? Double(stream.below(max(1, tokens))) : stream.normal()
            }, random(model.outputShape, .f64) { stream.normal() },
        ]
        let builder = GraphBuilder()
        let inputs = model.forward.inputs.map { builder.input($0.name, $0.type) }
        let target = Symbolic(builder.input("target", TensorType(.f64, model.outputShape)), in: builder)
        let output = Symbolic(builder.inline(model.forward, inputs: inputs)[0], in: builder)
        let difference = try output - target
        let one = builder.build(outputs: [("loss", try (difference * difference).sum().value)])
        let many = try vmap(one, over: [Model.inputName, "target"], size: count)
        let outer = GraphBuilder()
        let values = outer.inline(many, inputs: many.inputs.map { outer.input($0.name, $0.type) })
        loss = outer.build(outputs: [("loss", outer.scale(outer.sum(values[0]), by: 1 / Double(count)))]).simplified()
        let names = model.layout.entries.map(\.name)
        gradientGraph = try vjp(loss, of: "loss", withRespectTo: names)
            .selecting(outputs: names.map { "\($0).gradient" }).simplified()
        productGraph = try jvp(gradientGraph, along: names)
            .selecting(outputs: names.map { "\($0).gradient.tangent" })
            .renamed(inputs: Dictionary(uniqueKeysWithValues: names.map { ("\($0).tangent", "\($0).first") }))
            .simplified()
        thirdGraph = try jvp(productGraph, along: names)
            .selecting(outputs: names.map { "\($0).gradient.tangent.tangent" }).simplified()
    }

    private func split(_ vector: [Double]) -> [Tensor] {
        model.layout.entries.map { Tensor(TensorType(.f64, $0.shape), Array(vector[$0.offset..<$0.offset + $0.count])) }
    }

    func loss(_ theta: [Double]) throws -> Double {
        try Interpreter.run(loss, split(theta) + samples)[0].values[0]
    }

    func gradient(_ theta: [Double]) throws -> [Double] {
        try Interpreter.run(gradientGraph, split(theta) + samples).flatMap(\.values)
    }

    func product(_ theta: [Double], _ v: [Double]) throws -> [Double] {
        try Interpreter.run(productGraph, split(theta) + samples + split(v)).flatMap(\.values)
    }

    func third(_ theta: [Double], _ u: [Double], _ v: [Double]) throws -> [Double] {
        try Interpreter.run(thirdGraph, split(theta) + samples + split(v) + split(u)).flatMap(\.values)
    }

    /// A random direction of length 1.
    func direction(_ seed: UInt64) -> [Double] {
        var stream = RandomStream(seed: seed, purpose: .test, index: 1)
        let v = theta.map { _ in stream.normal() }
        let norm = dot(v, v).squareRoot()
        return v.map { $0 / norm }
    }
}
