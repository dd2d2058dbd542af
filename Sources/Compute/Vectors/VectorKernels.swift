import CKernels
import Graph

/// The C kernels on blocks of vectors, for either element, over the threads of the shared engine. All vectors of a call
/// have one count and one element; the caller has checked that, and has made unique what is written.
enum VectorKernels {
    /// The matrix ⟨xᵢ, yⱼ⟩, column after column.
    static func dots(_ x: [Vector], _ y: [Vector]) -> [Double] {
        run(EOSS_VECTOR_DOTS, x, [], keep: 0, y)
    }

    /// yⱼ ← keep·yⱼ + Σᵢ cᵢⱼ xᵢ, with c column after column. A y may be an x only if it is the only one.
    static func combine(_ x: [Vector], _ c: [Double], keep: Double, into y: [Vector]) {
        _ = run(EOSS_VECTOR_COMBINE, x, c, keep: keep, y)
    }

    /// yⱼ ← yⱼ − Σᵢ cᵢⱼ xᵢ, then the matrix ⟨xᵢ, yⱼ⟩: one pass over the x.
    static func project(_ x: [Vector], _ c: [Double], outOf y: [Vector]) -> [Double] {
        run(EOSS_VECTOR_PROJECT, x, c, keep: 0, y)
    }

    private static func run(
        _ operation: eoss_vector_operation, _ x: [Vector], _ c: [Double], keep: Double, _ y: [Vector]
    ) -> [Double] {
        let hasResult = operation != EOSS_VECTOR_COMBINE
        var out = [Double](repeating: 0, count: hasResult ? x.count * y.count : 0)
        guard let first = y.first, !(hasResult && x.isEmpty) else { return out }
        let tiles = eoss_vector_tiles(first.count)
        var partial = [Double](repeating: 0, count: out.count * tiles)
        var pointers = [UnsafeMutableRawPointer?](repeating: nil, count: (x.count + y.count) * tiles)
        let from = x.map { UnsafeRawPointer?($0.start) }
        let to = y.map { UnsafeMutableRawPointer?($0.start) }
        from.withUnsafeBufferPointer { from in
            to.withUnsafeBufferPointer { to in
                c.withUnsafeBufferPointer { c in
                    out.withUnsafeMutableBufferPointer { out in
                        partial.withUnsafeMutableBufferPointer { partial in
                            pointers.withUnsafeMutableBufferPointer { pointers in
                                var work = eoss_vector_work(
                                    operation: Int32(operation.rawValue),
                                    element: Int32((first.element == .f32 ? CK_F32 : CK_F64).rawValue),
                                    n: first.count, xs: x.count, ys: y.count, x: from.baseAddress, y: to.baseAddress,
                                    c: c.baseAddress, keep: keep, out: out.baseAddress,
                                    partial: hasResult ? partial.baseAddress : nil, pointers: pointers.baseAddress)
                                eoss_vector_run(&work, Engine.shared.pool)
                            }
                        }
                    }
                }
            }
        }
        withExtendedLifetime((x, y)) {}
        return out
    }
}
