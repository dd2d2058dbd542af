import Compute
import Graph

/// Tensors of a model beside its parameters, in memory that stays where it is, so that plans are bound to it: the running means and
/// variances of normalisation layers, which training steps change, and what is fixed, which nothing does. The oracles of one run
/// share them.
public final class HeldTensors {
    public let layout: ParameterLayout
    private let element: ElementType
    private let buffer: Buffer
    /// For messages.
    private let what: String

    /// The running values of a model, as they are at step 0.
    public convenience init(runningOf model: Model) throws {
        try self.init(model.buffers, model.element, "running statistics", of: model, model.initialBuffers)
    }

    /// What is fixed in a model.
    public convenience init(fixedOf model: Model) throws {
        try self.init(model.fixed, model.element, "fixed tensors", of: model, model.fixedValues)
    }

    private init(
        _ layout: ParameterLayout, _ element: ElementType, _ what: String, of model: Model, _ values: Vector
    ) throws {
        (self.layout, self.element, self.what) = (layout, element, what)
        buffer = try MemoryAccount.shared.allocate(
            count: layout.count, stride: element.byteCount, for: "the \(what) of \(model.name)")
        try assign(values)
    }

    private init(copying other: HeldTensors) throws {
        (layout, element, what) = (other.layout, other.element, other.what)
        buffer = try MemoryAccount.shared.allocate(bytes: other.buffer.byteCount, for: what)
        buffer.base.copyMemory(from: other.buffer.base, byteCount: buffer.byteCount)
    }

    /// The same values, which what changes these does not change.
    package func copy() throws -> HeldTensors { try HeldTensors(copying: self) }

    /// A copy of the values, one after the other as the layout has them.
    public func values() throws -> Vector {
        try Vector(
            copying: UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount), element: element, for: what)
    }

    /// - Throws: `GraphError` for values of another model.
    public func assign(_ values: Vector) throws {
        guard values.count == layout.count, values.element == element else {
            throw GraphError(
                "\(values.count) \(what) in \(values.element.rawValue) for a model that has \(layout.count) in "
                    + element.rawValue)
        }
        values.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { buffer.base.copyMemory(from: base, byteCount: bytes.count) }
        }
    }

    /// Where each tensor lies.
    package var views: [UnsafeMutableRawPointer] { layout.views(of: buffer.base, element: element) }
}
