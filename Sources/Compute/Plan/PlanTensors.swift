import Graph

extension Plan {
    /// Runs the plan on numbers held as `Tensor`s: slow, for tests and small calculations.
    ///
    /// - Throws: `GraphError` if the inputs do not fit the graph, `MemoryError` if their memory is refused.
    public func evaluate(_ inputs: [Tensor], account: MemoryAccount = .shared) throws -> [Tensor] {
        guard inputs.map(\.type) == graph.inputs.map(\.type) else {
            throw GraphError("inputs \(inputs.map(\.type)) for a graph of \(graph.inputs.map(\.type))")
        }
        let bound = try inputs.map { tensor -> Buffer in
            let buffer = try account.allocate(bytes: tensor.type.bytes(for: "an input"), for: "an input")
            buffer.store(tensor)
            return buffer
        }
        let types = graph.outputs.map { graph.type(of: $0.value) }
        let results = try types.map { try account.allocate(bytes: $0.bytes(for: "an output"), for: "an output") }
        // Pointers do not keep their buffers alive.
        withExtendedLifetime(bound) {
            run(inputs: bound.map { UnsafeRawPointer($0.base) }, outputs: results.map(\.base))
        }
        return zip(types, results).map { $1.tensor($0) }
    }
}

extension Buffer {
    /// Writes a tensor's elements, row-major, at the start.
    func store(_ tensor: Tensor) {
        for (index, value) in tensor.values.enumerated() {
            switch tensor.type.element {
            case .f32: base.storeBytes(of: Float(value), toByteOffset: 4 * index, as: Float.self)
            case .f64: base.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
            case .i32: base.storeBytes(of: Int32(value), toByteOffset: 4 * index, as: Int32.self)
            case .bool: base.storeBytes(of: value == 0 ? 0 : 1, toByteOffset: index, as: UInt8.self)
            }
        }
    }

    /// The tensor of this type at the start.
    func tensor(_ type: TensorType) -> Tensor {
        let values = (0..<type.elements).map { index -> Double in
            switch type.element {
            case .f32: Double(base.load(fromByteOffset: 4 * index, as: Float.self))
            case .f64: base.load(fromByteOffset: 8 * index, as: Double.self)
            case .i32: Double(base.load(fromByteOffset: 4 * index, as: Int32.self))
            case .bool: Double(base.load(fromByteOffset: index, as: UInt8.self))
            }
        }
        return Tensor(type, values)
    }
}
