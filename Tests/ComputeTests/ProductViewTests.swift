import Compute
import Graph
import Testing

/// Products read parts and transpositions of tensors where they lie.
@Suite struct ProductViewTests {
    /// Queries, keys and values as parts of one product, split into heads: attention makes no copy of them.
    private func attention(_ element: ElementType, samples: Int, tokens: Int, heads: Int, width: Int) -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(element, [samples, tokens, 24]))
        let w = b.input("w", TensorType(element, [3 * heads * width, 24]))
        let all = b.dot(x, w, contracting: ([2], [1]))
        let parts = (0..<3).map { part in
            let slice = b.slice(all, axis: 2, from: part * heads * width, to: (part + 1) * heads * width)
            return b.transpose(b.reshape(slice, to: [samples, tokens, heads, width]), [0, 2, 1, 3])
        }
        let scores = b.dot(parts[0], parts[1], contracting: ([3], [3]), batch: ([0, 1], [0, 1]))
        let mixed = b.dot(b.tanh(scores), parts[2], contracting: ([3], [2]), batch: ([0, 1], [0, 1]))
        return b.build(outputs: [("scores", scores), ("mixed", mixed)])
    }

    @Test(arguments: KernelSet.available) func attentionReadsItsPartsWhereTheyLie(_ set: KernelSet) throws {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 2, kernelSet: set, optimizes: optimizes)
            for (tokens, width) in [(5, 4), (20, 16), (33, 7)] {
                for element in [ElementType.f32, .f64] {
                    let graph = attention(element, samples: 3, tokens: tokens, heads: 2, width: width)
                    try expectAsInterpreted(graph, engine: engine, tolerance: 1e-5, scale: 10)
                    let description = try engine.plan(for: graph).description
                    #expect(!description.contains("copy["), "\(description)")
                }
            }
        }
    }

    @Test func aPartThatSomethingElseReadsIsMade() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [6, 10]))
        let part = b.slice(x, starts: [1, 2], limits: [5, 9], strides: [1, 3])
        let turned = b.transpose(part, [1, 0])
        let graph = b.build(outputs: [
            ("part", part), ("product", b.matmul(part, turned)), ("gram", b.matmul(turned, b.tanh(part))),
            ("flat", b.matmul(b.reshape(part, to: [2, 6]), b.reshape(turned, to: [6, 2]))),
        ])
        for optimizes in [true, false] {
            try expectAsInterpreted(graph, engine: Engine(threads: 1, optimizes: optimizes), tolerance: 1e-5)
        }
    }
}
