import Compute
import Curvature
import Graph
import Networks
import Objectives

/// The Gram matrix of the samples' gradients or Jacobians over n, n × n or nK × nK for K outputs: it has the eigenvalues of the empirical
/// Fisher matrix (1/n) Σ gᵢgᵢᵀ, or of the tangent kernel. A product with it costs next to nothing beside the matrix itself.
struct GramMatrix {
    enum Rows {
        case gradients, jacobians

        /// The matrix on the parameters with the same eigenvalues.
        var matrix: CurvatureMatrix { self == .gradients ? .fisher : .ntk }
    }

    let rows: Rows
    let settings: EigenSettings

    init(_ rows: Rows, _ settings: EigenSettings) { (self.rows, self.settings) = (rows, settings) }

    /// Its largest eigenpairs, whose vectors are none of the parameters' space.
    func eigenpairs(of run: Run) throws -> FoundEigenpairs {
        let question = EigenQuestion(.gram(rows.matrix), over: settings.scope)
        return try run.eigenCache.eigenpairs(question, settings, of: run) { try entries(for: run) }
    }

    /// A Gram matrix of more rows is not formed: 32 MiB.
    private static let mostRows = 2048
    /// Products that a solve takes, about.
    private static let usualProducts = 10.0

    /// Whether it exists, is smaller than the matrix on the parameters and cheaper than products with that.
    func isPreferred(for run: Run) throws -> Bool {
        let scope = settings.scope
        let oracle = try scope.oracle(of: run)
        // Samples that share statistics have no gradients of their own.
        if oracle.hasGhostBatches { return false }
        let model = run.objective.model
        let (count, tooMany) = scope.count(of: run).multipliedReportingOverflow(
            by: rows == .gradients ? 1 : model.outputCount)
        guard !tooMany, count <= Self.mostRows, count < model.layout.count, count >= settings.k else { return false }
        // Each pair of rows: a matrix of weights takes two inner products, of its inputs and of its outputs, at each pair of
        // places of a sequence; where that is more than the matrix, as for kernels of convolutions, the gradient itself.
        let places = Double(run.objective.positionCount)
        let width = model.layout.entries.reduce(0.0) { sum, entry in
            let ends = entry.shape.count == 2 ? Double(entry.shape[0] + entry.shape[1]) : .infinity
            return sum + min(Double(entry.count), places * places * ends)
        }
        let work = Double(count) * Double(count) / 2 * width
        let product = try oracle.productWork(rows.matrix, over: scope.selection(of: run))
        return work <= Self.usualProducts * product
    }

    private func entries(for run: Run) throws -> SymmetricMatrix {
        let oracle = try settings.scope.oracle(of: run)
        let selection = try settings.scope.selection(of: run)
        let entries =
            switch rows {
            case .gradients: try oracle.gradientGram(at: run.parameters, over: selection, weighted: true)
            case .jacobians: try oracle.jacobianGram(at: run.parameters, over: selection, weighted: true)
            }
        guard entries.allSatisfy(\.isFinite) else {
            throw CurvatureError.notFinite(what: "the Gram matrix of the samples")
        }
        return SymmetricMatrix(entries) { run.count(operations: Double(entries.count)) }
    }
}

/// A symmetric matrix that is written out, in f64.
private struct SymmetricMatrix: LinearOperator {
    let dimension: Int
    let element = ElementType.f64
    private let entries: [Double]
    private let multiplied: () -> Void

    /// - Parameters:
    ///   - entries: row by row.
    ///   - multiplied: called at each product.
    init(_ entries: [Double], multiplied: @escaping () -> Void) {
        dimension = Int(Double(entries.count).squareRoot().rounded())
        self.entries = entries
        self.multiplied = multiplied
    }

    func apply(_ v: Vector) throws -> Vector {
        guard v.count == dimension else { throw CurvatureError.wrongDimension(expected: dimension, got: v.count) }
        multiplied()
        var result = try Vector(uninitialized: dimension, element: .f64)
        try result.withUnsafeMutableBytes { to in
            v.withUnsafeBytes { from in
                entries.withUnsafeBufferPointer { rows in
                    let (to, from) = (to.bindMemory(to: Double.self), from.bindMemory(to: Double.self))
                    for i in 0..<dimension {
                        var sum = 0.0
                        for j in 0..<dimension { sum += rows[i * dimension + j] * from[j] }
                        to[i] = sum
                    }
                }
            }
        }
        return result
    }
}
