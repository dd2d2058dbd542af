import Compute
import Curvature
import Networks
import Objectives

/// λ_max(−2ηH + η²E_B[H_B²]), with the full Hessian H and Hessians H_B of batches: whether the mean square of a perturbation
/// grows under SGD on the quadratic model; it does above 0. Andreyev & Beneventano 2024.
///
/// The mean is taken over batches drawn once for each measurement, by default 128, each with its samples drawn with replacement
/// as in the authors' code. Their standard error is that of η²‖H_Bu‖² along the eigenvector u found: of first order. The largest
/// eigenvalue of a sample mean lies above that of the mean by about as much as u follows the sample. Batches of all samples,
/// without replacement, and named ones leave nothing to chance.
///
/// A product costs one with H and two with each H_B.
public final class SecondMomentContraction: EigenvectorProbe {
    public struct Options: Sendable {
        /// Samples in a batch; nil for the run's own.
        public var batchSize: Int?
        /// How many batches.
        public var batchCount: Int
        /// Whether a batch may hold a sample twice; nil for yes, unless the batch is all of the data.
        public var replacement: Bool?
        /// These batches in place of random ones; sample numbers from 0.
        public var batches: [[Int]]?
        /// Of the eigenvalue; its k is 1.
        public var eigen: EigenSettings

        public init(
            batchSize: Int? = nil, batchCount: Int = 128, replacement: Bool? = nil, batches: [[Int]]? = nil,
            eigen: EigenSettings = EigenSettings()
        ) {
            self.batchSize = batchSize
            self.batchCount = batchCount
            self.replacement = replacement
            self.batches = batches
            self.eigen = eigen
        }
    }

    static let declarations = [
        ProbeDeclaration(
            "second_moment_contraction",
            "λ_max(−2ηH + η²E_B[H_B²]): above its edge 0 perturbations grow in mean square. [Andreyev & Beneventano 2024]",
            options: [
                .batchSize, .batches,
                ProbeOption("max_samples", .count, default: "128", unit: "batches", "How many batches."),
                ProbeOption(
                    "replacement", .boolean, default: "true, but for batches of all samples",
                    "Whether a batch may hold a sample twice."),
            ] + EigenSettings.optionsOfOne
        ) { arguments, run in
            let batches = try arguments.batches(of: run)
            if batches != nil,
                let other = ["batch_size", "max_samples", "samples", "replacement"].first(where: arguments.has)
            {
                throw ExperimentError.invalid("option 'batches' names the samples itself: give no \(other) with it")
            }
            return try SecondMomentContraction(
                Options(
                    batchSize: arguments.batchSize(of: run), batchCount: arguments.integer("max_samples") ?? 128,
                    replacement: arguments.boolean("replacement"), batches: batches,
                    eigen: EigenSettings(arguments, run)))
        }
    ]

    public let options: Options
    public let seriesNames = ["second_moment_contraction"]
    public private(set) var vectors: [Vector] = []
    private var start = SolveStart()

    /// - Throws: `ExperimentError.invalid` for options that cannot be met.
    public init(_ options: Options = Options()) throws {
        try options.eigen.check("second_moment_contraction")
        guard options.eigen.k == 1, options.batchCount >= 1, options.batches?.isEmpty != true else {
            throw ExperimentError.invalid("second_moment_contraction: one eigenvalue, over one batch or more")
        }
        self.options = options
    }

    private init(copying other: SecondMomentContraction) {
        (options, vectors, start) = (other.options, other.vectors, other.start)
    }

    public func copy() -> any Probe { SecondMomentContraction(copying: self) }

    public func code(_ coder: StateCoder) throws { try start.code(coder) }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        var stream = stream
        let scope = options.eigen.scope
        let oracle = try scope.oracle(of: run)
        let (batches, isExact) = try draw(of: run, &stream)
        let hessians = batches.map { CurvatureOperator(of: oracle, at: run.parameters, over: .indices($0)) }
        let rate = run.learningRate
        let share = rate * rate / Double(batches.count)
        let full = try run.curvature(over: scope)
        let squares = hessians.map { (weight: share, matrix: $0.squared() as any LinearOperator) }
        let warm = options.eigen.isCold ? [] : start.vectors(near: run)
        let pairs = try naming("second_moment_contraction", run) {
            try topEigenpairs(
                of: OperatorSum([(-2 * rate, full)] + squares), tolerance: options.eigen.tolerance,
                warmStart: warm, solver: options.eigen.solver, stream: &stream)
        }
        let along = try hessians.map { rate * rate * (try $0.apply(pairs.vectors[0]).squaredNorm) }
        let mean = along.reduce(0, +) / Double(along.count)
        let scatter = along.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let error = (scatter / Double(along.count - 1) / Double(along.count)).squareRoot()
        // Last, so that a measurement which is cancelled leaves the probe as it was.
        vectors = pairs.vectors
        start.keep(pairs.warmStart, of: run)
        return [
            Measurement(
                step: run.step, value: pairs.values[0], standardError: isExact ? 0 : error, samples: batches.count,
                products: pairs.products, residual: pairs.residuals[0], converged: pairs.converged,
                missProbability: pairs.missProbability)
        ]
    }

    /// The batches of one measurement, and whether they leave nothing to chance.
    private func draw(of run: Run, _ stream: inout RandomStream) throws -> (batches: [[Int]], isExact: Bool) {
        if let batches = options.batches {
            for batch in batches { try ProbeArguments.check(batch, of: run, "batches") }
            return (batches, true)
        }
        let scope = options.eigen.scope
        let subset = try scope.indices(of: run)
        let (count, size) = (scope.count(of: run), options.batchSize ?? run.batchCount)
        func samples(_ numbers: [Int]) -> [Int] { subset.map { subset in numbers.map { subset[$0] } } ?? numbers }
        let isAll = size == count
        if options.replacement ?? !isAll {
            return ((0..<options.batchCount).map { _ in samples((0..<size).map { _ in stream.below(count) }) }, false)
        }
        guard size <= count else {
            throw ExperimentError.invalid(
                "batch_size is \(size): there are \(count) samples to draw from; give the probe a batch_size of its own, or "
                    + "replacement = true")
        }
        if isAll { return ([samples(Array(0..<count))], true) }
        return ((0..<options.batchCount).map { _ in samples(stream.sample(size, from: count)) }, false)
    }
}
