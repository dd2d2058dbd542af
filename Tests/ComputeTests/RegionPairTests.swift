import Compute
import Graph
import Testing

/// Operations of a region that are made in pairs, or with one number, have the bits of the operations one by one.
@Suite struct RegionPairTests {
    /// What is computed of x, y, z and a number s, and the same in Swift's arithmetic, which rounds each operation.
    private static let expressions:
        [(
            graph: @Sendable (GraphBuilder, Value, Value, Value, Value) -> Value,
            value: @Sendable (Float, Float, Float, Float) -> Float
        )] = [
            ({ b, x, y, z, _ in b.add(b.multiply(x, y), z) }, { x, y, z, _ in x * y + z }),
            ({ b, x, y, z, _ in b.add(z, b.multiply(x, y)) }, { x, y, z, _ in z + x * y }),
            ({ b, x, y, z, _ in b.subtract(b.multiply(x, y), z) }, { x, y, z, _ in x * y - z }),
            ({ b, x, y, z, _ in b.subtract(z, b.multiply(x, y)) }, { x, y, z, _ in z - x * y }),
            ({ b, x, y, z, s in b.add(b.multiply(s, y), z) }, { _, y, z, s in s * y + z }),
            ({ b, x, y, z, s in b.subtract(b.multiply(y, s), z) }, { _, y, z, s in y * s - z }),
            ({ b, x, y, z, s in b.subtract(z, b.multiply(y, s)) }, { _, y, z, s in z - y * s }),
            (
                { b, x, y, z, s in b.add(b.multiply(b.add(s, x), y), b.multiply(z, s)) },
                { x, y, z, s in (s + x) * y + z * s }
            ),
            ({ b, x, y, _, s in b.add(x, b.multiply(s, b.subtract(y, x))) }, { x, y, _, s in x + s * (y - x) }),
            (
                { b, x, y, _, s in b.divide(y, b.add(b.sqrt(b.abs(x)), s)) },
                { x, y, _, s in y / (abs(x).squareRoot() + s) }
            ),
            (
                { b, x, y, _, s in b.add(x, b.multiply(s, b.subtract(b.multiply(y, y), x))) },
                { x, y, _, s in x + s * (y * y - x) }
            ),
            // A product that is no square.
            (
                { b, x, y, z, s in b.add(x, b.multiply(s, b.subtract(b.multiply(y, z), x))) },
                { x, y, z, s in x + s * (y * z - x) }
            ),
            // A difference from something else, a root that is read twice.
            ({ b, x, y, z, s in b.add(z, b.multiply(s, b.subtract(y, x))) }, { x, y, z, s in z + s * (y - x) }),
            (
                { b, x, y, z, s in
                    let root = b.sqrt(b.abs(x))
                    return b.subtract(b.divide(y, b.add(root, s)), root)
                }, { x, y, _, s in y / (abs(x).squareRoot() + s) - abs(x).squareRoot() }
            ),
            // A product that is used twice is made once.
            (
                { b, x, y, z, _ in
                    let product = b.multiply(x, y)
                    return b.multiply(b.add(product, z), b.subtract(product, z))
                }, { x, y, z, _ in (x * y + z) * (x * y - z) }
            ),
        ]

    @Test(arguments: KernelSet.available) func aPairRoundsTwice(_ set: KernelSet) throws {
        let engine = try Engine(threads: 1, kernelSet: set)
        var random = TestRandom(5)
        let type = TensorType(.f32, [203])
        let (x, y, z) = (random.tensor(type), random.tensor(type), random.tensor(type))
        let (a, c, d) = (x.values.map(Float.init), y.values.map(Float.init), z.values.map(Float.init))
        let s = Tensor(TensorType(.f32), [Double(Float(0.3))])
        for (index, (graph, value)) in Self.expressions.enumerated() {
            let b = GraphBuilder()
            let inputs = ["x", "y", "z"].map { b.input($0, type) }
            let number = b.broadcast(b.input("s", s.type), to: type.shape)
            let program = b.build(outputs: [("r", graph(b, inputs[0], inputs[1], inputs[2], number))])
            let result = try engine.plan(for: program).evaluate(
                [x, y, z].map { Tensor(type, $0.values.map { Double(Float($0)) }) } + [s])
            let expected = a.indices.map { Double(value(a[$0], c[$0], d[$0], 0.3)) }
            #expect(result[0].values == expected, "expression \(index)")
        }
    }

    /// m + s(g − m) is one operation of the machine, v + s(g² − v) another, and a / (√b + s).
    @Test func threeOrFourOperationsAreOne() throws {
        let engine = try Engine(threads: 1)
        let type = TensorType(.f32, [203])
        let b = GraphBuilder()
        let (x, y) = (b.input("x", type), b.input("y", type))
        let s = b.broadcast(b.input("s", TensorType(.f32)), to: type.shape)
        let mean = b.add(x, b.multiply(s, b.subtract(y, x)))
        let squares = b.add(x, b.multiply(s, b.subtract(b.multiply(y, y), x)))
        let step = b.divide(y, b.add(b.sqrt(x), s))
        for value in [mean, squares, step] {
            let plan = try engine.plan(for: b.build(outputs: [("r", value)]))
            #expect("\(plan)".contains("region[203, 1 operations]"), "\(plan)")
        }
    }
}
