import Compute
import Graph
import Testing

/// Updates that are one loop have the bits of their operations one by one, in all kernel sets, at every length.
@Suite struct RegionChainTests {
    /// A rule's vectors x (the parameters), g, m, v at an element.
    struct Element<T: BinaryFloatingPoint> {
        var (x, g, m, v): (T, T, T, T)
    }

    /// An update as a graph makes it of x, g, m, v and numbers, and in Swift's arithmetic, which rounds each operation.
    struct Rule: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let operations: Int
        let graph: @Sendable (GraphBuilder, [Value], (Double) -> Value) -> [Value]
        let single: @Sendable (Element<Float>) -> [Float]
        let double: @Sendable (Element<Double>) -> [Double]
    }

    private static func momentum<T: BinaryFloatingPoint>(_ e: Element<T>, decay: T? = nil, nesterov: Bool) -> [T] {
        let g = decay.map { $0 * e.x + e.g } ?? e.g
        let m = 0.9 * e.m + g
        return [m, e.x - 0.05 * (nesterov ? 0.9 * m + g : m)]
    }

    private static func adam<T: BinaryFloatingPoint>(_ e: Element<T>, decay: T? = nil) -> [T] {
        let m = e.m + 0.1 * (e.g - e.m)
        let v = e.v + 0.01 * (e.g * e.g - e.v)
        let step = m / (v.squareRoot() + 0.003)
        return [m, v, decay.map { $0 * e.x - 0.05 * step } ?? e.x - 0.05 * step]
    }

    private static func rmsprop<T: BinaryFloatingPoint>(_ e: Element<T>) -> [T] {
        let v = e.v + 0.01 * (e.g * e.g - e.v)
        return [v, e.x - 0.05 * (e.g / (v.squareRoot() + 0.003))]
    }

    private static func adagrad<T: BinaryFloatingPoint>(_ e: Element<T>) -> [T] {
        let v = e.g * e.g + e.v
        return [v, e.x - 0.05 * (e.g / (v.squareRoot() + 0.003))]
    }

    private static func graphOfMomentum(
        _ b: GraphBuilder, _ x: [Value], _ number: (Double) -> Value, decay: Double? = nil, nesterov: Bool
    ) -> [Value] {
        let g = decay.map { b.add(b.multiply(number($0), x[0]), x[1]) } ?? x[1]
        let m = b.add(b.multiply(number(0.9), x[2]), g)
        let step = nesterov ? b.add(b.multiply(number(0.9), m), g) : m
        return [m, b.subtract(x[0], b.multiply(number(0.05), step))]
    }

    private static func quotient(_ b: GraphBuilder, _ x: Value, _ v: Value, _ number: (Double) -> Value) -> Value {
        b.divide(x, b.add(b.sqrt(v), number(0.003)))
    }

    private static func approach(_ b: GraphBuilder, _ from: Value, _ to: Value, _ share: Value) -> Value {
        b.add(from, b.multiply(share, b.subtract(to, from)))
    }

    static let rules: [Rule] = [
        Rule(
            testDescription: "momentum", operations: 2,
            graph: { graphOfMomentum($0, $1, $2, nesterov: false) },
            single: { momentum($0, nesterov: false) }, double: { momentum($0, nesterov: false) }),
        Rule(
            testDescription: "nesterov", operations: 3,
            graph: { graphOfMomentum($0, $1, $2, nesterov: true) },
            single: { momentum($0, nesterov: true) }, double: { momentum($0, nesterov: true) }),
        Rule(
            testDescription: "momentum with decay", operations: 3,
            graph: { graphOfMomentum($0, $1, $2, decay: 0.2, nesterov: false) },
            single: { momentum($0, decay: 0.2, nesterov: false) },
            double: { momentum($0, decay: 0.2, nesterov: false) }),
        Rule(
            testDescription: "nesterov with decay", operations: 4,
            graph: { graphOfMomentum($0, $1, $2, decay: 0.2, nesterov: true) },
            single: { momentum($0, decay: 0.2, nesterov: true) }, double: { momentum($0, decay: 0.2, nesterov: true) }),
        Rule(
            testDescription: "adam", operations: 4,
            graph: { b, x, number in
                let m = approach(b, x[2], x[1], number(0.1))
                let v = approach(b, x[3], b.multiply(x[1], x[1]), number(0.01))
                return [m, v, b.subtract(x[0], b.multiply(number(0.05), quotient(b, m, v, number)))]
            }, single: { adam($0) }, double: { adam($0) }),
        Rule(
            testDescription: "adamw", operations: 5,
            graph: { b, x, number in
                let m = approach(b, x[2], x[1], number(0.1))
                let v = approach(b, x[3], b.multiply(x[1], x[1]), number(0.01))
                let step = b.multiply(number(0.05), quotient(b, m, v, number))
                return [m, v, b.subtract(b.multiply(number(0.995), x[0]), step)]
            }, single: { adam($0, decay: 0.995) }, double: { adam($0, decay: 0.995) }),
        Rule(
            testDescription: "rmsprop", operations: 3,
            graph: { b, x, number in
                let v = approach(b, x[3], b.multiply(x[1], x[1]), number(0.01))
                return [v, b.subtract(x[0], b.multiply(number(0.05), quotient(b, x[1], v, number)))]
            }, single: { rmsprop($0) }, double: { rmsprop($0) }),
        Rule(
            testDescription: "adagrad", operations: 3,
            graph: { b, x, number in
                let v = b.add(b.multiply(x[1], x[1]), x[3])
                return [v, b.subtract(x[0], b.multiply(number(0.05), quotient(b, x[1], v, number)))]
            }, single: { adagrad($0) }, double: { adagrad($0) }),
    ]

    private func program(_ rule: Rule, _ type: TensorType) -> Graph {
        let b = GraphBuilder()
        let inputs = ["x", "g", "m", "v"].map { b.input($0, type) }
        let results = rule.graph(b, inputs) { b.constant($0, type) }
        return b.build(outputs: results.enumerated().map { ("r\($0)", $1) })
    }

    @Test(arguments: rules, [ElementType.f32, .f64])
    func anUpdateInOneLoopHasTheBitsOfItsOperations(_ rule: Rule, _ element: ElementType) throws {
        for set in KernelSet.available {
            let engine = try Engine(threads: 1, kernelSet: set)
            // The last is so large that memory is asked for ahead.
            for count in [2, 7, 16, 203, 1100] + (rule.testDescription == "adam" ? [132_003] : []) {
                let type = TensorType(element, [count])
                var random = TestRandom(UInt64(count))
                func rounded(_ x: Double) -> Double { element == .f32 ? Double(Float(x)) : x }
                var inputs = (0..<4).map { _ in random.tensor(type).values.map(rounded) }
                inputs[3] = inputs[3].map(abs)
                // Where nothing has moved yet, and where a value is none.
                for vector in inputs.indices { inputs[vector][0] = 0 }
                if count > 2 { inputs[1][2] = .nan }
                let plan = try engine.plan(for: program(rule, type))
                #expect(
                    "\(plan)".contains("region[\(count), \(rule.operations) operations in one loop]"), "\(plan)")
                let results = try plan.evaluate(inputs.map { Tensor(type, $0) })
                let expected = (0..<count).map { i -> [Double] in
                    guard element == .f32 else {
                        return rule.double(
                            Element(x: inputs[0][i], g: inputs[1][i], m: inputs[2][i], v: inputs[3][i]))
                    }
                    let numbers = inputs.map { Float($0[i]) }
                    return rule.single(Element(x: numbers[0], g: numbers[1], m: numbers[2], v: numbers[3]))
                        .map(Double.init)
                }
                for (place, result) in results.enumerated() {
                    let differing = expected.indices.filter {
                        let (a, b) = (result.values[$0], expected[$0][place])
                        return a != b && !(a.isNaN && b.isNaN)
                    }
                    #expect(differing.isEmpty, "\(set), \(count) elements, result \(place), at \(differing.prefix(3))")
                }
            }
        }
    }

    /// The same operations, another of them kept or another of them read, are not the rule.
    @Test func whatIsNearlyAnUpdateIsNone() throws {
        let engine = try Engine(threads: 1)
        let type = TensorType(.f32, [203])
        let b = GraphBuilder()
        let x = ["x", "g", "m"].map { b.input($0, type) }
        let m = b.add(b.multiply(b.constant(0.9, type), x[2]), x[1])
        let step = b.multiply(b.constant(0.05, type), m)
        for outputs in [[b.subtract(x[0], step)], [m, b.subtract(x[1], step)], [m, b.subtract(x[0], step), step]] {
            let plan = try engine.plan(for: b.build(outputs: outputs.enumerated().map { ("r\($0)", $1) }))
            #expect("\(plan)".contains("region[203") && !"\(plan)".contains("in one loop"), "\(plan)")
        }
    }
}
