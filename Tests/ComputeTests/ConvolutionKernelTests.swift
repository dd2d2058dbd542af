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
}
