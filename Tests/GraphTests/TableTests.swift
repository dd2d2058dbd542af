import Testing

@testable import Graph

/// Contractions of rows that were taken from a table.
@Suite struct TableTests {
    private let weights = CostWeights(multiplyAddsPerElement: 8)

    /// The summed squares of ((table by numbers) w) along the time axis first: an embedding, its rows multiplied, turned round.
    private func embedding(_ rows: Int, _ numbers: [Int], turned: Bool = true) -> Graph {
        let b = GraphBuilder()
        let table = b.input("table", TensorType(.f64, [rows, 6]))
        let indices = b.input("indices", TensorType(.i32, numbers))
        let w = b.input("w", TensorType(.f64, [5, 6]))
        let c = b.input("c", TensorType(.f64, turned ? numbers.reversed() + [5] : numbers + [5]))
        let dot = DotGeneral(lhsContracting: [numbers.count], rhsContracting: [1], result: .f64)
        let bias = b.input("bias", TensorType(.f64, [5]))
        var y = b.emit(dot, b.gather(table, indices), w)
        y = b.add(y, b.broadcast(bias, to: b.type(of: y).shape))
        if turned { y = b.transpose(y, Array(numbers.indices.reversed()) + [numbers.count]) }
        return b.build(outputs: [("f", b.sum(b.multiply(c, b.tanh(y))))])
    }

    private func inputs(_ graph: Graph, rows: Int) -> [Tensor] {
        graph.inputs.enumerated().map { place, input in
            Tensor(
                input.type,
                (0..<input.type.count).map { i in
                    // Some numbers lie outside of the table.
                    input.type.element == .i32
                        ? Double((i * 7 + 3) % (rows + 4) - 2) : Double((i * 37 + place * 11) % 19) / 9 - 1
                })
        }
    }

    private func dots(_ graph: Graph) -> [Int] {
        graph.nodes.filter { $0.operation is DotGeneral }.map { graph.cost(of: $0).multiplyAdds }
    }

    @Test(arguments: [true, false])
    func valueAndGradientsContractTheTable(turned: Bool) throws {
        let f = embedding(4, [9, 8], turned: turned)
        for graph in [f, try vjp(f, of: "f", withRespectTo: ["table", "w"])] {
            let plain = graph.simplified()
            let made = contractTables(plain, weights)
            #expect(made != plain)
            // 72 rows were taken of 4: all products are of 4 rows, and so are all sums with the bias.
            #expect(
                made.nodes.allSatisfy { !($0.operation is Add) || made.type(of: $0.result).shape[0] == 4 }, "\(made)")
            #expect(dots(made).allSatisfy { $0 == 4 * 6 * 5 }, "\(made)")
            #expect(dots(plain).allSatisfy { $0 == 72 * 6 * 5 }, "\(plain)")
            #expect(made.nodes.count { $0.operation is ScatterAdd } <= 1, "one sum serves both gradients\n\(made)")
            let values = inputs(graph, rows: 4)
            for (x, y) in zip(try Interpreter.run(plain, values), try Interpreter.run(made, values)) {
                for (a, b) in zip(x.values, y.values) { #expect(abs(a - b) <= 1e-12 * max(1, abs(a))) }
            }
        }
    }

    /// The second derivative, too, against that of the plain program.
    @Test func hessianProductsContractTheTable() throws {
        let gradient = try vjp(embedding(4, [9, 8]), of: "f", withRespectTo: ["table", "w"])
        let product = try jvp(
            gradient.selecting(outputs: ["table.gradient", "w.gradient"]), along: ["table", "w"])
        let plain = product.simplified()
        let made = contractTables(plain, weights)
        #expect(made.cost().total(weights) < 0.8 * plain.cost().total(weights))
        let values = inputs(product, rows: 4)
        for (x, y) in zip(try Interpreter.run(plain, values), try Interpreter.run(made, values)) {
            for (a, b) in zip(x.values, y.values) { #expect(abs(a - b) <= 1e-12 * max(1, abs(a))) }
        }
    }

    /// A large table of which few rows are taken stays as it is.
    @Test func largeTablesStay() throws {
        let f = embedding(100, [3, 4])
        for graph in [f, try vjp(f, of: "f", withRespectTo: ["table", "w"])] {
            let plain = graph.simplified()
            #expect(contractTables(plain, weights) == plain)
        }
    }
}
