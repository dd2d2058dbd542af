import Compute
import Curvature
import Networks
import Objectives

/// Which eigenvalues of which matrix: what is found for one probe serves all others that ask the same.
struct EigenQuestion: Hashable {
    enum Kind: Hashable {
        /// The largest of a curvature matrix.
        case largest(CurvatureMatrix)
        /// The smallest of the Hessian.
        case smallest
        /// The one of largest magnitude of the Hessian.
        case magnitude
        /// The largest of P^{−½}HP^{−½}.
        case preconditioned
        /// The largest of the Gram matrix of samples that has the spectrum of a curvature matrix.
        case gram(CurvatureMatrix)

        /// Keys random streams: below 16.
        fileprivate var number: UInt64 {
            switch self {
            case .largest(.hessian): 0
            case .largest(.ggn): 1
            case .largest(.fisher): 2
            case .largest(.ntk): 3
            case .smallest: 4
            case .magnitude: 5
            case .preconditioned: 6
            case .gram(.fisher): 7
            case .gram: 8
            }
        }
    }

    let kind: Kind
    let samples: Int?
    let usesRunningStatistics: Bool
    /// The coordinates of a block of parameters; none for all of them.
    let ranges: [Range<Int>]

    /// As checkpoints call it: `largest hessian 512 running`, of a block `largest hessian all batch 0-12,18-24`.
    var name: String {
        let kind =
            switch kind {
            case .largest(let matrix): "largest \(matrix.rawValue)"
            case .smallest: "smallest hessian"
            case .magnitude: "magnitude hessian"
            case .preconditioned: "preconditioned hessian"
            case .gram(let matrix): "gram \(matrix.rawValue)"
            }
        let scope = "\(samples.map(String.init) ?? "all") \(usesRunningStatistics ? "running" : "batch")"
        let block = ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
        return "\(kind) \(scope)\(block.isEmpty ? "" : " \(block)")"
    }

    init?(name: String) {
        let words = name.split(separator: " ").map(String.init)
        guard words.count == 4 || words.count == 5, let matrix = CurvatureMatrix(rawValue: words[1]) else { return nil }
        switch words[0] {
        case "largest": kind = .largest(matrix)
        case "smallest": kind = .smallest
        case "magnitude": kind = .magnitude
        case "preconditioned": kind = .preconditioned
        case "gram": kind = .gram(matrix)
        default: return nil
        }
        samples = Int(words[2])
        usesRunningStatistics = words[3] == "running"
        var ranges: [Range<Int>] = []
        for range in (words.count == 5 ? words[4] : "").split(separator: ",") {
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2, ends[0] < ends[1] else { return nil }
            ranges.append(ends[0]..<ends[1])
        }
        self.ranges = ranges
    }

    init(_ kind: Kind, over scope: ProbeScope) {
        self.kind = kind
        samples = scope.samples
        usesRunningStatistics = scope.statistics == .running
        ranges = scope.block?.coordinates.ranges ?? []
    }
}

/// Eigenpairs at the parameters of the moment, and what finding them cost the probe that asked.
struct FoundEigenpairs {
    let values: [Double]
    let vectors: [Vector]
    let residuals: [Double]
    /// Matrix–vector products; 0 where another probe had paid for the solve.
    let products: Int
    /// Wall-clock time of the solve; nil where another probe had paid for it.
    let seconds: Double?
    /// False where the solve was cancelled.
    let isFinished: Bool

    /// For what is computed of them: an unfinished solve has no more to say than its values.
    func finished() throws(Cancelled) -> FoundEigenpairs {
        if !isFinished { throw Cancelled() }
        return self
    }
    /// Whether every pair of the solve met its tolerance.
    let converged: Bool
    /// `Eigenpairs.missProbability`.
    let missProbability: Double

    /// One measurement a pair.
    /// - Parameter factor: what values are scaled by, and residuals with its size.
    func measurements(at step: Int, factor: Double = 1) -> [Measurement] {
        values.indices.map { i in
            var measurement = Measurement(
                step: step, value: factor * values[i], products: products, residual: abs(factor) * residuals[i],
                seconds: seconds, converged: converged, missProbability: missProbability)
            measurement.isFinished = isFinished
            return measurement
        }
    }

