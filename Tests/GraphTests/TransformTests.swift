import Graph
import Testing

@Suite struct Transforms {
    @Test(arguments: 1...150) func derivativesOfRandomProgramsAgreeWithFiniteDifferences(_ seed: Int) throws {
        let graph = RandomGraph.make(seed: seed, size: 4 + seed % 7, detaching: false)
        var laws = DerivativeLaws(graph, seed: seed)
        try laws.check("seed \(seed)")
    }

    @Test(arguments: 1...150) func aBatchOfARandomProgramIsALoop(_ seed: Int) throws {
        let graph = RandomGraph.make(seed: 1000 + seed, size: 10, elements: seed % 2 == 0 ? [.f64] : [.f64, .f32])
        let names = graph.inputs.map(\.name)
        for subset in 1..<(1 << names.count) {
            try checkBatching(graph, over: names.indices.filter { subset >> $0 & 1 == 1 }.map { names[$0] }, size: 2)
        }
    }

    @Test(arguments: 1...20) func batchesAndDerivativesExchange(_ seed: Int) throws {
        let graph = RandomGraph.make(seed: 2000 + seed, size: 8, detaching: false)
        let names = graph.inputs.map(\.name)
        let scalar = summed(graph)
        try checkBatching(try vjp(scalar, of: "f", withRespectTo: names), over: [names[0]], size: 3)
        try checkBatching(
            try quadraticForm(scalar, of: "f", along: names), over: [names[0], names[0] + ".tangent"], size: 3)
        var laws = DerivativeLaws(try vmap(graph, over: [names[0]], size: 2), seed: seed)
        try laws.check("vjp of vmap, seed \(seed)")
    }

    private func summed(_ graph: Graph) -> Graph {
        let b = GraphBuilder()
        let values = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })
        return b.build(outputs: [("f", values.map { b.sum($0) }.reduce(b.constant(0, TensorType(.f64)), b.add))])
    }

    @Test func aBatchOfProductsWithOneMatrixIsOneTallProduct() throws {
        let b = GraphBuilder()
        let w = b.input("w", TensorType(.f64, [5, 4]))
        let x = b.input("x", TensorType(.f64, [4]))
        let layer = b.build(outputs: [("y", b.matmul(w, x))])
        let batched = try vmap(try vmap(layer, over: ["x"], size: 3), over: ["x"], size: 2)
        #expect(
            batched.description == """
                graph(%w: f64[5,4], %x: f64[2,3,4]) {
                    %2 = dot_general %x, %w {contracting = [2] x [1]} : f64[2,3,5]
                    return y = %2
                }
                """)
    }

    @Test func namesThatAreTakenGetANumber() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [2]))
        let g = b.build(outputs: [("y", b.sum(b.tanh(x)))])
        let once = try vjp(g, of: "y", withRespectTo: ["x"])
        let twice = try vjp(once, of: "x.gradient", withRespectTo: ["x"])
        #expect(twice.inputs.map(\.name) == ["x", "x.gradient.cotangent"])
        #expect(twice.outputs.map(\.name) == ["y", "x.gradient", "x.gradient.2"])
    }

    @Test func unknownNamesAndIntegersAreRefusedInWords() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64))
        _ = b.input("n", TensorType(.i32))
        let g = b.build(outputs: [("y", b.tanh(x))])
        #expect(throws: GraphError("the graph has no input 'z'; it has x, n")) { try jvp(g, along: ["z"]) }
        #expect(throws: GraphError("the graph has no output 'f'; it has y")) {
            try vjp(g, of: "f", withRespectTo: ["x"])
        }
        #expect(throws: GraphError("input 'n' is i32[]: it has no derivative")) {
            try linearize(g, withRespectTo: ["n"])
        }
    }

    @Test func theLinearPartHoldsNoNonlinearOperation() throws {
        let b = GraphBuilder()
        let w = b.input("w", TensorType(.f64, [3, 2]))
        let x = b.input("x", TensorType(.f64, [2]))
        let f = b.build(outputs: [("f", b.sum(b.tanh(b.matmul(w, x))))])
        let gradient = try vjp(f, of: "f", withRespectTo: ["w"]).selecting(outputs: ["w.gradient"])
        let split = try linearize(gradient, withRespectTo: ["w"])
        #expect(!split.linear.description.contains("tanh"))
        #expect(split.point.outputs.map(\.name) == ["w.gradient"] + split.residuals)
        #expect(split.linear.inputs.map(\.name) == split.residuals + ["w.tangent"])
        #expect(split.linear.outputs.map(\.name) == ["w.gradient.tangent"])
    }
}
