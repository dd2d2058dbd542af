import Compute
import Graph
import Testing

/// Products with very many terms and few results: summed in blocks, which threads share out.
@Suite struct LongSumTests {
    private enum Numbers: CaseIterable {
        /// All the same: roundings of one sign, so that a sum in one go is off by a part in ten thousand.
        case equal
        case positive, signed
    }

    /// The same numbers, those of f32, for either element.
    private func values(_ numbers: Numbers, _ count: Int, seed: UInt64) -> [Double] {
        var random = TestRandom(seed)
        switch numbers {
        case .equal: return [Double](repeating: Double(Float(0.1)), count: count)
        case .positive: return (0..<count).map { _ in Double(Float(0.5 + random.uniform())) }
        case .signed: return (0..<count).map { _ in Double(Float(2 * random.uniform() - 1)) }
        }
    }

    /// The largest error over what the sum is about: the sum itself, or √K · ⅓ where signs vary.
    private func error(_ found: Tensor, _ exact: Tensor, _ numbers: Numbers, terms: Int) -> Double {
        zip(found.values, exact.values).reduce(0) { worst, pair in
            max(worst, abs(pair.0 - pair.1) / (numbers == .signed ? Double(terms).squareRoot() / 3 : abs(pair.1)))
        }
    }

    /// Within 4ε√(K/512): as if blocks of 512 terms were exact to 4ε and added in one go. The exact sums are those of f64.
    @Test(arguments: KernelSet.available) func aLongSumKeepsItsDigits(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (m, n, k) in [(10, 10, 20_000), (1, 20, 40_001), (24, 9, 12_000)] {
            for numbers in Numbers.allCases {
                let (left, right) = (values(numbers, m * k, seed: 3), values(numbers, n * k, seed: 4))
                for (first, second, axis) in [([k, m], [k, n], 0), ([m, k], [n, k], 1)] {
                    func product(_ element: ElementType) throws -> Tensor {
                        let graph = ProductKernelTests.product(
                            first, second, contracting: ([axis], [axis]), element, element)
                        let inputs = [
                            Tensor(TensorType(element, first), left), Tensor(TensorType(element, second), right),
                        ]
                        return try engine.plan(for: graph).evaluate(inputs)[0]
                    }
                    let found = try error(product(.f32), product(.f64), numbers, terms: k)
                    let bound = 4 * 0x1p-23 * (Double(k) / 512).squareRoot()
                    #expect(found < bound, "\([m, n, k]) over axis \(axis), \(numbers), \(set): \(found / bound)")
                }
            }
        }
    }

    /// The gradient of a convolution in its kernel: over long lines, many lines, many samples of short lines.
    @Test(arguments: KernelSet.available) func aLongGradientOfAKernelKeepsItsDigits(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let cases: [(samples: Int, places: [Int], channels: Int, columns: Int)] = [
            (1, [60_000], 3, 5), (2, [20_000], 17, 33), (300, [100], 8, 18), (9, [40, 70], 3, 16), (8_000, [4], 6, 20),
        ]
        for (samples, places, channels, columns) in cases {
            let input = places.map { $0 + 2 }
            let (x, w) = ([samples] + input + [channels], [samples] + places + [columns])
            let spatial = places.indices.map { $0 + 1 }
            let roles = Convolution.Roles(batch: [], free: [places.count + 1], contracted: [0], spatial: spatial)
            let terms = places.reduce(samples, *)
            for numbers in Numbers.allCases {
                let left = values(numbers, x.reduce(1, *), seed: 3)
                let right = values(numbers, w.reduce(1, *), seed: 4)
                func gradient(_ element: ElementType) throws -> Tensor {
                    let b = GraphBuilder()
                    let result = b.emit(
                        Convolution(lhs: roles, rhs: roles, windows: places.map { _ in Convolution.Window() }),
                        b.input("x", TensorType(element, x)), b.input("w", TensorType(element, w)))
                    let inputs = [Tensor(TensorType(element, x), left), Tensor(TensorType(element, w), right)]
                    return try engine.plan(for: b.build(outputs: [("y", result)])).evaluate(inputs)[0]
                }
                let found = try error(gradient(.f32), gradient(.f64), numbers, terms: terms)
                let bound = 4 * 0x1p-23 * (Double(terms) / 512).squareRoot()
                #expect(found < bound, "\(samples) × \(places), \(numbers), \(set): \(found / bound)")
            }
        }
    }

