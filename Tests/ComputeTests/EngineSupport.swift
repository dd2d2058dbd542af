import Compute
import Graph
import Testing

/// Numbers for tests: a small generator, the same on every run.
struct TestRandom {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func bits() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    mutating func below(_ n: Int) -> Int { Int(bits() >> 33) % n }
    mutating func uniform() -> Double { Double(bits() >> 11) / Double(1 << 53) }
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

    /// Numbers between −1 and 1, small integers, or truth values.
    mutating func tensor(_ type: TensorType) -> Tensor {
        Tensor(
            type,
            (0..<type.shape.reduce(1, *)).map { _ in
                switch type.element {
                case .f32, .f64: 2 * uniform() - 1
                case .i32: Double(below(41) - 20)
                case .bool: Double(below(2))
                }
            })
    }
}

/// The largest difference, relative to `scale` or to the larger of the two numbers; infinite where only one is NaN or infinite.
func largestDifference(_ a: Tensor, _ b: Tensor, scale: Double = 1) -> Double {
    var largest = 0.0
    for (x, y) in zip(a.values, b.values) where !(x == y || (x.isNaN && y.isNaN)) {
        largest = max(largest, x.isFinite && y.isFinite ? abs(x - y) / max(scale, abs(x), abs(y)) : .infinity)
    }
    return largest
}

/// Compares a graph's plan with the interpreter on random numbers.
///
/// - Parameters:
///   - tolerance: allowed difference of f32 results; f64 results are given 1e-8 of it.
///   - wideTolerance: instead of that, for f64 results of f32 calculations.
///   - scale: differences are relative to this or to the larger number.
func expectAsInterpreted(
    _ graph: Graph, seed: UInt64 = 1, engine: Engine = .shared, tolerance: Double = 2e-6, wideTolerance: Double? = nil,
    scale: Double = 1, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    var random = TestRandom(seed)
    let inputs = graph.inputs.map { random.tensor($0.type) }
    let expected = try Interpreter.run(graph, inputs)
    let plan = try engine.plan(for: graph)
    let actual = try plan.evaluate(inputs)
    for (output, (x, y)) in zip(graph.outputs, zip(actual, expected)) {
        let limit = x.type.element == .f32 ? tolerance : x.type.element == .f64 ? wideTolerance ?? tolerance * 1e-8 : 0
        let difference = largestDifference(x, y, scale: scale)
        #expect(
            difference <= limit, "\(output.name): \(difference) in\n\(graph)\n\(plan)", sourceLocation: sourceLocation)
    }
}
