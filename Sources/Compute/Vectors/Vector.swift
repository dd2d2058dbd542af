import Graph

/// A point or a direction in parameter space: `count` real numbers, f32 or f64, contiguous and aligned.
///
/// A value: copies are cheap and independent (the memory is shared until one of them is written). Memory comes from a
/// ``MemoryAccount``, so whatever may have to make or copy a vector throws. Sums (``dot(_:)``, ``norm()``) accumulate in
/// f64 by a fixed summation tree: the same bits always, on every CPU.
public struct Vector: Sendable {
    /// `.f32` or `.f64`.
    public let element: ElementType
    /// The number of elements.
    public let count: Int

    private var buffer: Buffer
    private let account: MemoryAccount

    /// A vector with undefined contents, to be filled by ``withUnsafeMutableBytes(_:)``.
    ///
    /// - Throws: ``VectorError`` if `element` is not a real number, ``MemoryError`` if it does not fit.
    public init(
        uninitialized count: Int, element: ElementType, account: MemoryAccount = .shared, for what: String = "a vector"
    ) throws {
        guard element.isFloating else { throw VectorError.notReal(element) }
        self.buffer = try account.allocate(count: count, stride: element.byteCount, for: what)
        self.element = element
        self.count = count
        self.account = account
    }

    /// The zero vector.
    ///
    /// - Throws: as ``init(uninitialized:element:account:for:)``.
    public init(
        zeros count: Int, element: ElementType, account: MemoryAccount = .shared, for what: String = "a vector"
    ) throws {
        try self.init(uninitialized: count, element: element, account: account, for: what)
        buffer.base.initializeMemory(as: UInt8.self, repeating: 0, count: buffer.byteCount)
    }

    /// The vector of these values, rounded to `element`.
    ///
    /// - Throws: as ``init(uninitialized:element:account:for:)``.
    public init(_ values: [Double], element: ElementType, account: MemoryAccount = .shared) throws {
        try self.init(uninitialized: values.count, element: element, account: account)
        for (i, value) in values.enumerated() { store(value, at: i) }
    }

    /// The vector stored in these bytes, `element` after `element` in the machine's byte order; they are copied.
    ///
    /// - Throws: ``VectorError`` if the bytes are not a whole number of elements; otherwise as
    ///   ``init(uninitialized:element:account:for:)``.
    public init(
        copying bytes: UnsafeRawBufferPointer, element: ElementType, account: MemoryAccount = .shared,
        for what: String = "a vector"
    ) throws {
        guard bytes.count % element.byteCount == 0 else {
            throw VectorError.partialElement(bytes: bytes.count, element: element)
        }
        let count = bytes.count / element.byteCount
        try self.init(uninitialized: count, element: element, account: account, for: what)
        UnsafeMutableRawBufferPointer(start: buffer.base, count: bytes.count).copyMemory(from: bytes)
    }

    /// Element `i`, counted from 0.
    ///
    /// A setter cannot throw: where it has to copy shared memory and the account refuses, it stops the program. For
    /// many elements, and where the size comes from a script, use ``withUnsafeMutableBytes(_:)``.
    public subscript(i: Int) -> Double {
        get {
            precondition(i >= 0 && i < count, "index \(i) of a vector of \(count) elements")
            return element == .f32 ? Double(pointer(Float.self)[i]) : pointer(Double.self)[i]
        }
        set {
            precondition(i >= 0 && i < count, "index \(i) of a vector of \(count) elements")
            do { try makeUnique() } catch { preconditionFailure("\(error)") }
            store(newValue, at: i)
        }
    }

    /// All elements, in an array that no account counts.
    public var values: [Double] {
        element == .f32
            ? (0..<count).map { Double(pointer(Float.self)[$0]) } : Array(start(Double.self))
    }

    /// The same vector in another element, rounded to nearest where that is narrower.
    ///
    /// - Throws: as ``init(uninitialized:element:account:for:)``.
    public func converted(to other: ElementType) throws -> Vector {
        if other == element { return self }
        let result = try Vector(uninitialized: count, element: other, account: account)
        if other == .f32 {
            for i in 0..<count { result.pointer(Float.self)[i] = Float(pointer(Double.self)[i]) }
        } else {
            for i in 0..<count { result.pointer(Double.self)[i] = Double(pointer(Float.self)[i]) }
        }
        return result
    }

