import Compute
import Curvature
import Dynamics
import Networks
import Objectives

/// `one_step_loss_change`: E_B[ L(θ − step_B) − L(θ) ] / (η‖g‖²), the change of the full loss by one step of the run's rule, from
/// its present state, on a fresh batch; −1 + (η/2)·gni + O(η²) for SGD. From the EoSS code.
///
/// L(θ − step_B) depends on g_B = g + e to first order by a multiple of eᵀ∇L(θ − step): this is taken off as a control variate
/// where E_B[e] = 0, with ∇L taken after the step that the full gradient makes. A batch costs a pass over all samples, and at the
/// edge the value itself is near 0, so that no relative error is reached there: 10 to 200 batches, 0.02.
final class OneStepLossChange: MemorylessProbe {
    static let defaults = BatchSampling(relativeError: 0.02, minSamples: 10, maxSamples: 200)

    static let declarations = [
        defaults.declaration(
            "one_step_loss_change",
            "E_B[L(θ − step_B) − L(θ)]/(η‖g‖²), one step of the rule on a fresh batch. [code of Andreyev & Beneventano]"
        ) { OneStepLossChange($0) }
    ]

    let sampling: BatchSampling
    let seriesNames = ["one_step_loss_change"]

    init(_ sampling: BatchSampling) { self.sampling = sampling }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let source = try sampling.source(of: run, stream, chunk: 16)
        let oracle = source.oracle
        let loss = try sampling.scope.loss(of: run)
        let scale = try run.learningRate * sampling.scope.gradient(of: run).squaredNorm
        let after = try control(run, source)
        let mean = try after.map { try sampling.scope.gradient(of: run).dot($0) } ?? 0
        // A step of training moves running statistics, one of a probe does not.
        let statistics = run.objective.model.statistics.isEmpty ? nil : try run.statistics()
        defer { if let statistics { try? run.oracle.running.assign(statistics) } }
        let estimate = try source.mean(controls: after == nil ? .given([]) : coefficients(of: run.rule)) {
            batches, size in
            let slopes = try after.map {
                try oracle.batchSlopes(at: run.parameters, along: [$0], batches: batches, size: size)
            }
            return try stride(from: 0, to: batches.count, by: size).enumerated().map { number, first in
                let theta = try stepped(run, oracle, Array(batches[first..<first + size]))
                let change = try oracle.evaluate(at: theta, over: source.selection, keepingOutputs: false).loss - loss
                let controls = slopes.map { [($0[number][0] - mean) * run.learningRate / scale] } ?? []
                return ControlledDraw(value: change / scale, controls: controls)
            }
        }
        return [Measurement(step: run.step, estimate)]
    }

    /// θ after a step of the rule on a batch; its state stays as it is.
    private func stepped(_ run: Run, _ oracle: Oracle, _ batch: [Int]?) throws -> Vector {
        var rule = run.rule
        var theta = run.parameters
        if let batch {
            _ = try batch.withUnsafeBufferPointer { try rule.step(&theta, StepOracle(oracle, batch: $0)) }
        } else {
            _ = try rule.step(&theta, StepOracle(oracle))
        }
        return theta
    }

    /// By how much the step of a rule answers to the batch's gradient, times −1; where it is no multiple, what the draws say.
    private func coefficients(of rule: any UpdateRule) -> ControlCoefficients {
        switch rule {
        case is SGD: .given([-1])
        case let rule as HeavyBall: .given([rule.kind == .nesterov ? -1 - rule.factor : -1])
        default: .fitted
        }
    }

    /// ∇L where the full gradient leads to; nil where batches' gradients have another mean, or nothing is drawn.
    private func control(_ run: Run, _ source: BatchSource) throws -> Vector? {
        guard try source.named == nil && source.hasUnbiasedGradients() else { return nil }
        let all: [Int]?
        switch source.selection {
        case .all: all = nil
        case .indices(let indices): all = indices
        }
        let theta = try stepped(run, source.oracle, all)
        return try source.oracle.gradient(at: theta, over: source.selection).gradient
    }
}
