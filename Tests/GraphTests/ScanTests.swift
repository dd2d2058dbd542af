import Compute
import Graph
import Testing

/// Scans against the same recurrences written out, against finite differences, and against loops.
@Suite struct Scans {
    @Test(arguments: Recurrence.all, [1, 2, 4]) func derivativesOfEachOrderAgreeWithFiniteDifferences(
        _ recurrence: Recurrence, _ length: Int
    ) throws {
        for reverse in [false, true] {
            var laws = DerivativeLaws(try recurrence.graph(length: length, reverse: reverse), seed: length)
            try laws.check(reverse ? "reversed" : "")
        }
    }

    /// Every derivative that the laboratory asks for, of a scalar that sees all results.
    private static func derivatives(_ f: Graph, _ names: [String]) throws -> [Graph] {
        let gradients = names.map { $0 + ".gradient" }
        let gradient = try vjp(f, of: "f", withRespectTo: names).selecting(outputs: gradients)
        let product = try jvp(gradient, along: names).selecting(outputs: gradients.map { $0 + ".tangent" })
        let third = try jvp(product, along: names).selecting(outputs: gradients.map { $0 + ".tangent.tangent" })
        return [f, gradient, product, try quadraticForm(f, of: "f", along: names), third]
    }

    private static func scalar(_ graph: Graph, seed: Int) -> Graph {
        var random = SplitMix(seed)
        let b = GraphBuilder()
        let values = b.inline(graph, inputs: graph.inputs.map { b.input($0.name, $0.type) })
        let terms = values.map { b.inner(b.constant(random.tensor(b.type(of: $0))), b.tanh($0)) }
        return b.build(outputs: [("f", terms.dropFirst().reduce(terms[0], b.add))])
    }

