import Compute
import Curvature
import Dynamics

/// The largest eigenvalues of P^{−½}HP^{−½}, the curvature that a rule with a preconditioner P sees (Cohen et al. 2022, 2024):
/// `preconditioned_lambda_max`, with k > 1 also `preconditioned_lambda_max_2`, …; or η times the largest, `effective_sharpness`.
///
/// At θ_t, P is without the learning rate and as it is once the gradient at θ_t has entered: what the step from θ_t is divided by,
/// as in the central-flows code. The gradient is that over the probe's samples, all of them by default, whatever the batch size: of
/// mini-batches the expectation of the gradient enters, not that of its square, so P is that of a step without noise. Under a gradient
/// field it is the field's vector with these samples as the batch, under `clip` it is clipped, as the rule does both; a field that
/// draws its noise is left out, again for a step without. Where the run has the gradient already it costs nothing, else what it
/// takes. Not a number while the run has a rule without a preconditioner, which it was given after tracking began.
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
        try run.rule.preconditioner(after: run.gradientOfStep(over: settings.scope))
    }
}

extension Run {
    /// What a step from here takes for ∇L, before it is clipped, with the samples of a scope as its batch: ∇L over them, or what a
    /// gradient field that draws nothing has in its place.
    public func gradientOfStep(over scope: ProbeScope = ProbeScope()) throws -> Vector {
        let key = EigenQuestion(.preconditioned, over: scope)
        let rule = "\(assignments) \(epochOfNextStep) \(rule.summary)"
        if let kept = eigenCache.stepGradients[key], kept.version == version, kept.value.rule == rule {
            return kept.value.gradient
        }
        guard let standIn = try gradientStandIn(at: parameters, over: scope) else {
            return try eigenCache.gradient(over: scope, of: self)
        }
        eigenCache.stepGradients[key] = EigenCache.Kept(version: version, value: (rule, standIn))
        return standIn
    }

    /// The same at another point, over all samples.
    public func gradientOfStep(at point: Vector) throws -> Vector {
        try gradientStandIn(at: point, over: ProbeScope()) ?? oracle.gradient(at: point).gradient
    }

    /// Nil for ∇L itself.
    private func gradientStandIn(at point: Vector, over scope: ProbeScope) throws -> Vector? {
        guard let rule = rule as? FieldRule else { return nil }
        let own = try scope.oracle(of: self)
        // A step moves running statistics, a look does not.
        let look = StepOracle(objective.model.statistics.isEmpty ? own : try own.forked(), seed: seed)
        (look.isLook, look.step, look.epoch) = (true, step + 1, epochOfNextStep)
        let before = look.oracle.work
        defer { if look.oracle !== own { count(operations: look.oracle.work - before) } }
        guard let indices = try scope.indices(of: self) else { return try rule.gradientStandIn(at: point, look) }
        return try indices.withUnsafeBufferPointer {
            look.batch = $0
            return try rule.gradientStandIn(at: point, look)
        }
    }

    private var epochOfNextStep: Int {
        switch batchSize {
        case .full: sampler.epoch
        case .samples(let size): sampler.nextEpoch(size)
        }
    }
}
