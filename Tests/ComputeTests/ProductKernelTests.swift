import Compute
import Graph
import Testing

/// Contractions of every form against the interpreter, which adds in f64.
///
/// Tolerance: sums of up to a thousand products of numbers below 1, rounded in f32: 2e-6 of the scale √k.
@Suite struct ProductKernelTests {
    /// The axes of a contraction with letters: "bij,bkj->bik".
    static func product(
        _ left: [Int], _ right: [Int], batch: ([Int], [Int]) = ([], []), contracting: ([Int], [Int]),
        _ element: ElementType,
        _ result: ElementType
    ) -> Graph {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(element, left))
        let y = b.input("y", TensorType(element, right))
        let dot = DotGeneral(
            lhsBatch: batch.0, rhsBatch: batch.1, lhsContracting: contracting.0, rhsContracting: contracting.1,
            result: result)
        return b.build(outputs: [("y", b.emit(dot, x, y))])
    }

    static let elements: [(ElementType, ElementType)] = [(.f32, .f32), (.f64, .f64), (.f32, .f64)]

    @Test(arguments: KernelSet.available) func matricesInAllFourOrders(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let sizes = [
            (1, 1, 1), (8, 30, 50), (3, 17, 29), (7, 100, 16), (60, 61, 62), (1, 40, 9), (50, 1, 33), (64, 70, 5),
            (130, 120, 110),
            (0, 3, 2), (3, 0, 2), (3, 2, 0), (9, 9, 200), (8, 150, 300), (17, 130, 261),
            // Columns brought together: in one panel and several, whole vectors and not, with few terms and many.
            (40, 8, 1), (33, 9, 7), (100, 53, 30), (90, 25, 256), (130, 300, 64), (14, 16, 20), (26, 24, 12),
        ]
        for (m, n, k) in sizes {
            for (element, result) in Self.elements {
                for (left, i) in [([m, k], 1), ([k, m], 0)] {
                    for (right, j) in [([n, k], 1), ([k, n], 0)] {
                        let graph = Self.product(left, right, contracting: ([i], [j]), element, result)
                        try expectAsInterpreted(
                            graph, engine: engine, wideTolerance: result == element ? nil : 2e-6,
                            scale: Double(max(1, k)).squareRoot())
                    }
                }
            }
        }
    }

    /// Rows with themselves: each pair is taken once, and has the bits of the product with a copy of them.
    @Test(arguments: KernelSet.available) func gramMatricesOfOneOperand(_ set: KernelSet) throws {
        for threads in [1, 2] {
            let engine = try Engine(threads: threads, kernelSet: set)
            for (batches, rows, k) in [(1, 1, 5), (1, 7, 16), (3, 9, 70), (1, 64, 784), (2, 61, 33), (1, 300, 40)] {
                let type = TensorType(.f32, [batches, rows, k])
                let dot = DotGeneral(
                    lhsBatch: [0], rhsBatch: [0], lhsContracting: [2], rhsContracting: [2], result: .f64)
                let b = GraphBuilder()
                let x = b.input("x", type)
                let alone = b.build(outputs: [("y", b.emit(dot, x, x))])
                let withCopy = Self.product(
                    type.shape, type.shape, batch: ([0], [0]), contracting: ([2], [2]), .f32, .f64)
                var random = TestRandom(8)
                let value = random.tensor(type)
                let gram = try engine.plan(for: alone).evaluate([value])[0].values
                let full = try engine.plan(for: withCopy).evaluate([value, value])[0].values
                let isSame = gram == full
                #expect(isSame, "\((batches, rows, k)), \(set), \(threads) threads")
            }
        }
    }

    @Test(arguments: KernelSet.available) func batchesAndManyAxes(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (element, result) in Self.elements {
            let graphs = [
                // Gram matrices of stacked batches, and their product with the stacks.
                Self.product([5, 8, 70], [5, 8, 70], batch: ([0], [0]), contracting: ([2], [2]), element, result),
                Self.product([5, 8, 9], [5, 9, 70], batch: ([0], [0]), contracting: ([2], [1]), element, result),
                Self.product([8, 5, 7], [5, 7, 9], batch: ([1], [0]), contracting: ([2], [1]), element, result),
                Self.product(
                    [2, 3, 4, 5], [3, 5, 2, 6], batch: ([0, 1], [2, 0]), contracting: ([3], [1]), element, result),
                Self.product([4, 5, 6], [6, 4, 7], contracting: ([0, 2], [1, 0]), element, result),
                Self.product([4, 5, 6], [7, 5, 6], contracting: ([1, 2], [1, 2]), element, result),
                Self.product([4, 5, 6], [4, 5, 6], contracting: ([0, 1, 2], [0, 1, 2]), element, result),
                Self.product([4, 5], [6, 7], contracting: ([], []), element, result),
                Self.product([4, 5], [4, 5], batch: ([0, 1], [0, 1]), contracting: ([], []), element, result),
                Self.product([], [], contracting: ([], []), element, result),
                Self.product([3, 0, 2], [3, 0, 5], batch: ([0], [0]), contracting: ([1], [1]), element, result),
                Self.product([0, 4, 2], [0, 4, 5], batch: ([0], [0]), contracting: ([1], [1]), element, result),
                Self.product([6, 1, 5], [1, 5, 6], batch: ([0], [2]), contracting: ([2], [1]), element, result),
                Self.product([2, 50, 60], [60, 50, 3], contracting: ([1, 2], [1, 0]), element, result),
            ]
            for graph in graphs {
                try expectAsInterpreted(graph, engine: engine, wideTolerance: result == element ? nil : 2e-6, scale: 50)
            }
        }
    }

    @Test(arguments: KernelSet.available) func columnsThatAreContiguousOnBothSides(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (element, result) in Self.elements {
            let graphs = [
                // Moments of channels, windows of a pooling, and columns by the thousand.
                Self.product(
                    [50, 90, 16], [50, 90, 16], batch: ([2], [2]), contracting: ([0, 1], [0, 1]), element, result),
                Self.product(
                    [3, 4, 2, 5, 2, 21], [3, 4, 2, 5, 2, 21], batch: ([0, 1, 3, 5], [0, 1, 3, 5]),
                    contracting: ([2, 4], [2, 4]), element, result),
                Self.product([7, 3000], [7, 3000], batch: ([1], [1]), contracting: ([0], [0]), element, result),
                Self.product(
                    [7, 5, 37], [5, 7, 37], batch: ([2], [2]), contracting: ([0, 1], [1, 0]), element, result),
            ]
            for graph in graphs {
                try expectAsInterpreted(graph, engine: engine, wideTolerance: result == element ? nil : 2e-6, scale: 70)
            }
        }
    }

    @Test(arguments: KernelSet.available) func veryLongSumsAreCutInChunks(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (element, result) in Self.elements {
            let graph = Self.product([2, 100_003], [3, 100_003], contracting: ([1], [1]), element, result)
            try expectAsInterpreted(graph, engine: engine, wideTolerance: result == element ? nil : 2e-6, scale: 300)
        }
    }

    @Test(arguments: KernelSet.available) func accumulationAddsAScaledProduct(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in [ElementType.f32, .f64] {
            for (m, n, k) in [(40, 50, 8), (5, 7, 3), (100, 120, 130), (9, 100, 200), (70, 3, 0)] {
                for (left, right, i, j) in [
                    ([k, m], [k, n], 0, 0), ([m, k], [n, k], 1, 1), ([m, k], [k, n], 1, 0), ([k, m], [n, k], 0, 1),
                ] {
                    let b = GraphBuilder()
                    let x = b.input("x", TensorType(element, left))
                    let y = b.input("y", TensorType(element, right))
                    let w = b.input("w", TensorType(element, [m, n]))
                    let s = b.input("s", TensorType(element))
                    let dot = DotGeneral(lhsContracting: [i], rhsContracting: [j], result: element)
                    let result = b.emit(AccumulateDot(dot: dot), x, y, w, s)
                    try expectAsInterpreted(b.build(outputs: [("w", result)]), engine: engine, scale: 12)
                }
            }
        }
    }
}
