import Compute
import Foundation
import Graph
import Objectives

/// The density of eigenvalues of an operator, as quadrature rules of random vectors.
///
/// Each vector v gives a probability measure Σⱼ wⱼ δ(λ − θⱼ), whose moments of degree up to 2m − 1 are vᵀAᵏv/‖v‖²; their
/// mean over v is that of the eigenvalues, (1/p) tr Aᵏ. The standard errors come from the moments themselves and from the scatter
/// between vectors, see ``mean(of:)``.
public struct SpectralDensity: Sendable {
    /// θⱼ, ascending, one array a vector: Ritz values.
    public let nodes: [[Double]]
    /// wⱼ ≥ 0, of sum 1.
    public let weights: [[Double]]
    /// What each Ritz value is certain to: ‖Ay − θy‖ for its vector y. An eigenvalue lies within this of θ.
    public let residuals: [[Double]]
    /// The dimension p of the operator.
    public let dimension: Int
    /// Whether the nodes are all eigenvalues, of a dense matrix: nothing is sampled then.
    public let isExact: Bool
    /// Matrix–vector products used.
    public let products: Int
    /// Wall-clock time, seconds.
    public let seconds: Double
    /// False where it was cancelled: rules of fewer nodes, or of fewer vectors, than were asked for.
    public let isFinished: Bool

    public init(
        nodes: [[Double]], weights: [[Double]], residuals: [[Double]], dimension: Int, isExact: Bool, products: Int,
        seconds: Double, isFinished: Bool = true
    ) {
        self.nodes = nodes
        self.weights = weights
        self.residuals = residuals
        self.dimension = dimension
        self.isExact = isExact
        self.products = products
        self.seconds = seconds
        self.isFinished = isFinished
    }

    /// The smallest and the largest node: for a few tens of steps the ends of the spectrum, to about 1 %.
    public var support: (lower: Double, upper: Double) {
        (nodes.joined().min() ?? 0, nodes.joined().max() ?? 0)
    }

    /// The standard deviation of the Gaussian that a node is drawn as, unless given: the mean distance of nodes.
    public var defaultWidth: Double {
        let (lower, upper) = support
        let span = upper - lower
        let size = max(abs(lower), abs(upper))
        // A single eigenvalue is a peak: of any width that shows.
        return span > 1e-6 * size ? span / Double(max(2, nodes.first?.count ?? 2)) : (size > 0 ? 0.01 * size : 0.01)
    }

    /// The density at each point, each node drawn as a Gaussian. Over all numbers it integrates to 1.
    ///
    /// - Parameter width: standard deviation of the Gaussian, in units of eigenvalues; by default ``defaultWidth``.
    /// - Throws: ``CurvatureError`` for a width that is not positive.
    public func density(at points: [Double], width: Double? = nil) throws -> (
        values: [Double], standardErrors: [Double]
    ) {
        let width = width ?? defaultWidth
        guard width > 0, width.isFinite else {
            throw CurvatureError.badSetting("the width of a density must be positive, not \(width)")
        }
        let height = 1 / (width * (2 * Double.pi).squareRoot())
        let estimates = points.map { x in
            mean(of: { theta in
                let z = (x - theta) / width
                return height * exp(-z * z / 2)
            })
        }
        return (estimates.map(\.value), estimates.map(\.standardError))
    }

    /// (1/p) tr Aᵏ.
    public func moment(_ k: Int) -> Estimate {
        // The quadrature of each vector is exact in Aᵏ and in its square, so what scatters is the vectors alone.
        let fewest = nodes.map(\.count).min() ?? 0
        return mean(of: { pow($0, Double(k)) }, isQuadratureExact: k < fewest)
    }

    /// (1/p) tr f(A), by the quadrature: exact in f of degree up to 2m − 1, but for the scatter of the vectors.
    ///
    /// For a vector v uniform on the sphere vᵀf(A)v has the variance 2/(p + 2) times that of f over the eigenvalues, which the
    /// quadrature gives too; from few vectors it is known far better than from the scatter of their values. Where the quadrature
    /// is not exact, nodes lie elsewhere for each vector, and the scatter is the larger one: the larger one counts.
    public func mean(of f: (Double) -> Double) -> Estimate { mean(of: f, isQuadratureExact: false) }

