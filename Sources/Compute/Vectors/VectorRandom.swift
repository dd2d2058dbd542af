import Graph

extension Vector {
    /// A vector of independent standard normal numbers, the next `count` of `stream`.
    ///
    /// - Throws: ``VectorError`` if `element` is not a real number, ``MemoryError`` if it does not fit.
    public static func randomNormal(
        count: Int, element: ElementType, stream: inout RandomStream, account: MemoryAccount = .shared
    ) throws -> Vector {
        let result = try Vector(uninitialized: count, element: element, account: account)
        if element == .f32 {
            stream.fillNormal(UnsafeMutableBufferPointer(start: result.pointer(Float.self), count: count))
        } else {
            stream.fillNormal(UnsafeMutableBufferPointer(start: result.pointer(Double.self), count: count))
        }
        return result
    }

    /// A vector of independent random signs ±1 (a Rademacher vector), the next `count` of `stream`.
    ///
    /// - Throws: as ``randomNormal(count:element:stream:account:)``.
    public static func rademacher(
        count: Int, element: ElementType, stream: inout RandomStream, account: MemoryAccount = .shared
    ) throws -> Vector {
        let result = try Vector(uninitialized: count, element: element, account: account)
        if element == .f32 {
            let to = result.pointer(Float.self)
            for i in 0..<count { to[i] = Float(stream.sign()) }
        } else {
            let to = result.pointer(Double.self)
            for i in 0..<count { to[i] = stream.sign() }
        }
        return result
    }
}