    @Test(arguments: Recurrence.all, [false, true]) func aScanIsTheRecurrenceWrittenOut(
        _ recurrence: Recurrence, _ reverse: Bool
    ) throws {
        for length in [1, 4] {
            let scan = Self.scalar(try recurrence.graph(length: length, reverse: reverse), seed: length)
            let written = Self.scalar(
                try recurrence.graph(length: length, reverse: reverse, isUnrolled: true), seed: length)
            let all = scan.inputs.map(\.name)
            // All inputs, and each alone: what is not differentiated is a constant.
            for names in [all] + (length == 1 ? [] : all.map { [$0] }) {
                let pairs = zip(try Self.derivatives(scan, names), try Self.derivatives(written, names))
                for (order, (own, other)) in pairs.enumerated() {
                    var random = SplitMix(7)
                    let inputs = random.tensors(for: own)
                    // Sums in another order.
                    #expect(
                        distance(try Interpreter.run(own, inputs), try Interpreter.run(other, inputs)) < 1e-12,
                        "length \(length), derivative \(order) along \(names)")
                }
            }
        }
    }

    @Test(arguments: Recurrence.all) func hoistingAndUnrollingChangeNoValue(_ recurrence: Recurrence) throws {
        for (length, reverse) in [(1, false), (3, true), (3, false)] {
            let scan = Self.scalar(try recurrence.graph(length: length, reverse: reverse), seed: length)
            for graph in try Self.derivatives(scan, scan.inputs.map(\.name)).dropLast(length == 1 ? 1 : 0) {
                var random = SplitMix(7)
                let inputs = random.tensors(for: graph)
                let result = try Interpreter.run(graph, inputs)
                let optimized = graph.optimized()
                for pass in [hoistFromScans(graph), unrollScans(graph), optimized] {
                    #expect(pass.inputs == graph.inputs)
                    // Sums in another order.
                    #expect(distance(result, try Interpreter.run(pass, inputs)) < 1e-12, "\(graph)\n\(pass)")
                }
                #expect(!optimized.nodes.contains { $0.operation is Scan })
            }
        }
    }

    @Test(arguments: Recurrence.all) func aBatchOfScansIsALoopForEverySubsetOfOperands(_ recurrence: Recurrence) throws
    {
        for (length, reverse) in [(1, false), (3, true)] {
            let graph = try recurrence.graph(length: length, reverse: reverse)
            let names = graph.inputs.map(\.name)
            for subset in 1..<(1 << names.count) {
                let marked = names.indices.filter { subset >> $0 & 1 == 1 }.map { names[$0] }
                try checkBatching(graph, over: marked, size: 2)
            }
            let again = try vmap(graph, over: [names[names.count - 1]], size: 2)
            try checkBatching(again, over: names, size: 3)
            let gradient = try vjp(Self.scalar(graph, seed: 1), of: "f", withRespectTo: names)
            try checkBatching(gradient, over: [names[0]], size: 2)
            if length == 3 {
                var laws = DerivativeLaws(try vmap(graph, over: [names[0]], size: 2))
                try laws.check("vjp of vmap")
            }
        }
    }

    /// The products whose result has the shape of the recurrent matrix are weight gradients.
    private func weightGradients(_ recurrence: Recurrence, length: Int, order: Int) throws -> (
        inLoops: Int, outside: Int
    ) {
        let names = ["c0", "c1", "c2"]
        let batch = try vmap(try recurrence.graph(length: length), over: ["h0", "h1", "x0"], size: 3)
        let graph = try Self.derivatives(Self.scalar(batch, seed: 1), names)[order].simplified()
        let shape = [8, 2]
        func count(_ graph: Graph) -> Int {
            graph.nodes.count(where: { $0.operation is DotGeneral && graph.type(of: $0.result).shape == shape })
        }
        let bodies = graph.nodes.filter { $0.operation is Scan }.flatMap(\.operation.bodies)
        return (bodies.map(count).reduce(0, +), count(graph))
    }

    @Test(arguments: [1, 2, 4]) func weightGradientsAreAFewWideProductsWhateverTheNumberOfSteps(_ order: Int) throws {
        let few = try weightGradients(.lstm, length: 3, order: order)
        let many = try weightGradients(.lstm, length: 30, order: order)
        #expect(few == many)
        #expect(many.inLoops == 0)
        // One product; a derivative of it has two terms, a derivative of that four.
        #expect(many.outside == [1: 1, 2: 2, 4: 4][order])
    }

    /// The gates of all steps are read from the scan, after their activations; of tanh the value is enough.
    @Test(arguments: [(Recurrence.lstm, 6), (.rnn, 1)]) func whatIsDearToComputeAgainIsKept(
        _ recurrence: Recurrence, _ carries: Int
    ) throws {
        let graph = Self.scalar(try recurrence.graph(length: 5), seed: 1)
        let names = graph.inputs.map(\.name).filter { $0.hasPrefix("c") }
        let gradient = try vjp(graph, of: "f", withRespectTo: names).simplified()
        let rows = gradient.nodes.filter { $0.operation is DotGeneral }.map { gradient.type(of: $0.result).shape }
        #expect(!rows.contains([5, 8]) && !rows.contains([5, 3]))
        #expect(gradient.nodes.first { $0.operation is Scan }?.results.count == carries)
        #expect(!gradient.nodes.contains { $0.operation is Logistic })
    }

    /// The network, its tangent, and the backward sweep, which gives the quadratic form its cotangents.
    @Test(arguments: Recurrence.all.dropLast()) func aQuadraticFormTakesThreeScans(_ recurrence: Recurrence) throws {
        let graph = Self.scalar(try recurrence.graph(length: 5), seed: 1)
        let form = try quadraticForm(graph, of: "f", along: graph.inputs.map(\.name), gradients: true).simplified()
        #expect(form.nodes.count(where: { $0.operation is Scan }) <= 3, "\(form)")
    }

    @Test func whatDoesNotRecurIsTakenOutOfTheLoop() throws {
        let graph = hoistFromScans(try Recurrence.lstm.graph(length: 6))
        let products = graph.nodes.filter { $0.operation is DotGeneral }
        #expect(products.map { graph.type(of: $0.result).shape } == [[6, 8]])
        let body = try #require(graph.nodes.first { $0.operation is Scan }?.operation.bodies.first)
        #expect(body.nodes.count(where: { $0.operation is DotGeneral }) == 1)
        // The bias is added outside, though the network adds it last.
        #expect(!body.nodes.contains { $0.operation is BroadcastInDim })
        #expect(body.inputs.map(\.type.shape) == [[2], [2], [8], [8, 2]])
    }

    @Test func unrolledScansReadEachOthersSteps() throws {
        let graph = Self.scalar(try Recurrence.rnn.graph(length: 7), seed: 1)
        let gradient = try vjp(graph, of: "f", withRespectTo: ["c0"]).selecting(outputs: ["c0.gradient"])
        let unrolled = unrollScans(hoistFromScans(gradient).simplified())
        // The recurrent products: forwards 7; backwards 6, since nobody wants the cotangent of h0.
        let products = unrolled.nodes.filter { $0.operation is DotGeneral && unrolled.type(of: $0.result).shape == [3] }
        #expect(products.count == 13)
    }

    @Test func theFirstStepFromZeroHasNoRecurrentProduct() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [5, 3]))
        let w = b.input("w", TensorType(.f64, [3, 3]))
        let h = try b.scan(carries: [b.zeros(TensorType(.f64, [3]))], stacked: [x], constants: [w]) { b, h, x, c in
            [b.tanh(b.add(b.matmul(c[0], h[0]), x[0]))]
        }
        let graph = b.build(outputs: [("h", h[0])])
        let unrolled = unrollScans(graph)
        #expect(unrolled.nodes.count(where: { $0.operation is DotGeneral }) == 4)
        #expect(unrolled.nodes.count(where: { $0.operation is Tanh }) == 5)
        var random = SplitMix(1)
        let inputs = random.tensors(for: graph)
        #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(unrolled, inputs)) < 1e-12)
    }

    @Test func aScanIsPrintedWithItsBody() throws {
        #expect(
            try Recurrence.linear.graph(length: 4, reverse: true).description == """
                graph(%h0: f64[3], %x0: f64[4,3], %c0: f64[3,3]) {
                    %3 = scan %h0, %x0, %c0 {carries = 1, stacked = 1, length = 4, reverse} graph(%h0: f64[3], %x0: f64[3], %c0: f64[3,3]) {
                        %3 = dot_general %c0, %h0 {contracting = [1] x [0]} : f64[3]
                        %4 = constant {0.5} : f64[3]
                        %5 = multiply %4, %3 : f64[3]
                        %6 = add %5, %x0 : f64[3]
                        return h0 = %6
                    } : f64[4,3]
                    return y0 = %3
                }
                """)
    }

    /// The text, for networks, gradients and products, was read and run by XLA with the interpreter's results.
    @Test func aScanIsSpelledAsALoop() throws {
        #expect(
            try Recurrence.linear.graph(length: 4, reverse: true).stableHLO() == """
                module {
                  func.func public @main(%arg0: tensor<3xf64>, %arg1: tensor<4x3xf64>, %arg2: tensor<3x3xf64>) -> (tensor<4x3xf64>) {
                    %c0 = stablehlo.constant dense<0> : tensor<i32>
                    %c1 = stablehlo.constant dense<1> : tensor<i32>
                    %c2 = stablehlo.constant dense<4> : tensor<i32>
                    %c3 = stablehlo.constant dense<0.0> : tensor<4x3xf64>
                    %0:3 = stablehlo.while(%c4 = %c0, %c5 = %arg0, %c6 = %c3) : tensor<i32>, tensor<3xf64>, tensor<4x3xf64>
                    cond {
                      %c7 = stablehlo.compare LT, %c4, %c2 : (tensor<i32>, tensor<i32>) -> tensor<i1>
                      stablehlo.return %c7 : tensor<i1>
                    } do {
                      %c8 = stablehlo.constant dense<3> : tensor<i32>
                      %c9 = stablehlo.subtract %c8, %c4 : tensor<i32>
                      %c10 = stablehlo.dynamic_slice %arg1, %c9, %c0, sizes = [1, 3] : (tensor<4x3xf64>, tensor<i32>, tensor<i32>) -> tensor<1x3xf64>
                      %c11 = stablehlo.reshape %c10 : (tensor<1x3xf64>) -> tensor<3xf64>
                      %s0_0 = stablehlo.dot_general %arg2, %c5, contracting_dims = [1] x [0] : (tensor<3x3xf64>, tensor<3xf64>) -> tensor<3xf64>
                      %s0_1 = stablehlo.constant dense<0.5> : tensor<3xf64>
                      %s0_2 = stablehlo.multiply %s0_1, %s0_0 : tensor<3xf64>
                      %s0_3 = stablehlo.add %s0_2, %c11 : tensor<3xf64>
                      %c12 = stablehlo.reshape %s0_3 : (tensor<3xf64>) -> tensor<1x3xf64>
                      %c13 = stablehlo.dynamic_update_slice %c6, %c12, %c9, %c0 : (tensor<4x3xf64>, tensor<1x3xf64>, tensor<i32>, tensor<i32>) -> tensor<4x3xf64>
                      %c14 = stablehlo.add %c4, %c1 : tensor<i32>
                      stablehlo.return %c14, %s0_3, %c13 : tensor<i32>, tensor<3xf64>, tensor<4x3xf64>
                    }
                    return %0#2 : tensor<4x3xf64>
                  }
                }

                """)
    }

    @Test func aScanThatDoesNotFitIsRefusedInWords() {
        func message(_ make: (GraphBuilder) throws -> [Value]) -> String {
            do {
                _ = try make(GraphBuilder())
                return ""
            } catch { return "\(error)" }
        }
        func x(_ b: GraphBuilder, _ shape: [Int]) -> Value { b.zeros(TensorType(.f32, shape)) }
        #expect(
            message { b in
                try b.scan(carries: [x(b, [3])], stacked: [x(b, [5, 3]), x(b, [4, 3])]) { _, h, _, _ in h }
            }
                == "scan of 5 steps: operand 2 is f32[4,3], its body needs f32[5,3]")
        #expect(
            message { b in try b.scan(carries: [x(b, [3])], stacked: [x(b, [5, 2])]) { _, _, x, _ in x } }
                == "scan: carries [f32[3]] before a step, but [f32[2]] after it")
        #expect(
            message { b in try b.scan(carries: [x(b, [3])], stacked: [x(b, [0, 3])]) { _, h, _, _ in h } }
                == "scan takes at least one step, not 0")
        #expect(
            message { b in try b.scan(carries: [x(b, [3])]) { _, h, _, _ in h } }
                == "scan without stacked operands takes a length")
        #expect(
            message { b in try b.scan(carries: [x(b, [3])], stacked: [x(b, [])]) { _, h, _, _ in h } }
                == "scan: a stacked operand is a scalar: it has no axis of steps")
        #expect(
            message { b in try b.scan(carries: [], stacked: [x(b, [2])]) { _, h, _, _ in h } }
                == "scan: 0 carries and 1 stacked operands among 1")
        #expect(
            message { b in
                try b.scan(carries: [x(b, [3])], length: 2) { b, h, _, _ in [b.emit(BatchMean(), h[0])] }
            } == "scan: its body takes a mean over the batch; take batch statistics outside of the recurrence")
    }
}