    /// A number that was made of these pairs, with what is known of their errors.
    /// - Parameter pair: the one whose residual belongs to it; the largest of all by default.
    func measurement(at step: Int, value: Double, ofPair pair: Int? = nil) -> Measurement {
        Measurement(
            step: step, value: value, products: products, residual: pair.map { residuals[$0] } ?? residuals.max(),
            seconds: seconds, converged: converged, missProbability: missProbability)
    }
}

/// Where along a run a solve was made: it is a start for another one as long as training led from there to here, in few steps.
///
/// A warm solve looks less thoroughly for a larger eigenvalue than a cold one, because its predecessors have looked for it here.
/// That holds no more after the parameters or the rule were assigned, nor far away. A hundred steps are what the rule for warm
/// starts was measured over (`docs/decisions/eigenpairs.md`).
struct SolveOrigin {
    static let reach = 100

    private var step = 0
    private var assignments = 0

    init() {}

    mutating func code(_ coder: StateCoder) throws {
        try coder.code("step", &step)
        try coder.code("assignments", &assignments)
    }

    init(_ run: Run) { (step, assignments) = (run.step, run.assignments) }

    func isNear(_ run: Run) -> Bool { run.assignments == assignments && run.step - step <= Self.reach }
}

/// What a probe that solves by itself keeps for its next solve.
struct SolveStart {
    private var kept: (origin: SolveOrigin, vectors: [Vector])?

    /// The vectors of the last solve, where that was near; else none.
    func vectors(near run: Run) -> [Vector] { kept.flatMap { $0.origin.isNear(run) ? $0.vectors : nil } ?? [] }

    mutating func keep(_ vectors: [Vector], of run: Run) { kept = (SolveOrigin(run), vectors) }

    mutating func code(_ coder: StateCoder) throws {
        var isWarm = kept != nil
        try coder.code("is_warm", &isWarm)
        guard isWarm else {
            kept = nil
            return
        }
        var (origin, start) = kept ?? (SolveOrigin(), [])
        try origin.code(coder)
        try coder.code("start", &start)
        kept = (origin, start)
    }
}

/// The eigenpairs that probes of a run have found, so that probes which look at the same point pay for one solve together.
///
/// A solve starts from the one before as long as that was near, see ``SolveOrigin``. What is looked at by hand starts cold: what was
/// looked at before may be as far away as one likes, and a number should not depend on it.
///
/// A solve serves all who ask at the same parameters for at most as many pairs to at most its accuracy; the first who asks pays,
/// so of several counts or tolerances the most demanding probe is best tracked first. Its start vectors come from a stream of
/// the run's seed, the step and the question, not of the probe. What another probe found before can therefore change a value by
/// as much as its tolerance allows, never the training.
final class EigenCache {
    fileprivate struct Answer {
        var version: Int
        var origin: SolveOrigin
        /// Whether it was found from random vectors alone.
        var isCold: Bool
        var tolerance: Double
        /// Nil once the parameters have moved on.
        var pairs: Eigenpairs?
        var warmStart: [Vector]
        /// P, for a preconditioned matrix: a new rule changes it where the parameters stay.
        var preconditioner: Preconditioner?
        /// Solves at this version.
        var solves = 1
    }

    struct Kept<Value> {
        var version: Int
        var value: Value
    }

    /// Up to so many dimensions a matrix is solved to rounding from a cold start, which takes no more products than it has
    /// dimensions: in a few of them the random part of a warm start is no small part of any direction, and may cancel what
    /// the start knows of an eigenvector.
    static let fewDimensions = 32

    /// Whether every solve starts cold.
    private let startsCold: Bool
    /// By question and number of pairs.
    private var answers: [EigenQuestion: [Int: Answer]] = [:]
    private var gradients: [EigenQuestion: Kept<Vector>] = [:]
    /// What steps of a rule take for them, see `Run.gradientOfStep`.
    var stepGradients: [EigenQuestion: Kept<(rule: String, gradient: Vector)>] = [:]
    private var stabilizations: [EigenQuestion: Kept<(tolerance: Double, value: SelfStabilization)>] = [:]

    init(startsCold: Bool = false) { self.startsCold = startsCold }

    /// What it holds, to go on from in a fork of the run.
    func copy() -> EigenCache {
        let copy = EigenCache(startsCold: startsCold)
        copy.contents = contents
        return copy
    }

