import Compute
import Graph

/// How named tensors lie in the one flat parameter vector: in PyTorch's names, layouts and order.
public struct ParameterLayout: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public let name: String
        public let shape: [Int]
        /// Position of the first element in the vector, in elements.
        public let offset: Int
        public let count: Int
    }

    public let entries: [Entry]
    /// p, the number of parameters.
    public let count: Int

    /// - Throws: `GraphError` for a repeated name, a negative extent, or more parameters than can be addressed.
    public init(_ tensors: [(name: String, shape: [Int])]) throws(GraphError) {
        var entries: [Entry] = []
        var offset = 0
        var seen: Set<String> = []
        for (name, shape) in tensors {
            guard seen.insert(name).inserted else { throw GraphError("two parameters are named '\(name)'") }
            if let extent = shape.first(where: { $0 < 1 }) {
                throw GraphError("parameter '\(name)' has an extent of \(extent); extents start at 1")
            }
            let count = try TensorType(.f32, shape).elementCount()
            entries.append(Entry(name: name, shape: shape, offset: offset, count: count))
            let (sum, overflow) = offset.addingReportingOverflow(count)
            if overflow { throw GraphError("more parameters than can be addressed, at '\(name)'") }
            offset = sum
        }
        self.entries = entries
        self.count = offset
    }

    /// The layout of nothing.
    init() { (entries, count) = ([], 0) }

    public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

    /// The addresses of the tensors in a vector that starts at `base`.
    public func views(of base: UnsafeRawPointer, element: ElementType) -> [UnsafeRawPointer] {
        entries.map { base + $0.offset * element.byteCount }
    }

    public func views(of base: UnsafeMutableRawPointer, element: ElementType) -> [UnsafeMutableRawPointer] {
        entries.map { base + $0.offset * element.byteCount }
    }
}
