import Graph

/// SplitMix64: a few lines that give the same graphs and numbers on every machine.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Real numbers in (−1.5, 1.5); small integers; bools.
    mutating func tensor(_ type: TensorType) -> Tensor {
        let count = type.shape.reduce(1, *)
        return Tensor(
            type,
            (0..<count).map { _ in
                switch type.element {
                case .f32, .f64: Double.random(in: -1.5...1.5, using: &self)
                case .i32: Double(Int.random(in: -3...3, using: &self))
                case .bool: Double(Int.random(in: 0...1, using: &self))
                }
            })
    }

    mutating func tensors(for graph: Graph) -> [Tensor] {
        var tensors: [Tensor] = []
        for input in graph.inputs { tensors.append(tensor(input.type)) }
        return tensors
    }
}

func + (a: Tensor, b: Tensor) -> Tensor { Tensor(a.type, zip(a.values, b.values).map(+)) }
func - (a: Tensor, b: Tensor) -> Tensor { Tensor(a.type, zip(a.values, b.values).map(-)) }
func * (a: Double, b: Tensor) -> Tensor { Tensor(b.type, b.values.map { a * $0 }) }
func inner(_ a: Tensor, _ b: Tensor) -> Double { zip(a.values, b.values).reduce(0) { $0 + $1.0 * $1.1 } }
func inner(_ a: [Tensor], _ b: [Tensor]) -> Double { zip(a, b).reduce(0) { $0 + inner($1.0, $1.1) } }

/// The largest difference, relative to the size of the larger tensor, or absolute where that is below one.
func distance(_ a: [Tensor], _ b: [Tensor]) -> Double {
    guard a.map(\.type) == b.map(\.type) else { return .infinity }
    var largest = 0.0
    for (x, y) in zip(a, b) {
        let size = max(1, (x.values + y.values).map(abs).max() ?? 0)
        for (u, v) in zip(x.values, y.values) where !(u == v || (u.isNaN && v.isNaN)) {
            let difference = abs(u - v) / size
            largest = difference.isNaN ? .infinity : max(largest, difference)
        }
    }
    return largest
}
func distance(_ a: Double, _ b: Double) -> Double {
    distance([Tensor(TensorType(.f64), [a])], [Tensor(TensorType(.f64), [b])])
}