    private func mean(of f: (Double) -> Double, isQuadratureExact: Bool) -> Estimate {
        let shares = zip(nodes, weights).map { nodes, weights in zip(nodes, weights).map { (value: f($0), weight: $1) }
        }
        let values = shares.map { $0.reduce(0) { $0 + $1.weight * $1.value } }
        let summary = MonteCarlo.Summary(mean: values)
        let sphere = SphereMoments(shares, mean: summary.value, dimension: dimension)
        let error = isQuadratureExact || !(summary.error > sphere.error) ? sphere.error : summary.error
        return Estimate(
            value: summary.value, standardError: isExact ? 0 : error, samples: values.count, products: products,
            seconds: seconds, degreesOfFreedom: error == sphere.error ? sphere.degrees : summary.degrees,
            isFinished: isFinished)
    }
}

/// The error of the mean of vᵀf(A)v over few vectors v that are uniform on the sphere, from the distribution of f over the
/// eigenvalues that they show.
struct SphereMoments {
    let error: Double
    /// On how many independent deviations it rests.
    let degrees: Int

    /// - Parameters:
    ///   - shares: for each vector the values of f and the weights of its quadrature.
    ///   - mean: that of all.
    init(_ shares: [[(value: Double, weight: Double)]], mean: Double, dimension: Int) {
        let (n, p) = (Double(shares.count), Double(dimension))
        // In units of the largest deviation, whose fourth power may leave the range of Double.
        let unit = shares.joined().reduce(0) { max($0, abs($1.value - mean)) }
        guard unit > 0, unit.isFinite else {
            (error, degrees) = (unit == 0 ? 0 : .nan, shares.count - 1)
            return
        }
        var (second, fourth) = (0.0, 0.0)
        for (value, weight) in shares.joined() {
            let deviation = (value - mean) / unit
            let square = deviation * deviation
            second += weight * square / n
            fourth += weight * square * square / n
        }
        // The variance is an estimate of the same kind, with relative variance 2/ν: of one outlier ν = n, of r like ones rn. The
        // share 1/ν is what makes the error right in the mean square also then: of r = 1, 2 and 5 outliers and 1 to 10
        // vectors the true error is 0.56 to 1.02 of it, without that share 1 to 3 times and, of one vector, any multiple.
        let freedom = n * (p + 2) * second * second / max(fourth - second * second, .leastNormalMagnitude)
        let variance = 2 * second / (p + 2) / n
        error = unit * (variance * (1 + 1 / freedom)).squareRoot()
        degrees = Int(min(max(freedom, 1), 1e9))
    }
}

/// The density of the eigenvalues of A by stochastic Lanczos quadrature.
///
/// From each of some random vectors (uniform on the sphere) Lanczos runs `steps` steps with full reorthogonalisation; the
/// eigenvalues of its tridiagonal matrix are the nodes, the squared first components of its eigenvectors the weights.
/// Ghorbani, Krishnan & Xiao 2019; Golub & Meurant 2010. Matrices of at most 512 rows are
/// decomposed instead where that takes no more products.
///
/// - Parameters:
///   - vectors: how many; the standard errors come from their scatter.
///   - steps: products a vector; the resolution is about the support over this.
///   - stream: the random vectors.
/// - Throws: ``CurvatureError`` for counts below 1 and products that are not finite; `MemoryError` where the basis of one
///   vector, `steps` vectors, does not fit; what the products throw.
public func spectralDensity(
    of matrix: some LinearOperator, vectors: Int = 10, steps: Int = 80, stream: inout RandomStream
) throws -> SpectralDensity {
    guard (1...100_000).contains(vectors), (1...100_000).contains(steps) else {
        throw CurvatureError.badSetting(
            "a spectral density takes 1 to 100,000 vectors and steps, not \(vectors) and \(steps)")
    }
    guard matrix.dimension >= 1 else { throw CurvatureError.badSetting("an operator of dimension 0 has no spectrum") }
    return matrix.dimension <= min(largestDense, vectors * steps)
        ? try decomposedDensity(of: matrix)
        : try lanczosDensity(of: matrix, vectors: vectors, steps: steps, stream: &stream)
}

/// Up to this dimension a matrix is decomposed where that takes no more products: a fraction of a second.
private let largestDense = 512

/// The eigenvalues themselves, each of weight 1/p.
private func decomposedDensity(of matrix: some LinearOperator) throws -> SpectralDensity {
    let watch = Stopwatch()
    let entries = try dense(of: matrix)
    guard entries.values.allSatisfy(\.isFinite) else {
        throw CurvatureError.notFinite(what: "a product of the operator")
    }
    let p = matrix.dimension
    return SpectralDensity(
        nodes: [DenseEigen(symmetric: entries).values.reversed()],
        weights: [Array(repeating: 1 / Double(p), count: p)], residuals: [Array(repeating: 0, count: p)],
        dimension: p, isExact: true, products: p, seconds: watch.seconds)
}

