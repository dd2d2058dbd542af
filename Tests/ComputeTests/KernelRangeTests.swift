import Compute
import Graph
import Testing

/// Kernels on numbers of every size and kind, against the interpreter: what numbers between −1 and 1 do not show.
@Suite struct KernelRangeTests {
    /// Zeros, subnormal numbers, the edges of exponentials, of whole numbers and of the element, infinities, NaN; then numbers of
    /// both signs from the least to the largest, as many of each size.
    static func numbers(_ element: ElementType) -> [Double] {
        switch element {
        case .bool: return [0, 1]
        case .i32:
            return [
                0, 1, -1, 2, -2, 7, 46_340, 46_341, -46_341, 65_536, 0x1p30, 0x7FFF_FFFF, 0x7FFF_FFFE, -0x8000_0000,
            ]
        case .f32, .f64:
            let single = element == .f32
            let (least, largest) =
                single
                ? (Double(Float.leastNonzeroMagnitude), Double(Float.greatestFiniteMagnitude))
                : (.leastNonzeroMagnitude, .greatestFiniteMagnitude)
            let edges = [
                0, 0.5, 1, 1.5, 2, 3, 20, 88, 88.8, 104, 709, 710, 746, 0x1p24, 0x1p31, 0x1p53, 1e-8, 0x1p-126,
                0x1p-1022,
                least, largest, Double.infinity,
            ]
            var random = TestRandom(17)
            let exponents = single ? -148.0...127.0 : -1073.0...1023.0
            let sizes = (0..<150).map { _ -> Double in
                let exponent = exponents.lowerBound + (exponents.upperBound - exponents.lowerBound) * random.uniform()
                return (1 + random.uniform()) * Double(sign: .plus, exponent: Int(exponent), significand: 1)
            }
            return ((edges + sizes).flatMap { [$0, -$0] } + [.nan]).map(element.rounded)
        }
    }

    /// Differences of finite numbers relative to the larger; those below the least normal number are none where a function may take
    /// what is below for 0.
    private func difference(_ x: Tensor, _ y: Tensor, flushes: Bool = false) -> Double {
        let least = !flushes ? 0 : x.type.element == .f32 ? 0x1p-126 : 0x1p-1022
        return zip(x.values, y.values).reduce(0) { largest, pair in
            let (a, b) = pair
            if a == b || (a.isNaN && b.isNaN) { return largest }
            guard a.isFinite && b.isFinite else { return .infinity }
            return abs(a - b) <= least ? largest : max(largest, abs(a - b) / max(abs(a), abs(b)))
        }
    }

    private func check(
        _ graph: Graph, _ inputs: [Tensor], _ set: KernelSet, units: Double = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let expected = try Interpreter.run(graph, inputs)
        let actual = try Engine(threads: 1, kernelSet: set).plan(for: graph).evaluate(inputs)
        for (output, (x, y)) in zip(graph.outputs, zip(actual, expected)) {
            let limit = x.type.element.isFloating ? units * (x.type.element == .f32 ? 0x1p-23 : 0x1p-52) : 0
            let found = difference(x, y, flushes: units > 0)
            guard found > limit else { continue }
            let places = x.values.indices.filter { x.values[$0] != y.values[$0] && !x.values[$0].isNaN }.prefix(4)
            let shown = places.map { i in "\(inputs.map { $0.values[i] }): \(x.values[i]), not \(y.values[i])" }
            Issue.record("\(output.name), \(set): \(found); \(shown)", sourceLocation: sourceLocation)
        }
    }

    /// The vector functions of the C library promise 4 units in the last place; logistic is made of one of them.
    @Test(arguments: KernelSet.available) func functionsOfOneNumber(_ set: KernelSet) throws {
        let exponents = [2, 3, 4, -1, -2, 0.5, -0.5, 1.5, -1.5, 2.5, 1.0 / 3, -0.7, 7, 10.5, 0, 1, -3]
        for element in [ElementType.f32, .f64] {
            let input = Tensor(TensorType(element, [Self.numbers(element).count]), Self.numbers(element))
            let b = GraphBuilder()
            let x = b.input("x", input.type)
            let operations: [any Operation] =
                [
                    Negate(), Exponential(), ExponentialMinusOne(), Sqrt(), Tanh(), Logistic(), Erf(), Abs(), Sign(),
                    Log(),
                    LogPlusOne(),
                ] + exponents.map { Power(exponent: $0) }
            let outputs = operations.map { (name: "\($0)", value: b.emit($0, x)) }
            try check(b.build(outputs: outputs), [input], set, units: 8)
        }
    }

