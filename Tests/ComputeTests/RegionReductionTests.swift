import Compute
import Graph
import Testing

/// Regions that reduce what they compute, and that read what was moved where it lies: against the interpreter.
///
/// Sums are accumulated in f64 and rounded once: 2e-6 of the terms' scale, which is 10 for sums of a hundred terms that cancel.
@Suite struct RegionReductionTests {
    /// [groups, reduced, inner] of every kind: groups inside a block, across blocks, in tiles of their own and in parts;
    /// columns in whole vectors and not.
    static let shapes: [(shape: [Int], dimensions: [Int])] = [
        ([40], [0]), ([7, 33], [1]), ([7, 33], [0]), ([300, 70], [1]), ([300, 70], [0]), ([5, 6, 7, 16], [0, 1, 2]),
        ([5, 6, 7, 16], [1, 2]), ([3, 5, 4, 100], [1]), ([9, 5000], [1]), ([5000, 9], [0]), ([4, 900, 40], [1]),
        ([2, 9000, 3], [1]), ([70_000], [0]), ([3, 1, 50, 1, 8], [1, 2, 3]), ([2, 40, 2000], [1]),
        ([20, 30, 11], [0, 1, 2]),
        ([64, 3], [0, 1]), ([1000, 2, 8], [1]), ([500, 32], [1]), ([333, 17], [1]),
    ]