/// The density by Lanczos, whatever the dimension.
func lanczosDensity(
    of matrix: some LinearOperator, vectors: Int, steps: Int, stream: inout RandomStream
) throws -> SpectralDensity {
    let watch = Stopwatch()
    var rules: [LanczosQuadrature] = []
    // Memory for the bases of vectors that go side by side: 1 GiB, or a quarter of the limit.
    let (bytes, overflow) = matrix.dimension.multipliedReportingOverflow(by: steps * matrix.element.byteCount)
    let room = min(1 << 30, MemoryAccount.shared.limit / 4)
    let together = overflow ? 1 : max(1, min(vectors, room / max(1, bytes)))
    var isFinished = true
    for first in stride(from: 0, to: vectors, by: together) where isFinished {
        let starts = try (0..<min(together, vectors - first)).map { _ in
            try Vector.randomNormal(count: matrix.dimension, element: matrix.element, stream: &stream)
        }
        let found = try LanczosQuadrature.rules(of: matrix, starts: starts, steps: min(steps, matrix.dimension))
        rules += found.rules
        isFinished = found.isFinished
    }
    if rules.isEmpty { throw Cancelled() }
    return SpectralDensity(
        nodes: rules.map(\.nodes), weights: rules.map(\.weights), residuals: rules.map(\.residuals),
        dimension: matrix.dimension, isExact: false, products: rules.reduce(0) { $0 + $1.nodes.count },
        seconds: watch.seconds, isFinished: isFinished)
}

/// The Gauss quadrature of one vector.
struct LanczosQuadrature {
    let nodes: [Double]
    let weights: [Double]
    let residuals: [Double]

    /// Lanczos from several vectors side by side, so that block products serve all of them. Cancelled, it gives the rules of the
    /// steps taken; none before the first.
    static func rules(
        of matrix: some LinearOperator, starts: [Vector], steps: Int
    ) throws -> (rules: [LanczosQuadrature], isFinished: Bool) {
        var runs = try starts.map(LanczosRun.init)
        for _ in 0..<steps {
            let active = runs.indices.filter { runs[$0].next != nil }
            guard !active.isEmpty else { break }
            guard let images = try unlessCancelled({ try matrix.products(active.compactMap { runs[$0].next }) }) else {
                return (runs.filter(\.hasNodes).map(\.quadrature), false)
            }
            for (i, image) in zip(active, images) { try runs[i].take(image) }
        }
        return (runs.map(\.quadrature), true)
    }
}

/// The three-term recurrence of Lanczos from one vector, every new vector orthogonalised twice against all before.
private struct LanczosRun {
    private var basis: [Vector] = []
    private var diagonal: [Double] = []
    /// Norms of what each product adds; the last couples to ``next``.
    private var couplings: [Double] = []
    /// The vector to be multiplied; nil where the basis spans an invariant subspace.
    private(set) var next: Vector?

    init(_ start: Vector) throws {
        let length = start.norm()
        var q = start
        try q.scale(1 / length)
        next = q
    }

    mutating func take(_ image: Vector) throws {
        guard let q = next else { return }
        guard image.isFinite else { throw CurvatureError.notFinite(what: "a product of the operator") }
        basis.append(q)
        diagonal.append(try q.dot(image))
        let found = try Orthonormaliser(dimension: q.count, element: q.element).next(
            after: basis, from: image, scale: max(image.norm(), diagonal.reduce(0) { max($0, abs($1)) }))
        next = found?.vector
        couplings.append(found?.coordinates.last ?? 0)
    }

    var hasNodes: Bool { !diagonal.isEmpty }

    var quadrature: LanczosQuadrature {
        let m = diagonal.count
        var tridiagonal = DenseMatrix(zeros: m, m)
        for i in 0..<m {
            tridiagonal[i, i] = diagonal[i]
            if i > 0 {
                tridiagonal[i, i - 1] = couplings[i - 1]
                tridiagonal[i - 1, i] = couplings[i - 1]
            }
        }
        let eigen = DenseEigen(symmetric: tridiagonal)
        let order = (0..<m).reversed()
        return LanczosQuadrature(
            nodes: order.map { eigen.values[$0] },
            weights: order.map { eigen.vectors[0, $0] * eigen.vectors[0, $0] },
            residuals: order.map { (couplings.last ?? 0) * abs(eigen.vectors[m - 1, $0]) })
    }
}