    @Test(arguments: KernelSet.available) func functionsOfTwoNumbersToTheLastBit(_ set: KernelSet) throws {
        let operations: [any Operation] = [
            Add(), Subtract(), Multiply(), MultiplyNonzero(), Divide(), Maximum(), Minimum(),
        ]
        for element in [ElementType.f32, .f64, .i32] {
            // All edges with all, and with some of every size.
            let numbers = Self.numbers(element).enumerated().filter { $0.offset < 44 || $0.offset % 8 == 0 }.map(
                \.element)
            let type = TensorType(element, [numbers.count * numbers.count])
            let left = Tensor(type, numbers.flatMap { x in numbers.map { _ in x } })
            let right = Tensor(type, numbers.flatMap { _ in numbers })
            let b = GraphBuilder()
            let (x, y) = (b.input("x", type), b.input("y", type))
            var outputs: [(name: String, value: Value)] = []
            for operation in operations where element.isFloating || !(operation is MultiplyNonzero) {
                outputs.append((operation.mnemonic, b.emit(operation, x, y)))
            }
            for direction in Compare.Direction.allCases {
                let holds = b.compare(x, direction, y)
                outputs += [(direction.rawValue, holds), (direction.rawValue + " select", b.select(holds, x, y))]
            }
            if element == .i32 { outputs += [("negate", b.negate(x)), ("abs", b.abs(x)), ("sign", b.sign(x))] }
            try check(b.build(outputs: outputs), [left, right], set)
        }
    }

    @Test(arguments: KernelSet.available) func conversions(_ set: KernelSet) throws {
        for from in ElementType.allCases {
            let numbers = Self.numbers(from)
            let b = GraphBuilder()
            let x = b.input("x", TensorType(from, [numbers.count]))
            let outputs = ElementType.allCases.map { (name: "\(from) to \($0)", value: b.emit(Convert(to: $0), x)) }
            try check(b.build(outputs: outputs), [Tensor(TensorType(from, [numbers.count]), numbers)], set)
        }
    }

    /// Whatever a pass makes of constants, a kernel makes of inputs.
    @Test func foldedConstantsAreWhatKernelsCompute() throws {
        func results(_ b: GraphBuilder, _ x: Value, _ y: Value) -> [Value] {
            let pairs = [
                b.add(x, y), b.subtract(x, y), b.multiply(x, y), b.divide(x, y), b.maximum(x, y), b.minimum(x, y),
            ]
            let single = [b.negate(x), b.abs(x), b.sign(x), b.sum(x), b.max(x, dimensions: [0]), b.negate(b.sum(y))]
            let chains = [
                b.multiply(x, b.multiply(y, y)), b.negate(b.multiply(x, y)), b.multiply(x, b.negate(y)), b.add(x, x),
                b.sum(b.broadcast(b.sum(x), to: [5, 7], dimensions: [])), b.add(x, b.negate(y)),
            ]
            return pairs + single + chains + ElementType.allCases.map { b.emit(Convert(to: $0), x) }
        }
        for element in [ElementType.i32, .f32] {
            let type = TensorType(element, [3])
            let numbers =
                element == .i32
                ? Self.numbers(.i32) : [0, -0.5, 3, 1e-40, 1e30, -3e38, 0x1p31, .infinity, -.infinity, .nan]
            for x in numbers {
                let (constants, inputs) = (GraphBuilder(), GraphBuilder())
                var (folded, computed): ([Value], [Value]) = ([], [])
                var values: [Tensor] = []
                for (place, y) in numbers.enumerated() {
                    folded += results(constants, constants.constant(x, type), constants.constant(y, type))
                    computed += results(inputs, inputs.input("x\(place)", type), inputs.input("y\(place)", type))
                    values += [Tensor(type, repeating: x), Tensor(type, repeating: y)]
                }
                func graph(_ b: GraphBuilder, _ values: [Value]) -> Graph {
                    b.build(outputs: values.enumerated().map { ("\($0)", $1) })
                }
                let engine = try Engine(threads: 1, optimizes: false)
                let expected = try engine.plan(for: graph(inputs, computed)).evaluate(values)
                let simplified = graph(constants, folded).simplified()
                #expect(simplified.nodes.allSatisfy { $0.operands.isEmpty }, "all is folded")
                for (place, (a, b)) in zip(try Interpreter.run(simplified, []), expected).enumerated() {
                    let y = numbers[place / (folded.count / numbers.count)]
                    #expect(difference(a, b) == 0, "\(place), \(x), \(y): \(a.values), not \(b.values)")
                }
            }
        }
    }

