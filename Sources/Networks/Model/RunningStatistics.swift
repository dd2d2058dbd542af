import Compute
import Graph

/// The running means and variances of a model's normalisation layers: state of training beside the parameters, changed by
/// training steps alone. The oracles of one run share it.
public final class RunningStatistics {
    public let layout: ParameterLayout
    private let element: ElementType
    /// Memory that stays where it is, so that plans write the next values over the present ones.
    private let buffer: Buffer

    public init(_ model: Model) throws {
        layout = model.buffers
        element = model.element
        buffer = try MemoryAccount.shared.allocate(
            count: layout.count, stride: element.byteCount, for: "the running statistics of \(model.name)")
        try assign(model.initialBuffers)
    }

    private init(copying other: RunningStatistics) throws {
        (layout, element) = (other.layout, other.element)
        buffer = try MemoryAccount.shared.allocate(bytes: other.buffer.byteCount, for: "running statistics")
        buffer.base.copyMemory(from: other.buffer.base, byteCount: buffer.byteCount)
    }

    /// The same values, which further training does not change.
    package func copy() throws -> RunningStatistics { try RunningStatistics(copying: self) }

    /// A copy of the values, laid out as the model's `buffers`.
    public func values() throws -> Vector {
        try Vector(
            copying: UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount), element: element,
            for: "running statistics")
    }

    /// - Throws: `GraphError` for values of another model.
    public func assign(_ values: Vector) throws {
        guard values.count == layout.count, values.element == element else {
            throw GraphError(
                "\(values.count) running statistics in \(values.element.rawValue) for a model that has \(layout.count) in "
                    + element.rawValue)
        }
        values.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { buffer.base.copyMemory(from: base, byteCount: bytes.count) }
        }
    }

    /// Where each buffer lies.
    package var views: [UnsafeMutableRawPointer] { layout.views(of: buffer.base, element: element) }
}