    /// The elements as bytes, to read; valid inside `body` only.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(buffer) {} }
        return try body(UnsafeRawBufferPointer(start: buffer.base, count: buffer.byteCount))
    }

    /// The elements as bytes, to read and write; valid inside `body` only.
    ///
    /// - Throws: ``MemoryError`` if the memory is shared and a copy of it does not fit; what `body` throws.
    public mutating func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        try makeUnique()
        defer { withExtendedLifetime(buffer) {} }
        return try body(UnsafeMutableRawBufferPointer(start: buffer.base, count: buffer.byteCount))
    }

    /// Where each vector of a block begins, to read; valid inside `body` only.
    public static func withUnsafeBytes<Result>(
        of block: [Vector], _ body: ([UnsafeRawPointer]) throws -> Result
    ) rethrows -> Result {
        defer { withExtendedLifetime(block) {} }
        return try body(block.map { UnsafeRawPointer($0.buffer.base) })
    }

    /// Where each vector of a block begins, to read and write; valid inside `body` only.
    ///
    /// - Throws: ``MemoryError`` if memory is shared and a copy of it does not fit; what `body` throws.
    public static func withUnsafeMutableBytes<Result>(
        of block: inout [Vector], _ body: ([UnsafeMutableRawPointer]) throws -> Result
    ) throws -> Result {
        for index in block.indices { try block[index].makeUnique() }
        defer { withExtendedLifetime(block) {} }
        return try body(block.map(\.buffer.base))
    }

    /// Makes the memory this vector's own, copying it where it is shared.
    ///
    /// - Throws: ``MemoryError`` if the copy does not fit.
    public mutating func makeUnique() throws {
        if isKnownUniquelyReferenced(&buffer) { return }
        let copy = try account.allocate(bytes: buffer.byteCount, for: "a copy of a vector")
        copy.base.copyMemory(from: buffer.base, byteCount: buffer.byteCount)
        buffer = copy
    }

    /// A vector of the same count, element and account with undefined contents.
    func uninitializedLike() throws -> Vector {
        try Vector(uninitialized: count, element: element, account: account)
    }

    /// The first byte; as ``pointer(_:)``.
    var start: UnsafeMutableRawPointer { buffer.base }

    /// The first element, as the kernels want it. The caller keeps the vector alive, and makes it unique to write.
    func pointer<Real>(_: Real.Type) -> UnsafeMutablePointer<Real> {
        buffer.base.assumingMemoryBound(to: Real.self)
    }

    private func start<Real>(_: Real.Type) -> UnsafeBufferPointer<Real> {
        UnsafeBufferPointer(start: pointer(Real.self), count: count)
    }

    private func store(_ value: Double, at i: Int) {
        if element == .f32 { pointer(Float.self)[i] = Float(value) } else { pointer(Double.self)[i] = value }
    }
}

extension Vector: Equatable {
    /// Whether count, element and all values are equal, as floating-point numbers are: 0 equals −0, nan nothing.
    public static func == (a: Vector, b: Vector) -> Bool {
        guard a.count == b.count, a.element == b.element else { return false }
        return a.element == .f32
            ? a.start(Float.self).elementsEqual(b.start(Float.self))
            : a.start(Double.self).elementsEqual(b.start(Double.self))
    }

    /// Whether both have the same element and the same bits.
    public func hasSameBits(as other: Vector) -> Bool {
        element == other.element
            && withUnsafeBytes { mine in other.withUnsafeBytes { mine.elementsEqual($0) } }
    }
}

extension Vector: CustomStringConvertible {
    /// `f32 vector of 784 elements: 0.25 0.5 …`
    public var description: String {
        let shown = (0..<Swift.min(count, 4)).map { "\(self[$0])" } + (count > 4 ? ["…"] : [])
        return "\(element.rawValue) vector of \(count) elements: \(shown.joined(separator: " "))"
    }
}

/// A vector is a collection of its elements.
extension Vector: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
}

/// What is wrong with the vectors handed to an operation.
public enum VectorError: Error, Equatable, CustomStringConvertible {
    case differentCounts(Int, Int)
    case differentElements(ElementType, ElementType)
    case notReal(ElementType)
    case partialElement(bytes: Int, element: ElementType)
    /// A block of vectors and a matrix of coefficients that do not fit together.
    case differentBlocks(rows: Int, vectors: Int)

    public var description: String {
        switch self {
        case .differentCounts(let a, let b):
            return "vectors of different sizes: \(a) and \(b) elements"
        case .differentElements(let a, let b):
            return "vectors of different elements: \(a.rawValue) and \(b.rawValue); convert one of them"
        case .notReal(let element):
            return "a vector holds f32 or f64, not \(element.rawValue)"
        case .partialElement(let bytes, let element):
            return "\(bytes) bytes are not a whole number of \(element.rawValue) elements"
        case .differentBlocks(let rows, let vectors):
            return "a matrix with \(rows) rows cannot combine \(vectors) vectors"
        }
    }
}
