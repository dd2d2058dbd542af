import Compute
import Curvature
import Dynamics
import Networks
import Objectives

/// What a central flow says of the rule that oscillates around it: L + tr X, the loss that it has on average, or ‖∇L‖² + tr((HU)X(HU)ᵀ), its
/// squared gradient norm (Cohen et al. 2024); not a number under other rules. X is that of the last substep.
final class CentralPrediction: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "predicted_loss",
            "L + tr X along a central flow: the loss that the rule has on average; not a number under other rules. [Cohen et al. 2024]"
        ) { _, _ in CentralPrediction("predicted_loss") },
        ProbeDeclaration(
            "predicted_squared_gradient_norm",
            "‖∇L‖² + tr((HU)X(HU)ᵀ) along a central flow: the rule's ‖∇L‖² on average; not a number under other rules. [Cohen et al. 2024]"
        ) { _, _ in CentralPrediction("predicted_squared_gradient_norm") },
    ]

    let seriesNames: [String]

    init(_ name: String) { seriesNames = [name] }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        guard let flow = run.rule as? CentralFlow else { return [Measurement(step: run.step, value: .nan)] }
        let value =
            seriesNames == ["predicted_loss"]
            ? try run.evaluation().loss + flow.oscillation
            : try run.gradient().squaredNorm + flow.gradientOscillation
        return [Measurement(step: run.step, value: value)]
    }
}

/// λ_max where gradient flow from θ_t comes to rest: the sharpness that the run would have without its oscillations (Kreisler, Shpigel Nacson,
/// Soudry & Carmon 2023). Not a number where it does not within the ticks given.
final class FlowSharpness: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "flow_sharpness",
            "λ_max where gradient flow from here comes to rest, and its time there as flow_time. [Kreisler et al. 2023]",
            options: [
                ProbeOption(
                    "stop_loss", .number(.positive), default: "1e-5", "The loss at which the flow counts as at rest."),
                ProbeOption("max_ticks", .count, default: "2000", "Ticks of the flow at most."),
            ], series: { _ in ["flow_sharpness", "flow_time"] },
            make: { arguments, _ in
                FlowSharpness(
                    loss: try arguments.number("stop_loss") ?? 1e-5, ticks: try arguments.integer("max_ticks") ?? 2000)
            })
    ]

    let seriesNames = ["flow_sharpness", "flow_time"]
    private let loss: Double
    private let ticks: Int

    init(loss: Double, ticks: Int) { (self.loss, self.ticks) = (loss, ticks) }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        // Running statistics are the run's; the flow uses those of the batch of all samples.
        let oracle = StepOracle(try run.oracle.forked(), seed: run.seed)
        var flow = GradientFlow()
        var (theta, time) = (run.parameters, 0.0)
        let before = oracle.oracle.work
        var reached = false
        for tick in 0..<ticks {
            oracle.step = run.step &+ tick &+ 1
            if try flow.step(&theta, oracle) <= loss {
                reached = true
                break
            }
            time += flow.elapsed ?? 0
        }
        run.count(operations: oracle.oracle.work - before)
        guard reached else { return [.nan, time].map { Measurement(step: run.step, value: $0) } }
        var stream = stream
        let pairs = try topEigenpairs(
            of: CurvatureOperator(of: oracle.oracle, at: theta), k: 1, tolerance: 0.01, stream: &stream)
        if !pairs.isFinished { throw Cancelled() }
        return [
            Measurement(
                step: run.step, value: pairs.values[0], products: pairs.products, residual: pairs.residuals[0],
                converged: pairs.converged, missProbability: pairs.missProbability),
            Measurement(step: run.step, value: time),
        ]
    }
}
