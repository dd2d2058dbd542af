import Compute
import Graph
import Testing

/// Every kernel of every kernel set that this CPU has, against the interpreter.
///
/// Tolerances: additions and the like round once, as the interpreter does, so they agree to the last bit; the vector functions
/// of the C library promise 4 units in the last place (2.4e-7 · 2 in f32); sums and products are given 2e-6 of the largest term's scale.
@Suite struct OperationKernelTests {
    static let shapes: [[Int]] = [
        [], [0], [1], [3], [16], [17], [2, 3], [5, 0, 2], [7, 1, 33], [1000], [63, 65], [3, 5, 7, 2],
    ]
    static let engines = KernelSet.available.map { set -> Engine in
        do { return try Engine(threads: 2, kernelSet: set) } catch { preconditionFailure("\(error)") }
    }

    func unary(_ element: ElementType) -> [any Operation] {
        element.isFloating
            ? [
                Negate(), Exponential(), Sqrt(), Tanh(), Logistic(), Erf(), Abs(), Sign(), Log(), LogPlusOne(),
                ExponentialMinusOne(), Power(exponent: -0.3),
            ]
            : element == .i32 ? [Negate(), Abs(), Sign()] : []
    }

    @Test(arguments: KernelSet.available) func unaryOperations(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in [ElementType.f32, .f64, .i32] {
            for shape in Self.shapes {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, shape))
                // log and sqrt of a negative number are NaN in both.
                let outputs = unary(element).map { (name: $0.mnemonic, value: b.emitAll($0, [x])[0]) }
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine)
            }
        }
    }

    @Test(arguments: KernelSet.available) func binaryOperationsComparisonsAndSelections(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let operations: [any Operation] = [Add(), Subtract(), Multiply(), Divide(), Maximum(), Minimum()]
        for element in [ElementType.f32, .f64, .i32] {
            for shape in Self.shapes {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, shape))
                let y = b.input("y", TensorType(element, shape))
                var outputs = operations.map { (name: $0.mnemonic, value: b.emitAll($0, [x, y])[0]) }
                for direction in Compare.Direction.allCases {
                    let holds = b.compare(x, direction, y)
                    outputs.append((direction.rawValue, holds))
                    outputs.append((direction.rawValue + " select", b.select(holds, x, y)))
                }
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine, tolerance: 0)
            }
        }
    }

    @Test(arguments: KernelSet.available) func comparisonsAndSelectionsOfTruthValues(_ set: KernelSet) throws {
        let engine = try Engine(threads: 1, kernelSet: set)
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.bool, [37]))
        let y = b.input("y", TensorType(.bool, [37]))
        let p = b.input("p", TensorType(.bool, [37]))
        var outputs = Compare.Direction.allCases.map { (name: $0.rawValue, value: b.compare(x, $0, y)) }
        outputs.append(("select", b.select(p, x, y)))
        try expectAsInterpreted(b.build(outputs: outputs), engine: engine)
    }

    @Test(arguments: KernelSet.available) func conversions(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for from in ElementType.allCases {
            for shape in Self.shapes {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(from, shape))
                let outputs = ElementType.allCases.map { (name: $0.rawValue, value: b.emit(Convert(to: $0), x)) }
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine, tolerance: 0)
            }
        }
    }

    @Test func conversionsOfExtremesSaturate() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f64, [6]))
        let y = b.convert(b.convert(x, to: .f32), to: .i32)
        let graph = b.build(outputs: [("a", b.convert(x, to: .i32)), ("b", y)])
        let values: [Double] = [1e300, -1e300, .nan, .infinity, -3.9, 2_147_483_646.5]
        let input = Tensor(TensorType(.f64, [6]), values)
        for set in KernelSet.available {
            let result = try Engine(threads: 1, kernelSet: set).plan(for: graph).evaluate([input])
            #expect(result == (try Interpreter.run(graph, [input])), "\(set)")
        }
    }

    @Test func maximaKeepNaNAndZeroesKeepTheirSign() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [5]))
        let y = b.input("y", TensorType(.f32, [5]))
        let graph = b.build(outputs: [
            ("max", b.maximum(x, y)), ("min", b.minimum(x, y)), ("reduced", b.max(x, dimensions: [0])),
            ("sign", b.sign(x)),
        ])
        let inputs = [
            Tensor(TensorType(.f32, [5]), [.nan, 1, -.infinity, 3, -0.0]),
            Tensor(TensorType(.f32, [5]), [1, .nan, -.infinity, .infinity, 7]),
        ]
        for set in KernelSet.available {
            let result = try Engine(threads: 1, kernelSet: set).plan(for: graph).evaluate(inputs)
            for (x, y) in zip(result, try Interpreter.run(graph, inputs)) {
                #expect(largestDifference(x, y) == 0, "\(set)")
            }
            #expect(result[3].values[4].sign == .minus)
        }
    }

    @Test(arguments: KernelSet.available) func transposesAndBroadcasts(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for element in ElementType.allCases {
            let b = GraphBuilder()
            let x = b.input("x", TensorType(element, [5, 40, 3]))
            let y = b.input("y", TensorType(element, [70, 90]))
            let z = b.input("z", TensorType(element, []))
            var outputs: [(name: String, value: Value)] = []
            for permutation in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                outputs.append(("t\(permutation)", b.transpose(x, permutation)))
            }
            outputs.append(("t", b.transpose(y, [1, 0])))
            outputs.append(("rows", b.broadcast(y, to: [3, 70, 90], dimensions: [1, 2])))
            outputs.append(("columns", b.broadcast(y, to: [70, 90, 5], dimensions: [0, 1])))
            outputs.append(("middle", b.broadcast(y, to: [70, 4, 90], dimensions: [0, 2])))
            outputs.append(("scalar", b.broadcast(z, to: [9, 9], dimensions: [])))
            outputs.append(("reshaped", b.reshape(b.transpose(y, [1, 0]), to: [6300])))
            try expectAsInterpreted(b.build(outputs: outputs), engine: engine)
        }
    }

    @Test(arguments: KernelSet.available) func reductionsOverAnyAxes(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let cases: [([Int], [[Int]])] = [
            ([], [[]]), ([0], [[0]]), ([1], [[0]]), ([37], [[0], []]), ([5, 0], [[0], [1], [0, 1]]),
            ([300, 7], [[0], [1], [0, 1]]), ([7, 300], [[0], [1], [1, 0]]),
            (
                [4, 5, 6, 7],
                [[0], [1], [2], [3], [0, 1], [0, 2], [1, 3], [0, 3], [1, 2], [0, 1, 2, 3], [0, 2, 3]]
            ),
            ([3, 1, 40], [[1], [0, 2]]), ([2, 600, 2], [[1], [0, 2]]),
        ]
        for element in [ElementType.f32, .f64, .i32] {
            for (shape, dimensions) in cases {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, shape))
                var outputs: [(name: String, value: Value)] = []
                for axes in dimensions {
                    outputs.append(("sum \(axes)", b.emit(ReduceSum(dimensions: axes), x)))
                    outputs.append(("max \(axes)", b.emit(ReduceMax(dimensions: axes), x)))
                }
                try expectAsInterpreted(b.build(outputs: outputs), engine: engine)
            }
        }
    }

    @Test func longReductionsGoThroughPartialSums() throws {
        for shape in [[300_000], [40_000, 10], [10, 40_000], [3, 100, 1000]] {
            for element in [ElementType.f32, .f64] {
                let b = GraphBuilder()
                let x = b.input("x", TensorType(element, shape))
                let outputs = shape.indices.map { (name: "s\($0)", value: b.sum(x, dimensions: [$0])) }
                // Sums of many terms of size 1 that cancel: compared on the scale of the square root of their number.
                try expectAsInterpreted(
                    b.build(
                        outputs: outputs + [("all", b.sum(x)), ("max", b.max(x, dimensions: Array(shape.indices)))]),
                    scale: 600)
            }
        }
    }

    @Test func constantsOfEveryKind() throws {
        let b = GraphBuilder()
        let x = b.input("x", TensorType(.f32, [3, 4]))
        let splat = b.constant(2.5, TensorType(.f32, [3, 4]))
        let tensor = b.constant(Tensor(TensorType(.f32, [3, 4]), (0..<12).map { Double($0) / 3 }))
        let iota = b.emit(Iota(type: TensorType(.i32, [3, 4]), dimension: 1))
        let graph = b.build(outputs: [
            ("splat", splat), ("tensor", tensor), ("iota", iota), ("sum", b.add(b.add(x, splat), tensor)),
            ("dot", b.dot(x, splat, contracting: ([1], [1]))), ("total", b.sum(splat)), ("x", x), ("same", x),
            ("turned", b.transpose(splat, [1, 0])), ("converted", b.convert(iota, to: .f64)),
            ("no", b.constant(1, TensorType(.bool, [5]))), ("reshaped", b.reshape(tensor, to: [12])),
        ])
        try expectAsInterpreted(graph)
    }

    @Test func aRegionLargerThanTheMachineIsDoneInPieces() throws {
        let b = GraphBuilder()
        let inputs = (0..<300).map { b.input("x\($0)", TensorType(.f64, [70])) }
        let body = GraphBuilder()
        let values = inputs.indices.map { body.input("x\($0)", TensorType(.f64, [70])) }
        let sum = values.dropFirst().reduce(values[0]) { body.add(body.tanh($0), $1) }
        let fusion = Fusion(body: body.build(outputs: [("sum", sum), ("product", body.multiply(sum, values[7]))]))
        let results = b.emitAll(fusion, inputs)
        let graph = b.build(outputs: [("sum", results[0]), ("product", results[1])])
        try expectAsInterpreted(graph, engine: Engine(threads: 2, optimizes: false))
    }

    @Test func regionsReadBroadcastsAndScalarsWhereTheyLie() throws {
        let b = GraphBuilder()
        let types = [[6, 7, 50], [50], [6], [6, 50], [], [7, 50]].map { TensorType(.f32, $0) }
        let inputs = types.enumerated().map { b.input("x\($0.offset)", $0.element) }
        let body = GraphBuilder()
        let x = types.enumerated().map { body.input("x\($0.offset)", $0.element) }
        func spread(_ value: Value, _ dimensions: [Int]) -> Value {
            body.broadcast(value, to: [6, 7, 50], dimensions: dimensions)
        }
        // An operation before a broadcast, one value broadcast in two ways, a result that is read again.
        let first = body.add(x[0], spread(body.tanh(x[1]), [2]))
        let second = body.multiply(first, spread(x[2], [0]))
        let third = body.subtract(body.add(second, spread(x[3], [0, 2])), spread(x[4], []))
        let holds = body.compare(third, .gt, spread(x[5], [1, 2]))
        let fourth = body.select(holds, first, spread(x[1], [2]))
        let fusion = Fusion(
            body: body.build(outputs: [
                ("a", first), ("b", fourth), ("c", holds), ("d", body.convert(third, to: .f64)), ("e", first),
                ("f", x[0]),
            ]))
        let results = b.emitAll(fusion, inputs)
        let graph = b.build(outputs: results.enumerated().map { ("y\($0.offset)", $0.element) })
        for set in KernelSet.available {
            try expectAsInterpreted(
                graph, engine: Engine(threads: 2, kernelSet: set, optimizes: false), wideTolerance: 2e-6)
        }
    }
}
