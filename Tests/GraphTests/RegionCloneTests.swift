import Compute
import Testing

@testable import Graph

/// What regions make again instead of storing it between them.
@Suite struct RegionsThatMakeValuesAgain {
    /// Sums separate the regions, which all want x − mean, its product with k and a mask of k.
    @Test func ofProductsOfOneTensorWithInputsTheTensorAloneIsStored() throws {
        let b = GraphBuilder()
        let shape = [32, 16]
        let k = b.input("k", TensorType(.f32, shape))
        let (a, c) = (b.input("a", TensorType(.f32, [32, 5])), b.input("c", TensorType(.f32, [5, 16])))
        let x = b.add(b.matmul(a, c), b.matmul(b.square(a), c))
        let centred = b.subtract(x, b.broadcast(b.scale(b.sum(x), by: 1 / 512), to: shape))
        let weighted = b.multiply(k, centred)
        let total = b.broadcast(b.sum(weighted), to: shape)
        let mask = b.compare(k, .gt, b.zeros(like: k))
        let spread = b.multiply(b.select(mask, weighted, centred), total)
        let all = b.broadcast(b.sum(spread), to: shape)
        let y = b.add(b.select(mask, b.multiply(weighted, all), centred), spread)
        let graph = b.build(outputs: [("y", y)])
        let fused = fuseElementwise(graph)
        let outputs = Set(fused.outputs.map(\.value))
        let stored = fused.nodes.filter { $0.operation is Fusion }.flatMap { $0.results.map(Value.init) }
            .filter { fused.type(of: $0).shape == shape && !outputs.contains($0) }
        // x, `spread` and what it is a multiple of.
        #expect(stored.count <= 3 && stored.allSatisfy { fused.type(of: $0).element == .f32 }, "\(fused)")
        var random = SplitMix(4)
        let values = random.tensors(for: graph)
        #expect(distance(try Interpreter.run(fused, values), try Interpreter.run(graph, values)) < 1e-5)
    }
}
