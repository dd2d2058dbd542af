import Compute
import Curvature
import Dynamics

/// The largest eigenvalues of P^{−½}HP^{−½}, the curvature that a rule with a preconditioner P sees (Cohen et al. 2022, 2024):
/// `preconditioned_lambda_max`, with k > 1 also `preconditioned_lambda_max_2`, …; or η times the largest, `effective_sharpness`.
///
/// At θ_t, P is without the learning rate and as it is once the gradient at θ_t has entered: what the step from θ_t is divided by,
/// as in the central-flows code. The gradient is that over the probe's samples, all of them by default, whatever the batch size: of
/// mini-batches the expectation of the gradient enters, not that of its square, so P is that of a step without noise. Where the
/// run has it already it costs nothing, else a gradient. Not a number while the run has a rule without a preconditioner, which
/// it was given after tracking began.
public final class PreconditionedEigenvalues: MemorylessProbe {
    public enum Quantity: String, Sendable {
        case largest = "preconditioned_lambda_max"
        case effectiveSharpness = "effective_sharpness"
    }

    static let declarations = [
        EigenSettings.declaration(
            "preconditioned_lambda_max",
            "The largest eigenvalues of P^{−½}HP^{−½}, P the preconditioner of the optimizer without the learning rate. [Cohen et al. 2022]"
        ) { settings, run in try PreconditionedEigenvalues(.largest, settings, of: run) },
        ProbeDeclaration(
            "effective_sharpness", "The learning rate times preconditioned_lambda_max. [Cohen et al. 2024]",
            options: EigenSettings.optionsOfOne
        ) { try PreconditionedEigenvalues(.effectiveSharpness, EigenSettings($0, $1), of: $1) },
    ]

    public let quantity: Quantity
    public let settings: EigenSettings
    public let seriesNames: [String]

    /// - Throws: `ExperimentError.invalid` for settings that cannot be met, and a run whose rule has no preconditioner.
    public init(_ quantity: Quantity, _ settings: EigenSettings = EigenSettings(), of run: Run) throws {
        try settings.check(quantity.rawValue)
        self.quantity = quantity
        self.settings = settings
        seriesNames = EigenSettings.names(quantity.rawValue, settings.k)
        guard run.rule.hasPreconditioner else {
            throw ExperimentError.invalid(
                "\(quantity.rawValue): \(run.rule.name) has no preconditioner, so this would be lambda_max; rules that have one "
                    + "are rmsprop, scalar_rmsprop, adagrad, adam and adamw")
        }
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        guard run.rule.hasPreconditioner, let preconditioner = try preconditioner(of: run) else {
            return seriesNames.map { _ in Measurement(step: run.step, value: .nan) }
        }
        let found = try naming(quantity.rawValue, run) {
            try run.eigenCache.eigenpairs(
                EigenQuestion(.preconditioned, over: settings.scope), settings, of: run, preconditioner: preconditioner
            ) { try run.curvature(over: settings.scope).preconditioned(by: preconditioner) }
        }
        let factor = quantity == .effectiveSharpness ? run.learningRate : 1
        return found.measurements(at: run.step, factor: factor)
    }

    private func preconditioner(of run: Run) throws -> Preconditioner? {
        try run.rule.preconditioner(after: run.eigenCache.gradient(over: settings.scope, of: run))
    }
}
