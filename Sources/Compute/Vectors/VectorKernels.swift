import CKernels
import Graph

/// The C kernels on blocks of vectors, for either element, over the threads of the current engine. All vectors of a call
/// have one count and one element; the caller has checked that, and has made unique what is written.
enum VectorKernels {
    /// The matrix ⟨xᵢ, yⱼ⟩, column after column.
    static func dots(_ x: [Vector], _ y: [Vector]) -> [Double] {
        run(CK_VECTORS_DOTS, x, [], keep: 0, y)
    }

    /// yⱼ ← keep·yⱼ + Σᵢ cᵢⱼ xᵢ, with c column after column. A y may be an x only if it is the only one.
    static func combine(_ x: [Vector], _ c: [Double], keep: Double, into y: [Vector]) {
        _ = run(CK_VECTORS_COMBINE, x, c, keep: keep, y)
    }

    /// yⱼ ← yⱼ − Σᵢ cᵢⱼ xᵢ, then the matrix ⟨xᵢ, yⱼ⟩: one pass over the x.
    static func project(_ x: [Vector], _ c: [Double], outOf y: [Vector]) -> [Double] {
        run(CK_VECTORS_PROJECT, x, c, keep: 0, y)
    }

    private static func run(
        _ operation: ck_vectors_operation, _ x: [Vector], _ c: [Double], keep: Double, _ y: [Vector]
    ) -> [Double] {
        let sumCount = operation == CK_VECTORS_COMBINE ? 0 : x.count * y.count
        guard let first = y.first, sumCount > 0 || operation == CK_VECTORS_COMBINE else { return [] }
        let tiles = Int(ck_vectors_tiles(Int64(first.count)))
        let from = x.map { UnsafeRawPointer?($0.start) }
        let to = y.map { UnsafeMutableRawPointer?($0.start) }
        var sums = [Double](repeating: 0, count: sumCount * tiles)
        var pointers = [UnsafeMutableRawPointer?](repeating: nil, count: (x.count + y.count) * tiles)
        from.withUnsafeBufferPointer { from in
            to.withUnsafeBufferPointer { to in
                c.withUnsafeBufferPointer { c in
                    sums.withUnsafeMutableBufferPointer { sums in
                        pointers.withUnsafeMutableBufferPointer { pointers in
                            var work = ck_vectors(
                                n: Int64(first.count), xs: Int64(x.count), ys: Int64(y.count), x: from.baseAddress,
                                y: to.baseAddress, c: c.baseAddress, keep: keep,
                                sums: sumCount > 0 ? sums.baseAddress : nil, pointers: pointers.baseAddress, tile: 0)
                            Engine.current.run(operation, on: &work, element: first.element)
                        }
                    }
                }
            }
        }
        withExtendedLifetime((x, y)) {}
        return sums.count == sumCount ? sums : Array(sums.prefix(sumCount))
    }
}
