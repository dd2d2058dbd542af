import Compute
import Graph
import Testing

/// Products write their results in the order in which these are read.
@Suite struct ArrangedProductTests {
    /// Attention up to the projection that brings the heads together, and the gradient of its three projections in one.
    private func attention(_ element: ElementType, tokens: Int, width: Int, heads: Int = 2, samples: Int = 3) -> Graph {
        let b = GraphBuilder()
        let inner = heads * width
        let x = b.input("x", TensorType(element, [samples, tokens, 8]))
        let w = b.input("w", TensorType(element, [3 * inner, 8]))
        let out = b.input("out", TensorType(element, [5, inner]))
        let all = b.dot(x, w, contracting: ([2], [1]))
        let parts = (0..<3).map { part in
            let slice = b.slice(all, axis: 2, from: part * inner, to: (part + 1) * inner)
            return b.transpose(b.reshape(slice, to: [samples, tokens, heads, width]), [0, 2, 1, 3])
        }
        let scores = b.tanh(b.dot(parts[0], parts[1], contracting: ([3], [3]), batch: ([0, 1], [0, 1])))
        let mixed = b.dot(scores, parts[2], contracting: ([3], [2]), batch: ([0, 1], [0, 1]))
        let together = b.reshape(b.transpose(mixed, [0, 2, 1, 3]), to: [samples, tokens, inner])
        let y = b.dot(together, out, contracting: ([2], [1]))
        return b.build(outputs: [("loss", b.sum(b.multiply(y, b.tanh(y))))])
    }

    @Test(arguments: KernelSet.available) func headsAreNotCopied(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (tokens, width) in [(5, 4), (20, 16), (33, 7), (130, 32)] {
            for element in [ElementType.f32, .f64] {
                let graph = try vjp(
                    attention(element, tokens: tokens, width: width), of: "loss", withRespectTo: ["x", "w", "out"])
                try expectAsInterpreted(graph, engine: engine, tolerance: 2e-3, scale: 10)
                let lines = try engine.plan(for: graph).description.split(separator: "\n")
                let copies = lines.filter { $0.contains("copy[") || $0.contains("transpose[") }
                #expect(copies.isEmpty, "\(copies)")
                #expect(lines.contains { $0.contains("arranged_dot") })
            }
        }
    }

    /// Every kernel writes through strides: batches, rows and columns of all sizes, columns or rows innermost.
    @Test(arguments: KernelSet.available) func eachKernelWritesInAnyOrderThatItsColumnsAllow(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set, optimizes: false)
        let sizes = [
            (1, 1, 1), (5, 7, 3), (1, 9, 4), (9, 1, 4), (17, 130, 61), (130, 110, 120), (40, 60, 0), (70, 33, 700),
        ]
        for element in [ElementType.f32, .f64] {
            for (m, n, k) in sizes {
                for (i, j) in [(2, 2), (1, 1), (2, 1), (1, 2)] {
                    for order in [
                        [0, 1, 2, 3], [1, 0, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [0, 2, 3, 1], [3, 0, 2, 1],
                    ] {
                        let b = GraphBuilder()
                        let x = b.input("x", TensorType(element, i == 2 ? [2, m, k, 3] : [2, k, m, 3]))
                        let y = b.input("y", TensorType(element, j == 2 ? [2, n, k, 3] : [2, k, n, 3]))
                        let dot = DotGeneral(
                            lhsBatch: [0, 3], rhsBatch: [0, 3], lhsContracting: [i], rhsContracting: [j],
                            result: element)
                        let result = b.emit(ArrangedDot(dot: dot, permutation: order), x, y)
                        try expectAsInterpreted(
                            b.build(outputs: [("y", result)]), engine: engine, tolerance: 2e-6, scale: 27)
                    }
                }
            }
        }
    }

    /// Long sums of few terms are cut in chunks, whose results are added in one order only.
    @Test func aSumThatIsCutIsMovedAfterwards() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [3, 9000]))
        let y = b.input("y", TensorType(.f32, [2, 5, 9000]))
        let dot = DotGeneral(lhsContracting: [1], rhsContracting: [2], result: .f32)
        let graph = b.build(outputs: [("y", b.emit(ArrangedDot(dot: dot, permutation: [1, 0, 2]), x, y))])
        try expectAsInterpreted(graph, engine: Engine(threads: 2), tolerance: 2e-6, scale: 100)
    }

    /// Its expansion is the contraction and the transposition; what it costs are the contraction's multiply-adds.
    @Test func anArrangedContractionIsOneWithATransposition() throws {
        let dot = DotGeneral(lhsBatch: [0], rhsBatch: [0], lhsContracting: [2], rhsContracting: [1], result: .f64)
        let operation = ArrangedDot(dot: dot, permutation: [1, 0, 2])
        let types = [TensorType(.f64, [2, 3, 4]), TensorType(.f64, [2, 4, 5])]
        let expansion = try #require(operation.expansion(of: types))
        #expect(try operation.resultTypes(of: types) == [TensorType(.f64, [3, 2, 5])])
        var random = TestRandom(3)
        let inputs = types.map { random.tensor($0) }
        let expected = try Interpreter.run(expansion, inputs)
        #expect(operation.evaluate(inputs, as: [TensorType(.f64, [3, 2, 5])])[0].values == expected[0].values)
        #expect(operation.cost(operands: types, results: [TensorType(.f64, [3, 2, 5])]).multiplyAdds == 120)
    }

    /// What an elementwise operation reads as well, or an output is, stays as it was.
    @Test func onlyWhatContractionsAloneReadIsLaidOutForThem() throws {
        for keeps in [false, true] {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(.f64, [2, 4, 6, 5]))
            let w = b.input("w", TensorType(.f64, [4, 5, 30]))
            let mixed = b.tanh(b.dot(x, x, contracting: ([3], [3]), batch: ([0, 1], [0, 1])))
            let scored = b.dot(mixed, x, contracting: ([3], [2]), batch: ([0, 1], [0, 1]))
            let product = b.dot(scored, w, contracting: ([1, 3], [0, 1]))
            let graph = b.build(outputs: [("product", product)] + (keeps ? [("scored", scored)] : []))
            try expectAsInterpreted(graph, engine: Engine(threads: 1), tolerance: 1e-5, scale: 30)
            let description = try Engine(threads: 1).plan(for: graph).description
            #expect(
                description.contains("arranged_dot") == !keeps && description.contains("for a product") == keeps,
                "\(description)")
        }
    }
}
