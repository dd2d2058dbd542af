import Compute

/// The element of an array as it stands in memory. Half-precision numbers are widened to f32 when they are read.
public enum ArrayElement: String, Sendable, Hashable, CaseIterable {
    case f32, f64, i8, i16, i32, i64, u8, u16, u32, u64
    /// One byte, 0 or 1.
    case bool

    /// Bytes of one element in memory.
    public var byteCount: Int {
        switch self {
        case .i8, .u8, .bool: 1
        case .i16, .u16: 2
        case .f32, .i32, .u32: 4
        case .f64, .i64, .u64: 8
        }
    }

    public var isFloating: Bool { self == .f32 || self == .f64 }
}

/// A Swift type that an array can be made from.
public protocol ArrayScalar: Sendable {
    static var arrayElement: ArrayElement { get }
}
extension Float: ArrayScalar { public static var arrayElement: ArrayElement { .f32 } }
extension Double: ArrayScalar { public static var arrayElement: ArrayElement { .f64 } }
extension Int32: ArrayScalar { public static var arrayElement: ArrayElement { .i32 } }
extension Int64: ArrayScalar { public static var arrayElement: ArrayElement { .i64 } }
extension UInt8: ArrayScalar { public static var arrayElement: ArrayElement { .u8 } }

/// An immutable array of numbers, row-major and contiguous; the empty shape is a scalar. Its memory is in the account.
public struct NDArray: Sendable {
    public let shape: [Int]
    public let element: ArrayElement
    /// The number of elements: the product of the shape.
    public let count: Int
    let storage: Buffer

    /// An array whose bytes `fill` writes (all `count * element.byteCount` of them, row-major, in the machine's byte order).
    /// - Throws: `DatasetError` for a shape with negative or unaddressable extents, the account's error when the memory
    ///   is not to be had, and what `fill` throws.
    public init(
        shape: [Int], element: ArrayElement, for what: String = "an array",
        fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) throws {
        let count = try Self.elementCount(shape)
        storage = try MemoryAccount.shared.allocate(count: count, stride: element.byteCount, for: what)
        self.shape = shape
        self.element = element
        self.count = count
        try fill(UnsafeMutableRawBufferPointer(start: storage.base, count: count * element.byteCount))
    }

    /// An array of these values in row-major order; without a shape, a vector.
    /// - Throws: `DatasetError` when the shape does not hold so many values.
    public init<Scalar: ArrayScalar>(_ values: [Scalar], shape: [Int]? = nil) throws {
        let shape = shape ?? [values.count]
        let count = try Self.elementCount(shape)
        guard count == values.count else {
            throw DatasetError(
                "\(values.count) values do not fill an array of shape \(shape): it has \(count) elements")
        }
        try self.init(shape: shape, element: Scalar.arrayElement) { bytes in
            values.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// The same elements in another shape, without a copy.
    /// - Throws: `DatasetError` when the shape does not hold as many elements.
    public func reshaped(_ shape: [Int]) throws -> NDArray {
        guard try Self.elementCount(shape) == count else {
            throw DatasetError("an array of shape \(self.shape) cannot be seen in shape \(shape)")
        }
        return NDArray(shape: shape, element: element, count: count, storage: storage)
    }

    /// An array of what is in memory already: `count`, the product of the shape, elements of this kind.
    init(shape: [Int], element: ArrayElement, count: Int, storage: Buffer) {
        (self.shape, self.element, self.count, self.storage) = (shape, element, count, storage)
    }

    /// The elements' bytes, row-major, in the machine's byte order.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeRawBufferPointer(start: storage.base, count: count * element.byteCount))
        }
    }

    /// The element at a place in row-major order, `0 ..< count`. 64-bit integers beyond 2⁵³ are rounded.
    public subscript(flat i: Int) -> Double {
        precondition(i >= 0 && i < count, "an array of \(count) elements has no element \(i)")
        return Double(i, of: storage.base, element)
    }

    /// The element at a place in row-major order where the array has integers, whole (0 or 1 for bool); nil for reals and above `Int.max`.
    public func integer(flat i: Int) -> Int? {
        precondition(i >= 0 && i < count, "an array of \(count) elements has no element \(i)")
        func element<Source: FixedWidthInteger>(_: Source.Type) -> Int? {
            withExtendedLifetime(storage) { Int(exactly: storage.base.assumingMemoryBound(to: Source.self)[i]) }
        }
        return switch self.element {
        case .f32, .f64: nil
        case .i8: element(Int8.self)
        case .i16: element(Int16.self)
        case .i32: element(Int32.self)
        case .i64: element(Int64.self)
        case .u8: element(UInt8.self)
        case .u16: element(UInt16.self)
        case .u32: element(UInt32.self)
        case .u64: element(UInt64.self)
        case .bool: Int(self[flat: i])
        }
    }