    /// All that it holds, to be put back after a measurement that was cancelled.
    struct Contents {
        fileprivate var answers: [EigenQuestion: [Int: Answer]] = [:]
        fileprivate var gradients: [EigenQuestion: Kept<Vector>] = [:]
        fileprivate var stepGradients: [EigenQuestion: Kept<(rule: String, gradient: Vector)>] = [:]
        fileprivate var stabilizations: [EigenQuestion: Kept<(tolerance: Double, value: SelfStabilization)>] = [:]

        /// Where solves start from. What was found at the present parameters is not kept: whoever asks at them again asks after a
        /// step.
        mutating func code(_ coder: StateCoder) throws {
            var starts = answers.flatMap { question, family in
                family.map { WarmStart(question: question, k: $0, origin: $1.origin, vectors: $1.warmStart) }
            }
            starts.sort { ($0.question.name, $0.k) < ($1.question.name, $1.k) }
            try coder.code("start", &starts, new: WarmStart()) { try $0.code(coder) }
            guard coder.isReading else { return }
            (answers, gradients, stepGradients, stabilizations) = ([:], [:], [:], [:])
            for start in starts {
                answers[start.question, default: [:]][start.k] = Answer(
                    version: -1, origin: start.origin, isCold: false, tolerance: .infinity, pairs: nil,
                    warmStart: start.vectors, preconditioner: nil)
            }
        }
    }

    private struct WarmStart {
        var question = EigenQuestion(.smallest, over: ProbeScope())
        var k = 1
        var origin = SolveOrigin()
        var vectors: [Vector] = []

        mutating func code(_ coder: StateCoder) throws {
            var name = question.name
            try coder.code("question", &name)
            guard let question = EigenQuestion(name: name) else {
                throw ExperimentError.invalid(
                    "the checkpoint knows eigenvalues of '\(name.printable)', which nobody has")
            }
            self.question = question
            try coder.code("k", &k)
            try origin.code(coder)
            try coder.code("vectors", &vectors)
        }
    }

    var contents: Contents {
        get {
            Contents(
                answers: answers, gradients: gradients, stepGradients: stepGradients, stabilizations: stabilizations)
        }
        set {
            (answers, gradients) = (newValue.answers, newValue.gradients)
            (stepGradients, stabilizations) = (newValue.stepGradients, newValue.stabilizations)
        }
    }

    /// - Parameters:
    ///   - preconditioner: P, for the preconditioned Hessian.
    ///   - matrix: the operator, made where it is needed.
    func eigenpairs(
        _ question: EigenQuestion, _ settings: EigenSettings, of run: Run, preconditioner: Preconditioner? = nil,
        matrix: () throws -> any LinearOperator
    ) throws -> FoundEigenpairs {
        var family = answers[question] ?? [:]
        func isPresent(_ answer: Answer) -> Bool {
            answer.version == run.version && answer.pairs != nil && isSame(answer.preconditioner, preconditioner)
        }
        let present = family.filter { isPresent($0.value) }.sorted { $0.key < $1.key }
        let serving = present.first { k, answer in
            k >= settings.k && answer.tolerance <= settings.tolerance && (answer.isCold || !settings.isCold)
                && (settings.solver == .automatic || settings.solver == answer.pairs?.solver)
        }
        if let pairs = serving?.value.pairs { return found(pairs, settings.k, isNew: false) }

        let matrix = try matrix()
        var settings = settings
        var warmStart: [Vector] = []
        if matrix.dimension <= Self.fewDimensions {
            settings.tolerance = min(settings.tolerance, matrix.element == .f32 ? 1e-6 : 1e-12)
        } else if !startsCold, !settings.isCold {
            let near = family.filter { $0.value.origin.isNear(run) }
            let nearest = near.min { (abs($0.key - settings.k), $0.key) < (abs($1.key - settings.k), $1.key) }?.value
            let known = present.last { $0.key < settings.k }?.value.pairs?.vectors ?? []
            warmStart = known + ((near[settings.k] ?? nearest)?.warmStart ?? [])
        }
        let solves = family[settings.k].map { isPresent($0) ? $0.solves : 0 } ?? 0
        var stream = RandomStream(
            seed: run.seed, purpose: .eigensolver,
            index: UInt64(run.step) << 20 | question.kind.number << 16 | UInt64(settings.k & 0xFFF) << 4
                | UInt64(solves & 0xF))
        let pairs = try solve(question.kind, matrix, settings, warmStart: warmStart, stream: &stream)
        if !pairs.isFinished { return found(pairs, settings.k, isNew: true) }
        // What belongs to other parameters is of no use any more, but for where to start from.
        for (k, answer) in family where !isPresent(answer) { family[k]?.pairs = nil }
        family[settings.k] = Answer(
            version: run.version, origin: SolveOrigin(run), isCold: warmStart.isEmpty, tolerance: settings.tolerance,
            pairs: pairs, warmStart: pairs.warmStart,
            preconditioner: preconditioner, solves: solves + 1)
        answers[question] = family
        return found(pairs, settings.k, isNew: true)
    }