    /// Sums of integers wrap, in whatever order they are taken.
    @Test(arguments: KernelSet.available) func sumsOfIntegersWrap(_ set: KernelSet) throws {
        let type = TensorType(.i32, [300, 40])
        let b = GraphBuilder()
        let x = b.input("x", type)
        let rows = b.constant(Tensor(TensorType(.i32, [300]), (0..<300).map { Double($0 % 7) }))
        let graph = b.build(outputs: [
            ("all", b.sum(x)), ("rows", b.sum(x, dimensions: [1])), ("columns", b.sum(x, dimensions: [0])),
            ("scattered", b.scatterAdd(rows, x, rows: 7)),
        ])
        let numbers = Self.numbers(.i32)
        let input = Tensor(type, (0..<12_000).map { numbers[($0 * $0 + 3 * $0) % numbers.count] })
        #expect(abs(input.values.reduce(0, +)) > 0x1p31, "the sum does not fit")
        try check(graph, [input], set)
    }

    /// Maxima and what only moves, of numbers of every kind, over shapes that meet every kernel's vectors and remainders.
    @Test(arguments: KernelSet.available) func maximaAndMoves(_ set: KernelSet) throws {
        for element in [ElementType.f32, .f64, .i32] {
            let numbers = Self.numbers(element)
            for shape in [[numbers.count], [9, 37], [40, 3], [2, 5, 33]] {
                let type = TensorType(element, shape)
                let b = GraphBuilder()
                let x = b.input("x", type)
                var outputs = shape.indices.map { (name: "max \($0)", value: b.max(x, dimensions: [$0])) }
                outputs.append(("turned", b.transpose(x, shape.indices.reversed())))
                outputs.append(("reversed", b.reverse(x, dimensions: [shape.count - 1])))
                outputs.append(("padded", b.pad(x, axis: 0, low: 2, high: 1, value: -3)))
                for offset in [0, 5, 11] {
                    let count = shape.reduce(1, *)
                    let values = (0..<count).map { numbers[($0 * 13 + offset) % numbers.count] }
                    try check(b.build(outputs: outputs), [Tensor(type, values)], set)
                    // Without NaN, which hides all else of its row.
                    let ordered = values.map { $0.isNaN ? 2 : $0 }
                    try check(b.build(outputs: outputs), [Tensor(type, ordered)], set)
                }
            }
        }
    }

    /// x / c is x / c: 1/c overflows where c is subnormal, and is none too good a number where c is large.
    @Test func aQuotientByATinyNumberIsAQuotient() throws {
        for element in [ElementType.f32, .f64] {
            let smallest = element == .f32 ? -149 : -1074
            let largest = element == .f32 ? 127 : 1023
            let type = TensorType(element, [3])
            for exponent in [smallest, smallest + 20, -largest, -1, 0, 1, largest - 1, largest] {
                let c = Double(sign: .plus, exponent: exponent, significand: 1)
                for factor in [c, -c, 3 * c, c / 3].map(element.rounded) where factor != 0 && factor.isFinite {
                    let b = GraphBuilder()
                    let graph = b.build(outputs: [("y", b.divide(b.input("x", type), b.constant(factor, type)))])
                    let input = Tensor(type, [0, factor, -0.75 * factor])
                    let result = try Engine(threads: 1).plan(for: graph).evaluate([input])[0]
                    #expect(result == (try Interpreter.run(graph, [input])[0]), "x / \(factor)")
                    #expect(result.values.prefix(2) == [0, 1])
                }
            }
        }
    }

