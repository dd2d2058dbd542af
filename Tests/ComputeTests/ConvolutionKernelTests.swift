import Compute
import Graph
import Testing

/// Convolutions of every form against the interpreter, which adds in f64.
///
/// Tolerance: sums of products of numbers below 1, rounded in f32, 2e-6 of the scale √terms; f64 1e-8 of that.
@Suite struct ConvolutionKernelTests {
    /// A convolution with operands whose axes lie in the order of these roles.
    private static func graph(
        _ element: ElementType, _ operation: Convolution, _ x: [Int], _ w: [Int]
    ) -> Graph? {
        guard
            (try? operation.resultTypes(of: [TensorType(element, x), TensorType(element, w)])) != nil
        else { return nil }
        let b = GraphBuilder()
        let result = b.emit(operation, b.input("x", TensorType(element, x)), b.input("w", TensorType(element, w)))
        return b.build(outputs: [("y", result)])
    }

    /// Axes of an operand by role, in a random order.
    private static func shuffled(_ counts: [Int], _ random: inout TestRandom) -> Convolution.Roles {
        var axes = Array(0..<counts.reduce(0, +))
        for i in axes.indices.reversed() { axes.swapAt(i, random.below(i + 1)) }
        var groups: [[Int]] = []
        for count in counts {
            groups.append(Array(axes.prefix(count)))
            axes.removeFirst(count)
        }
        return Convolution.Roles(batch: groups[0], free: groups[1], contracted: groups[2], spatial: groups[3])
    }

    /// A random convolution: any roles, windows and extents, most of them small.
    static func random(_ random: inout TestRandom, _ element: ElementType) -> Graph? {
        let spatial = random.pick([0, 1, 1, 2, 2, 2, 2, 3])
        let counts = (batch: random.pick([0, 0, 0, 1, 2]), contracted: random.pick([0, 1, 1, 1, 2]))
        let free = (x: random.pick([0, 1, 1, 1, 2]), w: random.pick([0, 1, 1, 1, 2]))
        let windows = (0..<spatial).map { _ in
            Convolution.Window(
                stride: random.pick([1, 1, 1, 2, 3]), low: random.pick([0, 0, 1, 1, 2, -1]),
                high: random.pick([0, 0, 1, 1, 2, -1]), lhsDilation: random.pick([1, 1, 1, 2, 3]),
                rhsDilation: random.pick([1, 1, 1, 2, 3]), reversed: random.below(3) == 0)
        }
        let (l, r) = (
            shuffled([counts.batch, free.x, counts.contracted, spatial], &random),
            shuffled([counts.batch, free.w, counts.contracted, spatial], &random)
        )
        var x = [Int](repeating: 0, count: l.axes.count)
        var w = [Int](repeating: 0, count: r.axes.count)
        for (i, j) in zip(l.batch + l.contracted, r.batch + r.contracted) {
            x[i] = random.pick([1, 2, 3, 5])
            w[j] = x[i]
        }
        for axis in l.free { x[axis] = random.pick([1, 2, 4, 7, 15]) }
        for axis in r.free { w[axis] = random.pick([1, 2, 5, 16, 19, 35]) }
        for (i, j) in zip(l.spatial, r.spatial) {
            let (data, kernel) = (random.pick([1, 3, 5, 8]), random.pick([1, 2, 3, 5]))
            (x[i], w[j]) = spatial == 3 ? (min(data, 5), min(kernel, 3)) : (data, kernel)
        }
        return graph(element, Convolution(lhs: l, rhs: r, windows: windows), x, w)
    }

