/// A tensor's numbers, row-major, held as `Double` whatever the element: the reference representation.
///
/// Every f32, i32 and bool is a `Double` exactly, so the values are always those the element can hold.
public struct Tensor: Hashable, Sendable {
    public let type: TensorType
    public let values: [Double]

    /// Rounds each value to the element: f32 to nearest even, i32 towards zero and saturating (NaN to 0), bool to 0 or 1.
    public init(_ type: TensorType, _ values: [Double]) {
        let count = type.shape.reduce(1, *)
        precondition(values.count == count, "\(values.count) values for \(type)")
        self.type = type
        self.values = type.element == .f64 ? values : values.map(type.element.rounded)
    }

    public init(_ type: TensorType, repeating value: Double) {
        self.init(type, [Double](repeating: value, count: type.shape.reduce(1, *)))
    }

    /// The value of a tensor with one element.
    public var scalar: Double {
        precondition(values.count == 1, "\(type) has \(values.count) elements")
        return values[0]
    }
}

extension ElementType {
    /// Whether this real element holds the number with all its digits.
    func isNormal(_ x: Double) -> Bool { self == .f32 ? Float(x).isNormal : x.isNormal }

    /// Whether (c·d)·x may stand for c·(d·x): not where the product of the numbers overflows, or loses digits near 0.
    package func canCombine(_ c: Double, _ d: Double) -> Bool {
        [c, d].contains { $0 == 0 || $0 == 1 || !$0.isFinite } || isNormal(c * d)
    }

    /// The nearest value that the element can hold.
    public func rounded(_ x: Double) -> Double {
        switch self {
        case .f64: x
        case .f32: Double(Float(x))
        case .i32: x.isNaN ? 0 : min(max(x, Double(Int32.min)), Double(Int32.max)).rounded(.towardZero)
        case .bool: x == 0 ? 0 : 1
        }
    }
}

extension Tensor {
    /// Sums that were taken exactly: an i32 wraps, as the kernels add.
    init(wrapping type: TensorType, _ sums: [Double]) {
        // Below 2⁵³ a sum of integers is exact, whatever its order.
        self.init(
            type, type.element == .i32 ? sums.map { Double(Int32(truncatingIfNeeded: Int64($0))) } : sums)
    }
}

/// Row-major places of a shape: what index arithmetic the reference semantics need.
enum Places {
    static func strides(_ shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        return strides
    }

    /// For every index of `shape` in row-major order, the offset Σ index·stride. A stride of 0 repeats an axis.
    static func offsets(shape: [Int], strides: [Int]) -> [Int] {
        var offsets = [0]
        for (extent, stride) in zip(shape, strides) {
            offsets = offsets.flatMap { base in (0..<extent).map { base + $0 * stride } }
        }
        return offsets
    }
}
