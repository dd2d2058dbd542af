import Graph

/// The constants of a plan, packed into one block of bytes.
struct ConstantPool {
    private struct Key: Hashable {
        var element: ElementType
        var bits: UInt64
    }
    private(set) var bytes: [UInt8] = []
    private var scalars: [Key: Int] = [:]

    /// The byte offset of one element with this value.
    mutating func scalar(_ value: Double, _ element: ElementType) -> Int {
        let key = Key(element: element, bits: value.bitPattern)
        if let offset = scalars[key] { return offset }
        align(to: 8)
        let offset = bytes.count
        append(value, element)
        scalars[key] = offset
        return offset
    }

    /// The byte offset of a tensor with these values.
    mutating func tensor(_ values: [Double], _ type: TensorType) throws -> Int {
        align(to: MemoryAccount.alignment)
        let offset = bytes.count
        let added = try type.bytes(for: "the constants of a plan")
        bytes.reserveCapacity(bytes.count + added)
        for value in values { append(value, type.element) }
        return offset
    }

    private mutating func align(to alignment: Int) {
        bytes += [UInt8](repeating: 0, count: roundUp(bytes.count, to: alignment) - bytes.count)
    }

    private mutating func append(_ value: Double, _ element: ElementType) {
        switch element {
        case .f32: withUnsafeBytes(of: Float(value)) { bytes += $0 }
        case .f64: withUnsafeBytes(of: value) { bytes += $0 }
        case .i32: withUnsafeBytes(of: Int32(ElementType.i32.rounded(value))) { bytes += $0 }
        case .bool: bytes.append(value == 0 ? 0 : 1)
        }
    }
}