    @Test(arguments: KernelSet.available) func anyRolesAndWindows(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set, optimizes: false)
        var random = TestRandom(7)
        var count = 0
        while count < 150 {
            guard let graph = Self.random(&random, count % 3 == 0 ? .f64 : .f32) else { continue }
            if graph.types.contains(where: { $0.shape.reduce(1, *) > 20_000 }) { continue }
            try expectAsInterpreted(graph, seed: UInt64(count), engine: engine, scale: 8)
            count += 1
        }
    }

    /// A layer over `n` images of `size` × `size`: what forward, data gradient and kernel gradient ask for, as the derivatives
    /// write them, with images channels first or last.
    struct Layer: Sendable {
        var n: Int
        var size: Int
        var channels: (in: Int, out: Int)
        var kernel = 3
        var window = Convolution.Window()
        var channelsLast = true

        func graph(_ element: ElementType) throws -> Graph {
            let b = GraphBuilder()
            let shape = channelsLast ? [n, size, size, channels.in] : [n, channels.in, size, size]
            let x = b.input("x", TensorType(element, shape))
            let w = b.input("w", TensorType(element, [channels.out, channels.in, kernel, kernel]))
            let y = b.emit(
                Convolution(
                    lhs: channelsLast
                        ? .init(free: [0], contracted: [3], spatial: [1, 2])
                        : .init(free: [0], contracted: [1], spatial: [2, 3]),
                    rhs: .init(free: [0], contracted: [1], spatial: [2, 3]), windows: [window, window]), x, w)
            let factor = b.input("c", b.type(of: y))
            let loss = b.sum(b.multiply(y, factor))
            let gradient = try vjp(
                b.build(outputs: [("loss", loss), ("y", y)]), of: "loss", withRespectTo: ["x", "w"])
            return gradient
        }
    }

    static let padded = Convolution.Window(low: 1, high: 1)
    static let halving = Convolution.Window(stride: 2, low: 1, high: 1)
    static let layers = [
        Layer(n: 3, size: 12, channels: (3, 40), channelsLast: false), Layer(n: 3, size: 12, channels: (3, 40)),
        Layer(n: 2, size: 9, channels: (1, 17)), Layer(n: 5, size: 8, channels: (16, 16), window: padded),
        Layer(n: 9, size: 2, channels: (40, 70), window: padded),
        Layer(n: 17, size: 4, channels: (20, 33), window: padded),
        Layer(n: 2, size: 16, channels: (16, 32), window: halving),
        Layer(n: 3, size: 7, channels: (5, 9), window: halving),
        Layer(n: 2, size: 8, channels: (24, 48), kernel: 1, window: .init(stride: 2)),
        Layer(n: 1, size: 20, channels: (8, 8), kernel: 5, window: .init(low: 2, high: 2, rhsDilation: 2)),
        Layer(n: 4, size: 1, channels: (30, 20), kernel: 1),
    ]

    @Test(arguments: KernelSet.available) func layersAndTheirGradients(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        for (index, layer) in Self.layers.enumerated() {
            for element in [ElementType.f32, .f64] {
                try expectAsInterpreted(
                    layer.graph(element), seed: UInt64(index + 1), engine: engine, tolerance: 4e-6, scale: 12)
            }
        }
    }

    /// Each of many stacked batches with a kernel of its own, kernels of which many slide over the same data, groups and
    /// depthwise convolutions.
    @Test(arguments: KernelSet.available) func batchesOfKernels(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        let windows = [Self.padded, Self.padded]
        typealias Case = (lhs: Convolution.Roles, rhs: Convolution.Roles, x: [Int], w: [Int])
        let cases: [Case] = [
            (
                .init(batch: [0], free: [1], contracted: [4], spatial: [2, 3]),
                .init(batch: [0], free: [4], contracted: [1], spatial: [2, 3]), [5, 3, 6, 6, 8], [5, 8, 3, 3, 20]
            ),
            (
                .init(free: [0], contracted: [3], spatial: [1, 2]),
                .init(free: [0, 1], contracted: [2], spatial: [3, 4]), [3, 6, 6, 8], [4, 20, 8, 3, 3]
            ),
            (
                .init(batch: [3], free: [0], contracted: [4], spatial: [1, 2]),
                .init(batch: [0], free: [1], contracted: [2], spatial: [3, 4]), [3, 6, 6, 2, 4], [2, 18, 4, 3, 3]
            ),
            (
                .init(batch: [3], free: [0], spatial: [1, 2]), .init(batch: [0], spatial: [1, 2]), [3, 6, 6, 19],
                [19, 3, 3]
            ),
        ]
        for (index, each) in cases.enumerated() {
            for element in [ElementType.f32, .f64] {
                let operation = Convolution(lhs: each.lhs, rhs: each.rhs, windows: windows)
                let graph = try #require(Self.graph(element, operation, each.x, each.w))
                try expectAsInterpreted(graph, seed: UInt64(index + 1), engine: engine, scale: 8)
                let b = GraphBuilder()
                let (x, w) = (b.input("x", graph.inputs[0].type), b.input("w", graph.inputs[1].type))
                let y = b.emit(operation, x, w)
                let loss = b.sum(b.multiply(y, y))
                let gradient = try vjp(
                    b.build(outputs: [("loss", loss)]), of: "loss", withRespectTo: ["x", "w"])
                try expectAsInterpreted(
                    gradient.selecting(outputs: ["x.gradient", "w.gradient"]), seed: UInt64(index + 1), engine: engine,
                    tolerance: 4e-6, scale: 60)
            }
        }
    }

    /// Without channels in or out: written out tap by tap, or place by place, whatever the windows and the order of axes.
    @Test(arguments: KernelSet.available) func depthwiseConvolutionsOfAnyForm(_ set: KernelSet) throws {
        let engine = try Engine(threads: 2, kernelSet: set)
        var random = TestRandom(19)
        var forms = (taps: 0, places: 0)
        while min(forms.taps, forms.places) < 20 {
            let spatial = random.pick([1, 2, 2])
            let isSumOfTaps = random.below(2) == 0
            let counts = (
                batch: random.pick([1, 2]), free: random.pick([0, 1, 2]), contracted: random.pick([0, 1, 2])
            )
            let windows = (0..<spatial).map { _ in
                Convolution.Window(
                    stride: random.pick([1, 1, 2, 3]), low: random.pick([0, 1, 2, -1]),
                    high: random.pick([0, 1, 2, -1]),
                    lhsDilation: random.pick([1, 1, 2]), rhsDilation: random.pick([1, 1, 2]),
                    reversed: random.below(3) == 0)
            }
            let (l, r) = (
                Self.shuffled([counts.batch, counts.free, counts.contracted, spatial], &random),
                Self.shuffled([counts.batch, random.below(2), counts.contracted, spatial], &random)
            )
            var x = [Int](repeating: 1, count: l.axes.count)
            var w = [Int](repeating: 1, count: r.axes.count)
            for (i, j) in zip(l.batch, r.batch) {
                x[i] = random.pick([1, 3, 18])
                w[j] = x[i]
            }
            // Samples: free axes of data under a small kernel, contracted where the kernel is a gradient as large as the data.
            if isSumOfTaps { for axis in l.free { x[axis] = random.pick([2, 5]) } }
            for (i, j) in zip(l.contracted, r.contracted) where !isSumOfTaps {
                x[i] = random.pick([2, 5])
                w[j] = x[i]
            }
            for (i, j) in zip(l.spatial, r.spatial) {
                (x[i], w[j]) =
                    isSumOfTaps ? (random.pick([4, 7, 12]), random.pick([1, 3, 4])) : (9, random.pick([5, 7, 9]))
            }
            let element = random.pick([ElementType.f32, .f64])
            guard let graph = Self.graph(element, Convolution(lhs: l, rhs: r, windows: windows), x, w),
                graph.type(of: graph.outputs[0].value).count > 0,
                isSumOfTaps
                    || r.spatial.reduce(1, { $0 * w[$1] }) > 32 && graph.type(of: graph.outputs[0].value).count <= 1000
            else { continue }
            let isWrittenOut = !graph.optimized().nodes.contains { $0.operation is Convolution }
            let places = graph.outputs[0].value
            let result = graph.type(of: places).shape[(l.batch.count + l.free.count)...].reduce(1, *)
            #expect(isWrittenOut || !isSumOfTaps && result > 32, "\(graph)")
            try expectAsInterpreted(
                graph, seed: UInt64(forms.taps + forms.places), engine: engine, tolerance: 4e-6, scale: 12)
            if isSumOfTaps { forms.taps += 1 } else if isWrittenOut { forms.places += 1 }
        }
    }

    @Test func aSumOfNothingIsZero() throws {
        let engine = try Engine(threads: 1)
        // Result places beyond the data, and a kernel whose taps all fall between dilated data.
        for window in [
            Convolution.Window(low: 4, high: 4), Convolution.Window(stride: 2, low: 1, high: 0, lhsDilation: 2),
        ] {
            let operation = Convolution(
                lhs: .init(free: [0], contracted: [2], spatial: [1]),
                rhs: .init(free: [0], contracted: [1], spatial: [2]), windows: [window])
            for (x, w) in [([2, 5, 3], [4, 3, 1]), ([2, 1, 3], [4, 3, 2])] {
                try expectAsInterpreted(#require(Self.graph(.f64, operation, x, w)), engine: engine)
            }
        }
        let operation = Convolution(
            lhs: .init(free: [0], contracted: [2], spatial: [1]), rhs: .init(free: [0], contracted: [1], spatial: [2]),
            windows: [Self.padded])
        for (x, w) in [([2, 5, 0], [4, 0, 3]), ([0, 5, 3], [4, 3, 3]), ([2, 0, 3], [4, 3, 1])] {
            try expectAsInterpreted(#require(Self.graph(.f32, operation, x, w)), engine: engine)
        }
    }

    /// Large enough to be cut into many tiles, and kernel gradients into parts.
    @Test func theNumberOfThreadsChangesNoBit() throws {
        for layer in [
            Layer(n: 16, size: 14, channels: (24, 40), window: Self.padded),
            Layer(n: 32, size: 4, channels: (64, 70), window: Self.padded),
            Layer(n: 8, size: 18, channels: (3, 64), channelsLast: false),
        ] {
            let graph = try layer.graph(.f32)
            var random = TestRandom(3)
            let inputs = graph.inputs.map { random.tensor($0.type) }
            let one = try Engine(threads: 1).plan(for: graph).evaluate(inputs)
            for threads in 2...3 {
                let other = try Engine(threads: threads).plan(for: graph).evaluate(inputs)
                #expect(zip(one, other).allSatisfy { $0.values == $1.values }, "\(threads) threads")
            }
        }
    }
}