    private func solve(
        _ kind: EigenQuestion.Kind, _ matrix: any LinearOperator, _ settings: EigenSettings, warmStart: [Vector],
        stream: inout RandomStream
    ) throws -> Eigenpairs {
        switch kind {
        case .largest, .preconditioned, .gram:
            try topEigenpairs(
                of: matrix, k: settings.k, tolerance: settings.tolerance, warmStart: warmStart,
                solver: settings.solver, stream: &stream)
        case .smallest:
            try bottomEigenpairs(
                of: matrix, k: settings.k, tolerance: settings.tolerance, warmStart: warmStart,
                solver: settings.solver, stream: &stream)
        case .magnitude:
            try largestMagnitude(
                of: matrix, tolerance: settings.tolerance, warmStart: warmStart, solver: settings.solver,
                stream: &stream)
        }
    }

    private func found(_ pairs: Eigenpairs, _ k: Int, isNew: Bool) -> FoundEigenpairs {
        FoundEigenpairs(
            values: Array(pairs.values.prefix(k)), vectors: Array(pairs.vectors.prefix(k)),
            residuals: Array(pairs.residuals.prefix(k)), products: isNew ? pairs.products : 0,
            seconds: isNew ? pairs.seconds : nil, isFinished: pairs.isFinished, converged: pairs.converged,
            missProbability: pairs.missProbability)
    }

    /// ∇L over the samples of a scope, at the parameters of the moment.
    func gradient(over scope: ProbeScope, of run: Run) throws -> Vector {
        if scope.samples == nil, scope.statistics == .batch { return try run.gradient() }
        let key = EigenQuestion(.largest(.hessian), over: scope)
        if let kept = gradients[key], kept.version == run.version { return kept.value }
        let gradient = try scope.oracle(of: run).gradient(at: run.parameters, over: scope.selection(of: run)).gradient
        gradients[key] = Kept(version: run.version, value: gradient)
        return gradient
    }

    /// What was found of the third derivative at the parameters of the moment, at most as inexact as this; else nil.
    func stabilization(over scope: ProbeScope, tolerance: Double, of run: Run) -> SelfStabilization? {
        guard let kept = stabilizations[EigenQuestion(.largest(.hessian), over: scope)], kept.version == run.version,
            kept.value.tolerance <= tolerance
        else { return nil }
        return kept.value.value
    }

    func keep(_ value: SelfStabilization, over scope: ProbeScope, tolerance: Double, of run: Run) {
        stabilizations[EigenQuestion(.largest(.hessian), over: scope)] = Kept(
            version: run.version, value: (tolerance, value))
    }
}

/// Whether both are the same numbers.
private func isSame(_ a: Preconditioner?, _ b: Preconditioner?) -> Bool {
    switch (a, b) {
    case (nil, nil): true
    case (.scalar(let x)?, .scalar(let y)?): x == y
    case (.diagonal(let x)?, .diagonal(let y)?): x.hasSameBits(as: y)
    default: false
    }
}

extension Run {
    /// The largest eigenvalues of a curvature matrix here, as probes find and share them.
    func largestEigenpairs(_ matrix: CurvatureMatrix = .hessian, _ settings: EigenSettings) throws -> FoundEigenpairs {
        try eigenCache.eigenpairs(EigenQuestion(.largest(matrix), over: settings.scope), settings, of: self) {
            try curvature(matrix, over: settings.scope)
        }
    }

    /// A curvature matrix at the present parameters, over the samples of a scope, on its block.
    func curvature(_ matrix: CurvatureMatrix = .hessian, over scope: ProbeScope) throws -> any LinearOperator {
        try scope.restricted(
            CurvatureOperator(matrix, of: scope.oracle(of: self), at: parameters, over: scope.selection(of: self)))
    }
}
