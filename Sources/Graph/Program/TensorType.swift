/// The element of a tensor. `bool` is stored as one byte, 0 or 1.
public enum ElementType: String, Hashable, Sendable, Codable, CaseIterable {
    case f32, f64, i32, bool

    /// Bytes of one element in memory.
    public var byteCount: Int {
        switch self {
        case .f32, .i32: 4
        case .f64: 8
        case .bool: 1
        }
    }

    /// Real numbers: the elements that carry derivatives.
    public var isFloating: Bool { self == .f32 || self == .f64 }
}

/// The static type of a value: element and shape. A scalar has the empty shape.
public struct TensorType: Hashable, Sendable {
    public var element: ElementType
    public var shape: [Int]

    public init(_ element: ElementType, _ shape: [Int] = []) {
        self.element = element
        self.shape = shape
    }

    public var rank: Int { shape.count }

    /// The number of elements; 1 for a scalar.
    /// - Throws: `GraphError` when the product overflows, so that a size from a script is checked once, where it enters.
    public func elementCount() throws(GraphError) -> Int {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow { throw GraphError("a tensor of shape \(shape) has more elements than can be addressed") }
            count = product
        }
        return count
    }
}

extension TensorType: CustomStringConvertible {
    /// `f32[8,784]`, and `f32[]` for a scalar.
    public var description: String { "\(element.rawValue)[\(shape.map(String.init).joined(separator: ","))]" }
}

/// What is wrong with a graph under construction, in words for the person who wrote the network.
public struct GraphError: Error, Hashable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
