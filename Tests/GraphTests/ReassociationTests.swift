import Compute
import Graph
import Testing

@Suite struct Reassociation {
    private func check(_ graph: Graph, multiplyAdds: Int, _ comment: Comment? = nil) throws {
        var random = SplitMix(5)
        let result = reassociateContractions(graph, .cpu)
        #expect(result.cost().multiplyAdds == multiplyAdds, "\(result)")
        let inputs = random.tensors(for: graph)
        let difference = distance(try Interpreter.run(graph, inputs), try Interpreter.run(result, inputs))
        // Another order of f64 sums of at most some thousand terms.
        #expect(difference < 1e-12, comment)
    }

    private func f64(_ shape: Int...) -> TensorType { TensorType(.f64, shape) }

    @Test func aChainThatEndsInAVectorIsAppliedToTheVector() throws {
        let b = GraphBuilder()
        let (a, c, d) = (b.input("a", f64(20, 30)), b.input("c", f64(30, 40)), b.input("d", f64(40, 50)))
        let v = b.input("v", f64(50))
        let graph = b.build(outputs: [("y", b.matmul(b.matmul(b.matmul(a, c), d), v))])
        try check(graph, multiplyAdds: 40 * 50 + 30 * 40 + 20 * 30)
    }

    @Test func theInnerProductOfTwoProductsIsThatOfTwoGramMatrices() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", f64(50, 3)), b.input("y", f64(3, 60)))
        let product = b.matmul(x, y)
        let graph = b.build(outputs: [("norm", b.sum(b.square(product)))])
        try check(graph, multiplyAdds: 3 * 3 * 50 + 3 * 3 * 60 + 3 * 3)
    }

    @Test func batchAxesRideAlong() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", f64(50, 3)), b.input("y", f64(3, 60)))
        let one = b.build(outputs: [("norm", b.sum(b.square(b.matmul(x, y))))])
        try check(try vmap(one, over: ["x", "y"], size: 4), multiplyAdds: 4 * (3 * 3 * 50 + 3 * 3 * 60 + 3 * 3))
    }

    @Test func scalesSignsTranspositionsAndUnitAxesAreSeenThrough() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", f64(3, 50)), b.input("y", f64(3, 60)))
        let product = b.negate(b.scale(b.dot(x, y, contracting: ([0], [0])), by: 3))
        let moved = b.reshape(b.transpose(product, [1, 0]), to: [60, 1, 50])
        let graph = b.build(outputs: [("s", b.sum(b.multiply(moved, b.reshape(moved, to: [60, 1, 50]))))])
        try check(graph, multiplyAdds: 3 * 3 * 50 + 3 * 3 * 60 + 3 * 3)
    }

    @Test func aNormalizedDirectionIsNotFormedEither() throws {
        // v = G/‖G‖ for a product G = xᵀy, wanted only in vz: the number for each batch scales what is left.
        let b = GraphBuilder()
        let (x, y, z) = (b.input("x", f64(3, 50)), b.input("y", f64(3, 60)), b.input("z", f64(60, 2)))
        let product = b.dot(x, y, contracting: ([0], [0]))
        let norm = b.sqrt(b.sum(b.square(product)))
        let inverse = b.divide(b.ones(like: norm), norm)
        let direction = b.multiply(product, b.broadcast(inverse, to: [50, 60]))
        let one = b.build(outputs: [("y", b.matmul(direction, z))])
        let graph = reassociateContractions(try vmap(one, over: ["x", "y", "z"], size: 4), .cpu)
        #expect(!graph.types.contains { $0.shape.sorted() == [4, 50, 60] }, "\(graph)")
        try check(one, multiplyAdds: 3 * 3 * 50 + 3 * 3 * 60 + 3 * 3 + 3 * 60 * 2 + 3 * 50 * 2)
    }

    @Test func weightsMovedAlongAGradientAreNotFormed() throws {
        // W + c·δᵀA for a batch of three, wanted in products from both sides: Wx + c·δᵀ(Ax), and the same transposed.
        let b = GraphBuilder()
        let (w, x, y) = (b.input("w", f64(50, 60)), b.input("x", f64(60, 3)), b.input("y", f64(3, 50)))
        let (delta, a, c) = (b.input("delta", f64(3, 50)), b.input("a", f64(3, 60)), b.input("c", f64()))
        func products(_ weights: Value) -> [(String, Value)] {
            [("forward", b.matmul(weights, x)), ("backward", b.matmul(y, weights))]
        }
        let move = b.multiply(b.broadcast(c, to: [50, 60]), b.dot(delta, a, contracting: ([0], [0])))
        let moved = b.add(w, move)
        let graph = b.build(outputs: products(moved))
        let result = reassociateContractions(graph, .cpu)
        #expect(!result.nodes.contains { result.type(of: $0.result).shape.sorted() == [50, 60] }, "\(result)")
        try check(graph, multiplyAdds: 2 * 3 * 50 * 60 + 2 * (3 * 3 * 60 + 3 * 3 * 50))
        // Wanted for itself, too, it is there.
        let kept = b.build(outputs: products(moved) + [("moved", moved)])
        #expect(reassociateContractions(kept, .cpu).types.contains { $0.shape.sorted() == [50, 60] })
        // Not cheaper for more samples than the weights are wide.
        let wide = GraphBuilder()
        let (v, z) = (wide.input("v", f64(20, 30)), wide.input("z", f64(30, 90)))
        let rows = (wide.input("delta", f64(90, 20)), wide.input("a", f64(90, 30)))
        let sum = wide.add(v, wide.dot(rows.0, rows.1, contracting: ([0], [0])))
        let whole = wide.build(outputs: [("y", wide.matmul(sum, z))])
        #expect(reassociateContractions(whole, .cpu) == whole)
    }

    @Test func anIntermediateThatIsWantedForItselfStays() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", f64(50, 20)), b.input("y", f64(20, 60)))
        let product = b.matmul(x, y)
        let graph = b.build(outputs: [("product", product), ("norm", b.inner(product, product))])
        #expect(reassociateContractions(graph, .cpu) == graph)
    }

    @Test func aMaskIsABarrier() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", f64(50, 3)), b.input("y", f64(3, 60)))
        let v = b.input("v", f64(60))
        let masked = b.relu(b.matmul(x, y))
        let graph = b.build(outputs: [("y", b.matmul(masked, v))])
        #expect(reassociateContractions(graph, .cpu) == graph)
    }

    @Test func aDeepLinearNetworkIsAppliedFromTheCheaperEnd() throws {
        // More factors than one view holds: the chain is cut, and each part ordered.
        let b = GraphBuilder()
        let weights = (0..<12).map { b.input("w\($0)", f64(30, 30)) }
        let v = b.input("v", f64(30))
        let chain = weights.dropFirst().reduce(weights[0]) { b.matmul($0, $1) }
        let graph = b.build(outputs: [("y", b.matmul(chain, v))])
        let result = reassociateContractions(graph, .cpu)
        #expect(result.cost().multiplyAdds < graph.cost().multiplyAdds / 2)
        var random = SplitMix(2)
        let inputs = random.tensors(for: graph)
        #expect(distance(try Interpreter.run(graph, inputs), try Interpreter.run(result, inputs)) < 1e-12)
    }

    @Test func gramSumsOfSinglePrecisionAreKeptInDouble() throws {
        let b = GraphBuilder()
        let (x, y) = (b.input("x", TensorType(.f32, [50, 3])), b.input("y", TensorType(.f32, [3, 60])))
        let graph = b.build(outputs: [("norm", b.sum(b.square(b.matmul(x, y))))]).optimized()
        let grams = graph.nodes.filter { $0.operation is DotGeneral }
        #expect(grams.count == 3 && grams.allSatisfy { graph.type(of: $0.result).element == .f64 }, "\(graph)")
        // Columns that nearly cancel: f32 products are exact in f64, and so is the sum but for its last rounding.
        var random = SplitMix(3)
        let rows = (0..<50).map { _ in Double(Float.random(in: 0.5...1, using: &random)) }
        let columns = (0..<60).map { _ in Double(Float.random(in: 0.5...1, using: &random)) }
        let left = rows.flatMap { [$0, -$0, 1e-3 * $0] }
        let right = columns + columns + columns
        let inputs = [Tensor(TensorType(.f32, [50, 3]), left), Tensor(TensorType(.f32, [3, 60]), right)]
        let norm = try Interpreter.run(graph, inputs)[0].scalar
        let small = stride(from: 2, to: 150, by: 3).map { inputs[0].values[$0] }
        let exact = small.reduce(0) { $0 + $1 * $1 } * columns.reduce(0) { $0 + $1 * $1 }
        // The Gram entries are of order 30 and cancel to 3e-5: f32 sums would keep no digit of the square.
        #expect(abs(norm - exact) < 1e-6 * exact)
    }
}