    /// W + s·AᵀB over the memory of W, which cannot hold partial sums.
    @Test(arguments: KernelSet.available) func anUpdateByALongSumKeepsItsDigits(_ set: KernelSet) throws {
        for optimizes in [true, false] {
            let engine = try Engine(threads: 2, kernelSet: set, optimizes: optimizes)
            for (m, n, k) in [(10, 50, 3_000), (70, 3, 20_000), (9, 700, 1_000)] {
                let (left, right) = (values(.equal, m * k, seed: 3), values(.equal, n * k, seed: 4))
                let b = GraphBuilder()
                let x = b.input("x", TensorType(.f32, [k, m]))
                let y = b.input("y", TensorType(.f32, [k, n]))
                let w = b.input("w", TensorType(.f32, [m, n]))
                let dot = DotGeneral(lhsContracting: [0], rhsContracting: [0], result: .f32)
                let scale = b.constant(-2, TensorType(.f32))
                let graph = b.build(outputs: [("w'", b.emit(AccumulateDot(dot: dot), x, y, w, scale))])
                let inputs = [
                    Tensor(b.type(of: x), left), Tensor(b.type(of: y), right), Tensor(b.type(of: w), repeating: 1),
                ]
                let found = try engine.plan(for: graph).evaluate(inputs)[0]
                let exact = Tensor(TensorType(.f64, [m, n]), repeating: 1 - 2 * Double(k) * left[0] * right[0])
                let bound = 4 * 0x1p-23 * max(1, Double(k) / 512).squareRoot()
                let off = error(found, exact, .equal, terms: k)
                #expect(off < bound, "\([m, n, k]), \(set): \(off / bound)")
            }
        }
    }

    @Test(arguments: [(10, 10, 20_000), (90, 5, 10_000), (100, 100, 8_200)]) func threadsShareTheTerms(
        _ size: (Int, Int, Int)
    ) throws {
        let (m, n, k) = size
        let graph = ProductKernelTests.product([k, m], [k, n], contracting: ([0], [0]), .f32, .f32)
        let inputs = [
            Tensor(TensorType(.f32, [k, m]), values(.signed, m * k, seed: 3)),
            Tensor(TensorType(.f32, [k, n]), values(.signed, n * k, seed: 4)),
        ]
        let engine = try Engine(threads: 1)
        let plan = try engine.plan(for: graph)
        let alone = try plan.evaluate(inputs)
        for threads in [2, 3, 7] {
            engine.threads = threads
            #expect(try plan.evaluate(inputs) == alone, "\(threads) threads")
        }
        let line = try #require(plan.description.split(separator: "\n").first { $0.contains(", partial") })
        let tiles = line.split(separator: ":")[1].split(separator: "x").last.flatMap { Int($0) } ?? 0
        #expect(tiles >= 4, "\(plan)")
    }

    /// Where a product with many terms is added to something, it shares them out before.
    @Test func aLongSumIsNotAddedInPlace() throws {
        for (k, isInPlace) in [(200, true), (20_000, false)] {
            let b = GraphBuilder()
            let (x, y) = (b.input("x", TensorType(.f32, [k, 30])), b.input("y", TensorType(.f32, [k, 20])))
            let w = b.input("w", TensorType(.f32, [30, 20]))
            let change = b.scale(b.dot(x, y, contracting: ([0], [0])), by: -0.1)
            let graph = b.build(outputs: [("w'", b.add(w, change))]).optimized()
            #expect(graph.nodes.contains { $0.operation is AccumulateDot } == isInPlace, "\(graph)")
        }
    }
}
