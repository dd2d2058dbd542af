import Compute
import Curvature
import Graph
import Networks
import Objectives

/// The largest eigenvalues of the empirical Fisher matrix (1/n) Σ gᵢgᵢᵀ and of the tangent kernel (1/n)JJᵀ: of their Gram
/// matrices, n × n and nK × nK for K outputs, where these are smaller than p × p and cost less than products do.
///
/// The residual is that of the matrix used; either way an eigenvalue lies within it. A product with a Gram matrix costs next to
/// nothing beside the matrix itself.
public final class GramEigenvalues: EigenvectorProbe {
    public enum Quantity: String, Sendable {
        case fisher = "fisher_max"
        case tangentKernel = "ntk_max"

        var matrix: CurvatureMatrix { self == .fisher ? .fisher : .ntk }
    }

    static let declarations = [
        declaration(
            .fisher,
            "The largest eigenvalues of the empirical Fisher matrix (1/n) Σ gᵢgᵢᵀ, gᵢ the gradient of a sample's loss."),
        declaration(
            .tangentKernel,
            "The largest eigenvalues of (1/n)JJᵀ, J the derivative of the outputs; twice it is what the EoSS code calls Fisher. [Andreyev & Beneventano 2024]"
        ),
    ]

    private static func declaration(_ quantity: Quantity, _ summary: String) -> ProbeDeclaration {
        EigenSettings.declaration(quantity.rawValue, summary) { settings, _ in
            try GramEigenvalues(quantity, settings)
        }
    }

    public let quantity: Quantity
    public let settings: EigenSettings
    public let seriesNames: [String]
    /// In the space of parameters; empty where the Gram matrix was used.
    public private(set) var vectors: [Vector] = []

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met.
    public init(_ quantity: Quantity, _ settings: EigenSettings = EigenSettings()) throws {
        try settings.check(quantity.rawValue)
        self.quantity = quantity
        self.settings = settings
        seriesNames = EigenSettings.names(quantity.rawValue, settings.k)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let isSmall = try prefersGram(run)
        let found = try naming(quantity.rawValue, run) {
            if !isSmall { return try run.largestEigenpairs(quantity.matrix, settings) }
            let question = EigenQuestion(.gram(quantity.matrix), over: settings.scope)
            return try run.eigenCache.eigenpairs(question, settings, of: run) { try gram(of: run) }
        }
        vectors = isSmall ? [] : found.vectors
        return found.measurements(at: run.step)
    }

    // MARK: - The Gram matrix

    /// A Gram matrix of more rows is not formed: 32 MiB.
    private static let mostRows = 2048
    /// Products that a solve takes, about.
    private static let usualProducts = 10.0

    /// Whether the Gram matrix exists, is smaller than the matrix and cheaper than products with that.
    func prefersGram(_ run: Run) throws -> Bool {
        let scope = settings.scope
        let oracle = try scope.oracle(of: run)
        // Samples that share statistics have no gradients of their own.
        if oracle.hasGhostBatches { return false }
        let model = run.objective.model
        let (rows, tooMany) = scope.count(of: run).multipliedReportingOverflow(
            by: quantity == .fisher ? 1 : model.outputCount)
        guard !tooMany, rows <= Self.mostRows, rows < model.layout.count, rows >= settings.k else { return false }
        // Each pair of rows: a matrix of weights takes two inner products, of its inputs and of its outputs, at each pair of
        // places of a sequence; where that is more than the matrix, as for kernels of convolutions, the gradient itself.
        let places = Double(run.objective.positionCount)
        let width = model.layout.entries.reduce(0.0) { sum, entry in
            let ends = entry.shape.count == 2 ? Double(entry.shape[0] + entry.shape[1]) : .infinity
            return sum + min(Double(entry.count), places * places * ends)
        }
        let work = Double(rows) * Double(rows) / 2 * width
        let product = try oracle.productWork(quantity.matrix, over: scope.selection(of: run))
        return work <= Self.usualProducts * product
    }

    private func gram(of run: Run) throws -> SymmetricMatrix {
        let oracle = try settings.scope.oracle(of: run)
        let selection = try settings.scope.selection(of: run)
        let entries =
            switch quantity {
            case .fisher: try oracle.gradientGram(at: run.parameters, over: selection, weighted: true)
            case .tangentKernel: try oracle.jacobianGram(at: run.parameters, over: selection, weighted: true)
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