    /// The element at these indices (from 0).
    /// - Throws: `DatasetError` when their number or one of them does not fit the shape.
    public func value(at indices: [Int]) throws -> Double {
        guard indices.count == shape.count else {
            throw DatasetError("an array of shape \(shape) takes \(shape.count) indices, not \(indices.count)")
        }
        var flat = 0
        for (index, extent) in zip(indices, shape) {
            guard index >= 0, index < extent else {
                throw DatasetError("index \(indices) lies outside an array of shape \(shape)")
            }
            flat = flat * extent + index
        }
        return self[flat: flat]
    }

    /// All elements in row-major order.
    public var values: [Double] {
        [Double](unsafeUninitializedCapacity: count) { buffer, initialised in
            copy(to: buffer)
            initialised = count
        }
    }

    /// Converts all elements into the buffer, which must have room for `count`.
    public func copy(to buffer: UnsafeMutableBufferPointer<Float>) { convert(0..<count, to: buffer) }

    /// Converts all elements into the buffer, which must have room for `count`.
    public func copy(to buffer: UnsafeMutableBufferPointer<Double>) { convert(0..<count, to: buffer) }

    /// As above, asking now and then whether it is cancelled.
    func copy(asking buffer: UnsafeMutableBufferPointer<some BinaryFloatingPoint>) throws(Cancelled) {
        for stretch in (0..<count).stretches {
            try Cancellation.check()
            convert(stretch, to: buffer)
        }
    }

    private func convert<Target: BinaryFloatingPoint>(
        _ places: Range<Int>, to buffer: UnsafeMutableBufferPointer<Target>
    ) {
        precondition(buffer.count >= count, "the buffer has no room for \(count) elements")
        func from<Source>(_: Source.Type, _ converted: (Source) -> Target) {
            let source = storage.base.assumingMemoryBound(to: Source.self)
            for i in places { buffer.initializeElement(at: i, to: converted(source[i])) }
        }
        withExtendedLifetime(storage) {
            switch element {
            case .f32: from(Float.self) { Target($0) }
            case .f64: from(Double.self) { Target($0) }
            case .i8: from(Int8.self) { Target($0) }
            case .i16: from(Int16.self) { Target($0) }
            case .i32: from(Int32.self) { Target($0) }
            case .i64: from(Int64.self) { Target($0) }
            case .u8: from(UInt8.self) { Target($0) }
            case .bool: from(UInt8.self) { $0 == 0 ? 0 : 1 }
            case .u16: from(UInt16.self) { Target($0) }
            case .u32: from(UInt32.self) { Target($0) }
            case .u64: from(UInt64.self) { Target($0) }
            }
        }
    }

    /// The product of the extents.
    static func elementCount(_ shape: [Int]) throws -> Int {
        guard shape.allSatisfy({ $0 >= 0 }) else { throw DatasetError("an array cannot have the shape \(shape)") }
        if shape.contains(0) { return 0 }
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            // 8 bytes an element, so that the size in bytes is addressable too.
            guard !overflow, product <= Int.max / 8 else {
                throw DatasetError("an array of shape \(shape) has more elements than can be addressed")
            }
            count = product
        }
        return count
    }
}

extension Double {
    /// Element `i` of an array of such elements.
    fileprivate init(_ i: Int, of base: UnsafeMutableRawPointer, _ element: ArrayElement) {
        func load<Source>(_ type: Source.Type) -> Source { base.assumingMemoryBound(to: type)[i] }
        switch element {
        case .f32: self.init(load(Float.self))
        case .f64: self.init(load(Double.self))
        case .i8: self.init(load(Int8.self))
        case .i16: self.init(load(Int16.self))
        case .i32: self.init(load(Int32.self))
        case .i64: self.init(load(Int64.self))
        case .u8: self.init(load(UInt8.self))
        case .bool: self = load(UInt8.self) == 0 ? 0 : 1
        case .u16: self.init(load(UInt16.self))
        case .u32: self.init(load(UInt32.self))
        case .u64: self.init(load(UInt64.self))
        }
    }
}
