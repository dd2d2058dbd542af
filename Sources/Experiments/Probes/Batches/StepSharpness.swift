import Compute
import Curvature
import Networks
import Objectives

/// g_BᵀH_Bg_B / ‖g_B‖² on the batch of this step, at the parameters before it; or on a given batch, at the present ones.
///
/// The steps of most rules measure it on the way (`isMeasuredByStep`).
public final class StepSharpness: Probe {
    static let name = "step_sharpness"
    /// The series of the running mean.
    static let meanName = "step_sharpness_mean"

    static let declarations = [
        ProbeDeclaration(
            name, "g_BᵀH_Bg_B/‖g_B‖² on the batch of the step. [Andreyev & Beneventano 2024]",
            options: [
                .batch, .statistics,
                ProbeOption(
                    "average", .integer(atLeast: 20), default: "none", unit: "measurements",
                    "Also the mean of the last so many, a multiple of 10, with its standard error: step_sharpness_mean, every "
                        + "tenth of them."),
            ],
            series: { try $0.integer("average") == nil ? [name] : [name, meanName] },
            make: { arguments, run in
                let batch = try arguments.samples("batch")
                if let batch { try ProbeArguments.check(batch, of: run, "batch") }
                let average = try arguments.integer("average")
                if let average {
                    guard average % BatchMeans.batches == 0 else {
                        throw ExperimentError.invalid(
                            "option 'average' of \(name) is \(average): it must be a multiple of \(BatchMeans.batches), since its error "
                                + "comes from the means of \(BatchMeans.batches) parts; take \(average / 10 * 10) or \(average / 10 * 10 + 10)"
                        )
                    }
                    guard batch == nil else {
                        throw ExperimentError.invalid(
                            "\(name) of one 'batch' has no mean along the steps: leave out 'average' or 'batch'")
                    }
                }
                return StepSharpness(batch: batch, average: average, scope: try ProbeScope(arguments, run))
            })
    ]

    public let seriesNames: [String]
    public let timing: ProbeTiming
    private let batch: [Int]?
    private let scope: ProbeScope
    private var means: BatchMeans?

    /// - Parameters:
    ///   - batch: sample numbers from 0; nil for the batch of each step.
    ///   - average: also the mean of the last so many measurements, a multiple of 10.
    public init(batch: [Int]? = nil, average: Int? = nil, scope: ProbeScope = ProbeScope()) {
        self.batch = batch
        self.scope = scope
        timing = batch == nil ? .step : .point
        seriesNames = average == nil ? [Self.name] : [Self.name, Self.meanName]
        means = average.map { BatchMeans(over: $0) }
    }

    private init(copying other: StepSharpness) {
        (seriesNames, timing, batch) = (other.seriesNames, other.timing, other.batch)
        (scope, means) = (other.scope, other.means)
    }

    public func copy() -> any Probe { StepSharpness(copying: self) }

    public func code(_ coder: StateCoder) throws {
        guard var own = means else { return }
        try own.code(coder)
        means = own
    }

    public func isMeasuredByStep(of run: Run) -> Bool {
        batch == nil && (scope.statistics == .batch || run.objective.model.statistics.isEmpty)
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let indices = self.batch ?? batch.map(Array.init) ?? Array(0..<run.data.train.count)
        let curvature = try scope.oracle(of: run).batchCurvature(
            at: run.parameters, batches: indices, size: indices.count)
        return measurements(of: curvature[0], at: run.step)
    }

    public func measurements(of curvature: BatchCurvature, at step: Int) -> [Measurement] {
        let own = Measurement(step: step, value: curvature.ratio, samples: 1)
        guard let mean = means?.add(curvature.ratio) else { return [own] }
        let reach = BatchMeans.reach * mean.error
        return [
            own,
            Measurement(
                step: step, value: mean.value, standardError: mean.error, samples: mean.count,
                interval: reach.isFinite ? mean.value - reach...mean.value + reach : nil),
        ]
    }
}

/// The mean of the last values of a series whose neighbours are correlated, with its standard error by batch means (Law & Kelton):
/// the values are cut into consecutive parts, and the means of these are taken as independent draws, which they are as far as a
/// part is long beside the time of correlation.
struct BatchMeans {
    /// Parts of a window.
    static let batches = 10
    /// Standard errors to the ends of an interval of 95 %: Student's t with 9 degrees of freedom.
    static let reach = 2.262

    private let length: Int
    private var sum = 0.0
    private var taken = 0
    /// Means of the last parts, the oldest first.
    private var means: [Double] = []

    /// - Parameter count: values of a window, a multiple of ``batches``.
    init(over count: Int) { length = max(1, count / Self.batches) }

    mutating func code(_ coder: StateCoder) throws {
        try coder.code("sum", &sum)
        try coder.code("taken", &taken)
        try coder.code("means", &means)
    }

    /// Takes the next value.
    /// - Returns: where it ends a part, and the window is full: mean, standard error, and how many values they are of.
    mutating func add(_ value: Double) -> (value: Double, error: Double, count: Int)? {
        sum += value
        taken += 1
        guard taken == length else { return nil }
        if means.count == Self.batches { means.removeFirst() }
        means.append(sum / Double(length))
        (sum, taken) = (0, 0)
        guard means.count == Self.batches else { return nil }
        let count = Double(Self.batches)
        let mean = means.reduce(0, +) / count
        let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        return (mean, (variance / count).squareRoot(), Self.batches * length)
    }
}