    /// c·(d·x) is c·d·x only where c·d is a number: not 0, not infinite.
    @Test func constantFactorsAreNotMultipliedWhereTheirProductIsNoNumber() throws {
        for (c, d, x) in [(1e-30, 1e-30, 1e38), (1e30, 1e30, 1e-30), (-1e25, 1e20, 1e-20), (1e-25, -1e-20, 1e30)] {
            let type = TensorType(.f32, [3, 4])
            let b = GraphBuilder()
            let value = b.input("x", type)
            let matrix = b.input("w", TensorType(.f32, [4, 5]))
            let addend = b.input("z", TensorType(.f32, [3, 5]))
            let scaled = b.scale(b.scale(value, by: d), by: c)
            let product = b.matmul(value, matrix)
            let graph = b.build(outputs: [
                ("y", scaled), ("negated", b.negate(b.scale(b.negate(b.scale(value, by: d)), by: c))),
                ("product", b.matmul(scaled, matrix)),
                ("sum", b.add(addend, b.scale(b.scale(product, by: d), by: c))),
            ])
            let inputs = [
                Tensor(type, repeating: x), Tensor(TensorType(.f32, [4, 5]), repeating: 0.25),
                Tensor(TensorType(.f32, [3, 5]), repeating: 0),
            ]
            let results = try Engine(threads: 1).plan(for: graph).evaluate(inputs)
            // Three roundings of f32.
            for result in results.indices {
                let expected = c * d * x
                #expect(
                    results[result].values.allSatisfy { abs($0 - expected) < 4e-7 * abs(expected) },
                    "\(graph.outputs[result].name): \(results[result].values[0]), not \(expected)")
            }
        }
    }

    /// A NaN or an infinity of one row (or column) of an operand reaches the results of that row, and no other.
    @Test(arguments: KernelSet.available) func whatIsNotFiniteStaysInItsRow(_ set: KernelSet) throws {
        for (m, n, k) in [(7, 9, 40), (33, 50, 17), (130, 120, 110), (5, 3, 1), (100, 3, 700)] {
            for (element, result) in ProductKernelTests.elements {
                for (left, i) in [([m, k], 1), ([k, m], 0)] {
                    for (right, j) in [([n, k], 1), ([k, n], 0)] {
                        let graph = ProductKernelTests.product(left, right, contracting: ([i], [j]), element, result)
                        var random = TestRandom(5)
                        var values = graph.inputs.map { random.tensor($0.type).values }
                        // Row m − 1, term k/2 of the left operand, and column 0, term 0 of the right one.
                        values[0][i == 1 ? (m - 1) * k + k / 2 : k / 2 * m + m - 1] = .nan
                        values[1][0] = .infinity
                        let inputs = zip(graph.inputs, values).map { Tensor($0.type, $1) }
                        let expected = try Interpreter.run(graph, inputs)[0]
                        let actual = try Engine(threads: 1, kernelSet: set).plan(for: graph).evaluate(inputs)[0]
                        #expect(
                            largestDifference(actual, expected, scale: 30) < 2e-6,
                            "\([m, n, k]) \(left) \(right) \(element) \(result), \(set)")
                    }
                }
            }
        }
    }

    /// A pixel that is NaN or infinite reaches the results whose windows hold it, and no other: not through what kernels fill up.
    @Test(arguments: KernelSet.available) func whatIsNotFiniteStaysInItsWindows(_ set: KernelSet) throws {
        typealias Layer = ConvolutionKernelTests.Layer
        let padded = ConvolutionKernelTests.padded
        for layer in [
            Layer(n: 3, size: 7, channels: (5, 9), window: padded),
            Layer(n: 2, size: 9, channels: (3, 17), channelsLast: false),
            Layer(n: 2, size: 8, channels: (16, 16), window: ConvolutionKernelTests.halving),
        ] {
            for element in [ElementType.f32, .f64] {
                let graph = try layer.graph(element)
                var random = TestRandom(9)
                var values = graph.inputs.map { random.tensor($0.type).values }
                values[0][values[0].count / 2] = .nan
                values[0][values[0].count - 1] = -.infinity
                let inputs = zip(graph.inputs, values).map { Tensor($0.type, $1) }
                let actual = try Engine(threads: 1, kernelSet: set).plan(for: graph).evaluate(inputs)
                for (output, (x, y)) in zip(graph.outputs, zip(actual, try Interpreter.run(graph, inputs))) {
                    #expect(largestDifference(x, y, scale: 12) < 4e-6, "\(output.name) \(layer) \(element), \(set)")
                }
            }
        }
    }
}
