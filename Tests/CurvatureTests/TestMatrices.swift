import Compute
import Graph

@testable import Curvature

/// QΛQᵀ for a product Q of Householder reflections: a matrix with these eigenvalues whose eigenvectors are nothing
/// special, of any dimension. Counts its products.
final class KnownSpectrum: LinearOperator {
    let eigenvalues: [Double]
    let element: ElementType
    private let mirrors: [Vector]
    private(set) var products = 0

    var dimension: Int { eigenvalues.count }

    init(_ eigenvalues: [Double], element: ElementType = .f64, reflections: Int = 2, seed: UInt64 = 1) throws {
        self.eigenvalues = eigenvalues
        self.element = element
        var stream = RandomStream(seed: seed, purpose: .vector, index: 1000)
        mirrors = try (0..<reflections).map { _ in
            let v = try Vector.randomNormal(count: eigenvalues.count, element: .f64, stream: &stream)
            return try v / v.norm()
        }
    }

    func apply(_ v: Vector) throws -> Vector {
        products += 1
        var x = try v.converted(to: .f64)
        for u in mirrors { try x.add(-2 * u.dot(x), u) }
        try x.withUnsafeMutableBytes { bytes in
            let values = bytes.bindMemory(to: Double.self)
            for i in values.indices { values[i] *= eigenvalues[i] }
        }
        for u in mirrors.reversed() { try x.add(-2 * u.dot(x), u) }
        return try x.converted(to: element)
    }

    /// The eigenvector of `eigenvalues[i]`.
    func eigenvector(_ i: Int) throws -> Vector {
        var x = try Vector(zeros: dimension, element: .f64)
        x[i] = 1
        for u in mirrors.reversed() { try x.add(-2 * u.dot(x), u) }
        return try x.converted(to: element)
    }
}

/// A dense symmetric matrix as an operator.
struct DenseOperator: LinearOperator {
    let matrix: DenseMatrix
    var element: ElementType = .f64
    var dimension: Int { matrix.rows }

    func apply(_ v: Vector) throws -> Vector {
        let x = v.values
        let y = (0..<dimension).map { i in (0..<dimension).reduce(0) { $0 + matrix[i, $1] * x[$1] } }
        return try Vector(y, element: element)
    }
}

/// A random symmetric matrix with entries of order 1.
func randomSymmetric(_ n: Int, seed: UInt64) -> DenseMatrix {
    var stream = RandomStream(seed: seed, purpose: .vector, index: 2000)
    var result = DenseMatrix(zeros: n, n)
    for i in 0..<n {
        for j in 0...i {
            result[i, j] = stream.normal()
            result[j, i] = result[i, j]
        }
    }
    return result
}

/// ‖Av − λv‖ with the operator's own product.
func trueResidual(_ matrix: some LinearOperator, _ value: Double, _ vector: Vector) throws -> Double {
    var r = try matrix.apply(vector)
    try r.add(-value, vector)
    return r.norm()
}

/// What the Hessian of a network looks like: outliers, a bulk that decays towards 0, and some negative eigenvalues.
func networkSpectrum(_ p: Int, outliers: [Double], bulk: Double = 0.3, negative: Double = -0.1) -> [Double] {
    (0..<p).map { i in
        if i < outliers.count { return outliers[i] }
        let j = i - outliers.count
        let decay = Double(1 + j / 2)
        return j % 2 == 0 ? bulk * outliers[0] / decay : negative * outliers[0] / decay
    }
}
