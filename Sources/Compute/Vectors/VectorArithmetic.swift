import Graph

extension Vector {
    /// ⟨self, other⟩.
    ///
    /// - Throws: ``VectorError`` if counts or elements differ.
    public func dot(_ other: Vector) throws -> Double {
        try check(other)
        return VectorKernels.dots([self], [other])[0]
    }

    /// ‖self‖². Infinite or nan if an element is, and when the sum leaves the range of f64.
    public var squaredNorm: Double { VectorKernels.dots([self], [self])[0] }

    /// ‖self‖, the Euclidean norm; exact to rounding also where the squares leave the range of f64.
    public func norm() -> Double {
        let square = squaredNorm
        // Outside of these bounds squares of single elements may have overflowed or lost digits.
        if square > 1e-200 && square < .infinity || square.isNaN { return square.squareRoot() }
        var largest = 0.0
        for i in 0..<count { largest = Swift.max(largest, abs(self[i])) }
        guard largest > 0, largest < .infinity else { return largest }
        var sum = 0.0
        for i in 0..<count {
            let ratio = self[i] / largest
            sum += ratio * ratio
        }
        return largest * sum.squareRoot()
    }

    /// Whether no element is infinite or nan.
    public var isFinite: Bool {
        if squaredNorm.isFinite { return true }
        return (0..<count).allSatisfy { self[$0].isFinite }
    }

    /// self ← self + a·x, rounded once an element.
    ///
    /// - Throws: ``VectorError`` if counts or elements differ; ``MemoryError`` if a copy is needed and does not fit.
    public mutating func add(_ a: Double, _ x: Vector) throws {
        try check(x)
        try makeUnique()
        VectorKernels.combine([x], [a], keep: 1, into: [self])
    }

    /// self ← a·self.
    ///
    /// - Throws: ``MemoryError`` if a copy is needed and does not fit.
    public mutating func scale(_ a: Double) throws {
        try makeUnique()
        if a == 0 {
            // The kernel does not read what it keeps zero times, and 0·∞ is nan here as everywhere.
            VectorKernels.combine([self], [0], keep: 0, into: [self])
        } else {
            VectorKernels.combine([], [], keep: a, into: [self])
        }
    }

    /// The sum of two vectors.
    ///
    /// - Throws: ``VectorError`` if counts or elements differ; ``MemoryError``.
    public static func + (x: Vector, y: Vector) throws -> Vector { try sum(1, x, 1, y) }

    /// The difference of two vectors.
    ///
    /// - Throws: ``VectorError`` if counts or elements differ; ``MemoryError``.
    public static func - (x: Vector, y: Vector) throws -> Vector { try sum(1, x, -1, y) }

    /// The vector with every element negated.
    public static prefix func - (x: Vector) throws -> Vector { try -1 * x }

    /// a·x.
    public static func * (a: Double, x: Vector) throws -> Vector {
        let result = try x.uninitializedLike()
        VectorKernels.combine([x], [a], keep: 0, into: [result])
        return result
    }

    /// a·x.
    public static func * (x: Vector, a: Double) throws -> Vector { try a * x }

    /// x/a, each element divided and rounded once.
    public static func / (x: Vector, a: Double) throws -> Vector {
        let result = try x.uninitializedLike()
        if x.element == .f32 {
            let (from, to) = (x.pointer(Float.self), result.pointer(Float.self))
            for i in 0..<x.count { to[i] = Float(Double(from[i]) / a) }
        } else {
            let (from, to) = (x.pointer(Double.self), result.pointer(Double.self))
            for i in 0..<x.count { to[i] = from[i] / a }
        }
        withExtendedLifetime(x) {}
        return result
    }

    /// Throws unless `other` lives in the same space in the same element.
    func check(_ other: Vector) throws {
        if count != other.count { throw VectorError.differentCounts(count, other.count) }
        if element != other.element { throw VectorError.differentElements(element, other.element) }
    }

    private static func sum(_ a: Double, _ x: Vector, _ b: Double, _ y: Vector) throws -> Vector {
        try x.check(y)
        let result = try x.uninitializedLike()
        VectorKernels.combine([x, y], [a, b], keep: 0, into: [result])
        return result
    }
}