    @Test(arguments: KernelSet.available) func sumsAndMaximaOfComputedValues(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in [ElementType.f32, .f64] {
            for (shape, dimensions) in Self.shapes {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, shape))
                let y = b.input("y", TensorType(element, shape))
                let z = b.multiply(b.add(x, y), y)
                let graph = b.build(outputs: [
                    ("z", z), ("sum", b.sum(z, dimensions: dimensions)),
                    ("square", b.sum(b.square(z), dimensions: dimensions)),
                    ("max", b.max(b.subtract(x, z), dimensions: dimensions)),
                ])
                try expectAsInterpreted(graph, engine: engine, scale: 10)
                let description = try engine.plan(for: graph).description
                #expect(description.contains("3 reduced"), "\(shape) \(description)")
            }
        }
    }

    @Test func maximaOfRowsKeepNaNAndInfinities() throws {
        for set in KernelSet.available {
            let engine = try Engine(threads: 1, kernelSet: set)
            for (place, value) in [(3, Double.nan), (77, .nan), (40, .infinity), (99, -.infinity)] {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(.f32, [2, 100]))
                let graph = b.build(outputs: [
                    ("fused", b.max(b.negate(b.negate(b.add(x, x))), dimensions: [1])),
                    ("plain", b.max(x, dimensions: [1])),
                ])
                var values = (0..<200).map { Double($0 % 7) }
                values[place] = value
                let input = Tensor(TensorType(.f32, [2, 100]), values)
                let expected = try Interpreter.run(graph, [input])
                for (x, y) in zip(try engine.plan(for: graph).evaluate([input]), expected) {
                    #expect(largestDifference(x, y) == 0, "\(set) \(value)")
                }
            }
        }
    }

    /// Values and Σδ, Σδx̂ of a normalisation over all axes but the last: forward, and backward as it is written by hand.
    @Test(arguments: KernelSet.available) func normalisationInTwoWalksAPass(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (shape, axes) in [([4, 5, 5, 24], [0, 1, 2]), ([6, 7, 40], [2])] {
            let b = GraphBuilder()
            let type = TensorType(.f64, shape)
            let (x, d) = (b.input("x", type), b.input("d", type))
            let kept = shape.indices.filter { !axes.contains($0) }
            let count = Double(axes.reduce(1) { $0 * shape[$1] })
            func spread(_ v: Value) -> Value { b.broadcast(v, to: shape, dimensions: kept) }
            func mean(_ v: Value) -> Value { b.scale(b.sum(v, dimensions: axes), by: 1 / count) }
            let centred = b.subtract(x, spread(mean(x)))
            let variance = mean(b.square(centred))
            let deviation = b.sqrt(b.add(variance, b.constant(1e-5, b.type(of: variance))))
            let normal = b.divide(centred, spread(deviation))
            let both = b.add(spread(mean(d)), b.multiply(normal, spread(mean(b.multiply(d, normal)))))
            let graph = b.build(outputs: [
                ("y", normal), ("dx", b.divide(b.subtract(d, both), spread(deviation))),
            ])
            try expectAsInterpreted(graph, engine: engine, tolerance: 1e-4)
            let plan = try engine.plan(for: graph)
            // x − μ and x̂ are made again where they are wanted: nothing of the size of x is stored but the results.
            #expect(plan.arenaBytes < 4 * 8 * shape.reduce(1, *) / 4, "\(plan)")
        }
    }

    @Test(arguments: KernelSet.available) func innerProductsAlongOuterAxes(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in [ElementType.f32, .f64] {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(element, [6, 50, 20]))
            let y = b.input("y", TensorType(element, [6, 50, 20]))
            let outputs = [([0, 1], [2]), ([1], [0, 2]), ([2], [0, 1])].map { contracted, batch in
                (name: "\(batch)", value: b.dot(x, y, contracting: (contracted, contracted), batch: (batch, batch)))
            }
            try expectAsInterpreted(b.build(outputs: outputs), engine: engine, scale: 10)
        }
    }

    @Test(arguments: KernelSet.available) func regionsReadWhatWasMoved(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in ElementType.allCases {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(element, [9, 14, 16]))
            let row = b.input("row", TensorType(element, [16]))
            let column = b.input("column", TensorType(element, [9]))
            func combined(_ x: Value, _ y: Value) -> Value {
                element == .bool ? b.select(x, y, x) : b.add(b.multiply(x, y), x)
            }
            let part = b.slice(x, starts: [1, 2, 0], limits: [8, 14, 16], strides: [2, 3, 1])
            let other = b.slice(b.reverse(x, dimensions: [0, 1]), starts: [0, 1, 0], limits: [4, 5, 16])
            let turned = b.slice(b.transpose(x, [1, 0, 2]), starts: [2, 5, 0], limits: [6, 9, 16])
            let inner = b.slice(
                b.reverse(x, dimensions: [2]), starts: [0, 0, 1], limits: [4, 4, 9], strides: [1, 1, 2])
            let first = b.slice(x, starts: [0, 0, 3], limits: [4, 4, 7])
            let rows = b.broadcast(b.slice(row, axis: 0, from: 2, to: 16, stride: 1), to: [9, 14], dimensions: [1])
            let columns = b.broadcast(b.reverse(column, dimensions: [0]), to: [9, 14], dimensions: [0])
            let flat = b.reshape(b.slice(x, axis: 2, from: 15, to: 16), to: [9, 14])
            let graph = b.build(outputs: [
                ("parts", combined(combined(part, other), turned)), ("inner", combined(inner, first)),
                ("repeated", combined(combined(flat, rows), columns)),
            ])
            try expectAsInterpreted(graph, engine: engine, tolerance: element.isFloating ? 1e-6 : 0)
        }
    }

    /// Shapes whose axes meet the edges of blocks in every way.
    @Test func broadcastsOverShapesThatBlocksCutUnevenly() throws {
        for shape in [
            [3, 700, 5], [2, 3, 4000], [11, 13, 17], [1, 2049, 2], [5000, 2], [2, 5000], [4, 4, 4, 4, 40],
            [130, 1, 33],
        ] {
            let b = GraphBuilder()
            let type = TensorType(.f32, shape)
            var sum = b.input("x", type)
            for axis in shape.indices {
                for (place, kept) in [[axis], shape.indices.filter { $0 != axis }, Array(axis..<shape.count)]
                    .enumerated()
                {
                    let small = b.input("y\(axis) \(place)", TensorType(.f32, kept.map { shape[$0] }))
                    sum = b.add(b.multiply(sum, b.constant(0.5, type)), b.broadcast(small, to: shape, dimensions: kept))
                }
            }
            try expectAsInterpreted(b.build(outputs: [("sum", sum)]), engine: .shared, tolerance: 2e-6)
        }
    }
}
