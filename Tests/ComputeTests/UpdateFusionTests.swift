import Testing

@testable import Compute
@testable import Graph

/// Regions that compute the rows of a contraction as they walk over them.
@Suite struct UpdateFusionTests {
    /// v ← βv + δᵀx, w ← w − ηv and what Adam makes of them, over a weight matrix [m, n] and a batch of k.
    private func update(m: Int, n: Int, k: Int, _ element: ElementType) -> Graph {
        let b = GraphBuilder()
        let delta = b.input("delta", TensorType(element, [k, m]))
        let x = b.input("x", TensorType(element, [k, n]))
        let names = ["w", "v", "s"]
        let (w, v, s) = (
            b.input("w", TensorType(element, [m, n])), b.input("v", TensorType(element, [m, n])),
            b.input("s", TensorType(element, [m, n]))
        )
        let rate = b.broadcast(b.input("rate", TensorType(element)), to: [m, n])
        let factor = b.broadcast(b.input("factor", TensorType(element)), to: [m, n])
        let gradient = b.dot(delta, x, contracting: ([0], [0]))
        let newV = b.add(b.multiply(factor, v), gradient)
        let newS = b.add(b.square(s), b.square(gradient))
        let step = b.divide(newV, b.add(b.sqrt(newS), b.ones(like: newS)))
        let newW = b.subtract(w, b.multiply(rate, step))
        return b.build(outputs: zip(names, [newW, newV, newS]).map { ("\($0).next", $1) })
    }

    private static let donations = ["w.next": "w", "v.next": "v", "s.next": "s"]

    @Test func theGradientAndItsUpdateAreOneOperation() throws {
        let graph = update(m: 12, n: 20, k: 3, .f32).optimized()
        #expect(graph.nodes.count { $0.operation is DotFusion } == 1)
        #expect(!graph.nodes.contains { $0.operation is DotGeneral || $0.operation is Fusion })
    }

    /// Against the meaning of each operation: shapes with one row or column, blocks that end within a row and tiles that end
    /// within a block; a long contraction is left to OpenBLAS, in two steps.
    @Test(arguments: KernelSet.available) func theKernelIsTheMeaning(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in [ElementType.f32, .f64] {
            for (m, n, k) in [
                (12, 20, 3), (1, 50, 4), (50, 1, 4), (130, 784, 8), (9, 3000, 2), (10, 512, 8), (301, 7, 5),
                (40, 60, 97),
                (100, 120, 130), (5, 70_000, 2), (8, 8, 0),
            ] {
                try expectAsInterpreted(
                    update(m: m, n: n, k: k, element), engine: engine, scale: Double(max(1, k)))
            }
        }
    }

    /// Parameters and state are written where they lie, with the bits of results that lie apart, and with those of one thread.
    @Test func inPlaceAndOnAnyNumberOfThreadsTheBitsAreTheSame() throws {
        for (m, n, k) in [(130, 784, 8), (9, 3000, 2), (301, 7, 5), (512, 40, 64), (100, 120, 130)] {
            let graph = update(m: m, n: n, k: k, .f32)
            var random = TestRandom(3)
            let inputs = graph.inputs.map { random.tensor($0.type) }
            let one = try Engine(threads: 1).plan(for: graph).evaluate(inputs)
            for threads in [1, 2, 3] {
                let engine = try Engine(threads: threads)
                #expect(try evaluateInPlace(graph, donating: Self.donations, inputs, engine: engine) == one)
            }
        }
    }

    /// The rows that a region makes are those of the product by itself.
    @Test func theContractionHasTheBitsOfTheProductAlone() throws {
        let b = GraphBuilder()
        let delta = b.input("delta", TensorType(.f32, [8, 130]))
        let x = b.input("x", TensorType(.f32, [8, 784]))
        let w = b.input("w", TensorType(.f32, [130, 784]))
        let gradient = b.dot(delta, x, contracting: ([0], [0]))
        let alone = b.build(outputs: [("g", gradient)])
        // max(w, −max) is w: the gradient goes through the region as it is.
        let kept = b.minimum(
            b.maximum(gradient, b.negate(b.abs(b.multiply(w, b.constant(1e30, TensorType(.f32, [130, 784])))))),
            b.abs(b.multiply(w, b.constant(1e30, TensorType(.f32, [130, 784])))))
        let fused = b.build(outputs: [("g", kept)])
        #expect(fused.optimized().nodes.contains { $0.operation is DotFusion })
        var random = TestRandom(4)
        let inputs = fused.inputs.map { random.tensor($0.type) }
        let engine = try Engine(threads: 2)
        let product = try engine.plan(for: alone).evaluate(inputs)
        #expect(try engine.plan(for: fused).evaluate(inputs) == product)
    }

    /// A gradient that something else reads is stored; a sum of gradients is accumulated, not stored one by one.
    @Test func whatIsReadElsewhereIsNotFused() throws {
        let b = GraphBuilder()
        let (delta, x) = (b.input("delta", TensorType(.f32, [3, 12])), b.input("x", TensorType(.f32, [3, 20])))
        let (other, y) = (b.input("other", TensorType(.f32, [4, 12])), b.input("y", TensorType(.f32, [4, 20])))
        let (w, v) = (b.input("w", TensorType(.f32, [12, 20])), b.input("v", TensorType(.f32, [12, 20])))
        let gradient = b.dot(delta, x, contracting: ([0], [0]))
        func next(_ gradient: Value) -> [(String, Value)] {
            let newV = b.add(b.multiply(v, v), gradient)
            return [("v.next", newV), ("w.next", b.subtract(w, newV))]
        }
        let stored = b.build(outputs: next(gradient) + [("gradient", gradient)]).optimized()
        #expect(!stored.nodes.contains { $0.operation is DotFusion })
        let sum = b.add(gradient, b.dot(other, y, contracting: ([0], [0])))
        let shared = b.build(outputs: next(sum)).optimized()
        #expect(!shared.nodes.contains { $0.operation is DotFusion })
        #expect(shared.nodes.count { $0.operation is AccumulateDot } == 1)
        // The plain step has a kernel without a region.
        let plain = b.build(outputs: [("w.next", b.subtract(w, gradient))]).optimized()
        #expect(plain.nodes.map(\.operation.mnemonic).contains(AccumulateDot.mnemonic))
    }
}
