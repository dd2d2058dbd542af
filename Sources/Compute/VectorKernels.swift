import CKernels
import Graph

/// The C kernels on blocks of vectors, for either element. All vectors of a call have one count and one element; the
/// caller has checked that, and has made unique what is written.
enum VectorKernels {
    /// The matrix ⟨xᵢ, yⱼ⟩, column after column.
    static func dots(_ x: [Vector], _ y: [Vector]) -> [Double] {
        var out = [Double](repeating: 0, count: x.count * y.count)
        guard let first = x.first, !y.isEmpty else { return out }
        switch first.element {
        case .f32: withPointers(x, y) { Float.dots(first.count, $0, $1, &out) }
        default: withPointers(x, y) { Double.dots(first.count, $0, $1, &out) }
        }
        return out
    }

    /// yⱼ ← keep·yⱼ + Σᵢ cᵢⱼ xᵢ, with c column after column. A y may be an x only if it is the only one.
    static func combine(_ x: [Vector], _ c: [Double], keep: Double, into y: [Vector]) {
        guard let first = y.first else { return }
        switch first.element {
        case .f32: withPointers(x, y) { Float.combine(first.count, $0, c, keep, $1) }
        default: withPointers(x, y) { Double.combine(first.count, $0, c, keep, $1) }
        }
    }

    /// yⱼ ← yⱼ − Σᵢ cᵢⱼ xᵢ, then the matrix ⟨xᵢ, yⱼ⟩: one pass over the x.
    static func project(_ x: [Vector], _ c: [Double], outOf y: [Vector]) -> [Double] {
        var out = [Double](repeating: 0, count: x.count * y.count)
        guard let first = y.first, !x.isEmpty else { return out }
        switch first.element {
        case .f32: withPointers(x, y) { Float.project(first.count, $0, c, $1, &out) }
        default: withPointers(x, y) { Double.project(first.count, $0, c, $1, &out) }
        }
        return out
    }

    private static func withPointers<Real>(
        _ x: [Vector], _ y: [Vector], _ body: ([UnsafePointer<Real>?], [UnsafeMutablePointer<Real>?]) -> Void
    ) {
        body(x.map { UnsafePointer($0.pointer(Real.self)) }, y.map { $0.pointer(Real.self) })
        withExtendedLifetime((x, y)) {}
    }
}

/// Each element with its kernels; the arguments are those of the C functions in `vector.h`.
protocol VectorReal {
    typealias Read = [UnsafePointer<Self>?]
    typealias Write = [UnsafeMutablePointer<Self>?]
    static func dots(_ n: Int, _ x: Read, _ y: Write, _ out: inout [Double])
    static func combine(_ n: Int, _ x: Read, _ c: [Double], _ keep: Double, _ y: Write)
    static func project(_ n: Int, _ x: Read, _ c: [Double], _ y: Write, _ out: inout [Double])
}

extension Float: VectorReal {
    static func dots(_ n: Int, _ x: Read, _ y: Write, _ out: inout [Double]) {
        let y = y.map { UnsafePointer($0) }
        eoss_vector_kernels_best().pointee.dots_f32(n, x, x.count, y, y.count, &out)
    }
    static func combine(_ n: Int, _ x: Read, _ c: [Double], _ keep: Double, _ y: Write) {
        eoss_vector_kernels_best().pointee.combine_f32(n, x, x.count, c, keep, y, y.count)
    }
    static func project(_ n: Int, _ x: Read, _ c: [Double], _ y: Write, _ out: inout [Double]) {
        eoss_vector_kernels_best().pointee.project_f32(n, x, x.count, c, y, y.count, &out)
    }
}

extension Double: VectorReal {
    static func dots(_ n: Int, _ x: Read, _ y: Write, _ out: inout [Double]) {
        let y = y.map { UnsafePointer($0) }
        eoss_vector_kernels_best().pointee.dots_f64(n, x, x.count, y, y.count, &out)
    }
    static func combine(_ n: Int, _ x: Read, _ c: [Double], _ keep: Double, _ y: Write) {
        eoss_vector_kernels_best().pointee.combine_f64(n, x, x.count, c, keep, y, y.count)
    }
    static func project(_ n: Int, _ x: Read, _ c: [Double], _ y: Write, _ out: inout [Double]) {
        eoss_vector_kernels_best().pointee.project_f64(n, x, x.count, c, y, y.count, &out)
    }
}
