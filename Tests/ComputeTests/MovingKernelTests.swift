import Compute
import Graph
import Testing

/// Operations that move numbers, on every kernel set that this CPU has, against the interpreter: to the last bit, as nothing
/// is rounded; sums of some hundred rows, which cancel, are rounded once a term: 2e-6 of 20, the root of their number.
@Suite struct MovingKernelTests {
    @Test(arguments: KernelSet.available) func slicesAndReversals(_ set: KernelSet) throws {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 2, kernelSet: set, optimizes: optimizes)
            for element in ElementType.allCases {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, [6, 40, 9]))
                var outputs: [(name: String, value: Value)] = [
                    ("rows", b.slice(x, axis: 0, from: 2, to: 5)), ("one", b.slice(x, axis: 0, from: 5, to: 6)),
                    ("none", b.slice(x, axis: 0, from: 6, to: 6)), ("middle", b.slice(x, axis: 1, from: 3, to: 40)),
                    ("every third", b.slice(x, axis: 2, from: 1, to: 9, stride: 3)),
                    ("corner", b.slice(x, starts: [1, 2, 3], limits: [6, 39, 4], strides: [2, 5, 1])),
                ]
                for dimensions in [[0], [1], [2], [0, 2], [0, 1, 2]] {
                    outputs.append(("reversed \(dimensions)", b.reverse(x, dimensions: dimensions)))
                }
                let part = b.slice(x, axis: 0, from: 1, to: 4)
                outputs.append(("turned part", b.transpose(part, [2, 0, 1])))
                outputs.append(("part of a part", b.slice(b.reshape(part, to: [1080]), axis: 0, from: 7, to: 1000)))
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine, tolerance: 0)
            }
        }
    }

    @Test(arguments: KernelSet.available) func padding(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in ElementType.allCases {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(element, [5, 7, 3]))
            let empty = b.input("empty", TensorType(element, [2, 0]))
            let y = b.input("y", TensorType(element, [60, 50, 8]))
            let outputs: [(name: String, value: Value)] = [
                ("around", b.pad(x, low: [1, 2, 3], high: [3, 2, 1], interior: [0, 0, 0])),
                ("rows", b.pad(x, low: [0, 1, 0], high: [0, 1, 0], interior: [0, 0, 0], value: 1)),
                ("between", b.pad(x, low: [0, 0, 0], high: [0, 0, 0], interior: [1, 2, 3])),
                ("cut", b.pad(x, low: [-1, -2, -1], high: [-1, 0, -1], interior: [0, 1, 0])),
                ("spread and cut", b.pad(x, low: [-1, 2, -2], high: [4, -3, -1], interior: [2, 0, 2], value: 1)),
                ("nothing", b.pad(empty, low: [1, 2], high: [0, 1], interior: [0, 0], value: 1)),
                ("images", b.pad(y, low: [0, 1, 0], high: [0, 1, 0], interior: [0, 0, 0])),
            ]
            try expectAsInterpreted(b.build(outputs: outputs), engine: engine, tolerance: 0)
        }
    }

    @Test(arguments: KernelSet.available) func concatenations(_ set: KernelSet) throws {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 2, kernelSet: set, optimizes: optimizes)
            for element in ElementType.allCases {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, [3, 5, 7]))
                let y = b.input("y", TensorType(element, [3, 5, 7]))
                let made = b.reverse(x, dimensions: [1])
                let zeros = b.constant(0, TensorType(element, [3, 5, 7]))
                var outputs: [(name: String, value: Value)] = []
                for axis in 0..<3 {
                    outputs.append(("along \(axis)", b.concatenate([x, made, y, zeros, made], axis: axis)))
                }
                let inner = b.concatenate([b.reverse(y, dimensions: [0]), made], axis: 0)
                outputs.append(("nested", b.concatenate([x, inner, b.reverse(y, dimensions: [2])], axis: 0)))
                outputs.append(("alone", b.concatenate([x], axis: 1)))
                outputs.append(("part", b.slice(inner, axis: 0, from: 1, to: 5)))
                outputs.append(("made", made))
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine, tolerance: 0)
            }
        }
    }

    @Test func whatIsConcatenatedIsMadeInItsPlace() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [4, 100]))
        let parts = (0..<4).map { row in
            b.tanh(b.scale(b.slice(x, axis: 0, from: 3 - row, to: 4 - row), by: Double(row)))
        }
        let stacked = b.concatenate(parts, axis: 0)
        let graph = b.build(outputs: [("y", b.sum(stacked, dimensions: [0])), ("z", stacked)])
        let plan = try Engine(threads: 1).plan(for: graph)
        #expect(!plan.description.contains("copy["), "\(plan)")
        try expectAsInterpreted(graph)
    }

    /// Rows shorter and longer than a block of a region, and that no block ends with; results that others read, too, and sums of them.
    @Test(arguments: KernelSet.available) func whatRegionsMakeForAConcatenationLiesInItsRows(_ set: KernelSet) throws {
        let engines = try [1, 3].map { try Engine(threads: $0, kernelSet: set) }
        for element in [ElementType.f32, .f64] {
            for (rows, first, second) in [
                (1, 3, 5), (7, 1, 2), (33, 48, 16), (5, 700, 3), (300, 5, 64), (2, 3000, 2000),
            ] {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, [rows, first]))
                let y = b.input("y", TensorType(element, [rows, second]))
                let (p, z) = (b.tanh(x), b.exponential(y))
                let q = b.add(b.scale(p, by: 2), x)
                let r = b.multiply(z, y)
                let all = b.concatenate([p, z, q, b.reshape(b.negate(r), to: [rows, second])], axis: 1)
                let shared = b.sqrt(b.abs(y))
                let graph = b.build(outputs: [
                    ("all", all), ("sums", b.sum(q, dimensions: [1])),
                    ("twice", b.concatenate([shared, x, shared], axis: 1)),
                    (
                        "three axes",
                        b.concatenate(
                            [b.reshape(b.erf(y), to: [rows, 1, second]), b.reshape(y, to: [rows, 1, second])], axis: 1)
                    ),
                    ("total", b.sum(all)),
                ])
                var results: [[Tensor]] = []
                for engine in engines {
                    try expectAsInterpreted(graph, engine: engine, tolerance: 1e-5, scale: 10)
                    let plan = try engine.plan(for: graph)
                    let copies = plan.description.split(separator: "\n").filter { $0.contains("copy[") }
                    // Of what is read twice or is an input: `shared` two times, x, y; and q, where its sums are made by another step.
                    #expect(rows == 1 || [4, 5].contains(copies.count), "\(plan)")
                    var random = TestRandom(2)
                    results.append(try plan.evaluate(graph.inputs.map { random.tensor($0.type) }))
                }
                #expect(zip(results[0], results[1]).allSatisfy { $0.values == $1.values })
            }
        }
    }

    @Test(arguments: KernelSet.available) func rowsByNumber(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let cases: [(table: [Int], batch: Int, indices: [Int])] = [
            ([30, 64], 0, [200]), ([30], 0, [7, 5]), ([21, 3], 0, []), ([4, 11, 6], 1, [4, 9]),
            ([2, 3, 5, 500], 2, [2, 3, 40]), ([200, 130], 0, [600]), ([5, 0], 0, [4]), ([9, 2], 0, [0]),
        ]
        for element in ElementType.allCases {
            for (table, batch, indices) in cases {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, table))
                // Numbers between −20 and 20: some outside every table.
                let numbers = b.input("indices", TensorType(.i32, indices))
                var outputs = [(name: "gathered", value: b.gather(x, numbers, batch: batch))]
                if element != .bool {
                    let updates = b.input("updates", b.type(of: outputs[0].value))
                    outputs.append(("added", b.scatterAdd(numbers, updates, rows: 21, batch: batch)))
                }
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine, scale: 20)
            }
        }
    }

    /// Sums depend on their order: it is that of the indices, whoever computes them. Those of a small table are added in f64.
    @Test(arguments: [10, 3000])
    func rowsAreAddedInTheOrderOfTheIndices(rows: Int) throws {
        let b = GraphBuilder()
        let numbers = b.input("indices", TensorType(.i32, [4000]))
        let updates = b.input("updates", TensorType(.f32, [4000, 200]))
        let graph = b.build(outputs: [("sums", b.scatterAdd(numbers, updates, rows: rows))])
        var random = TestRandom(4)
        let inputs = graph.inputs.map { random.tensor($0.type) }
        var wide = [Double](repeating: 0, count: rows * 200)
        var expected = [Float](repeating: 0, count: rows * 200)
        for (update, number) in inputs[0].values.enumerated() {
            let row = min(max(Int(number), 0), rows - 1)
            for column in 0..<200 {
                expected[row * 200 + column] += Float(inputs[1].values[update * 200 + column])
                wide[row * 200 + column] += inputs[1].values[update * 200 + column]
            }
        }
        // In the working memory of a thread there is no room for as many sums as 3,000 rows have.
        if rows == 10 { expected = wide.map(Float.init) }
        for set in KernelSet.available {
            for threads in [1, 3] {
                let engine = try Engine(threads: threads, kernelSet: set)
                let sums = try engine.plan(for: graph).evaluate(inputs)[0]
                let same = sums.values == expected.map(Double.init)
                #expect(same, "\(threads) threads, \(set)")
            }
        }
    }
}
