import Compute
import Dynamics

/// A plain metric: one number that is a function of the run as it stands.
final class Metric: Probe {
    let seriesNames: [String]
    let timing = ProbeTiming.point
    private let value: (Run) throws -> Double

    init(_ name: String, _ value: @escaping (Run) throws -> Double) {
        seriesNames = [name]
        self.value = value
    }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        [Measurement(step: run.step, value: try value(run))]
    }

    /// Every metric by its name.
    static let all: [String: @Sendable (Run) throws -> Double] = [
        "loss": { try $0.evaluation().loss },
        "accuracy": { try $0.accuracy(of: $0.evaluation(), on: $0.data.train) },
        "test_loss": { try $0.testEvaluation().loss },
        "test_accuracy": { run in
            let evaluation = try run.testEvaluation()
            guard let split = run.data.test else { return .nan }
            return try run.accuracy(of: evaluation, on: split)
        },
        "batch_loss": { $0.batchLoss ?? .nan },
        "gradient_norm": { try $0.gradient().norm() },
        "weight_norm": { $0.parameters.norm() },
        "effective_lr": { $0.learningRate },
        "edge": { $0.rule.edge(of: .batchSharpness) ?? .nan },
    ]
}

/// ‖θ_t − θₜ₋₁‖; not a number before the first step.
final class UpdateNorm: Probe {
    let seriesNames = ["update_norm"]
    let timing = ProbeTiming.point

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let norm = try run.previousParameters.map { try (run.parameters - $0).norm() } ?? .nan
        return [Measurement(step: run.step, value: norm)]
    }
}

/// A quantity that the script computes.
public final class CustomProbe: Probe {
    public let seriesNames: [String]
    public let timing = ProbeTiming.point
    private let value: (Run) throws -> Double

    public init(_ name: String, _ value: @escaping (Run) throws -> Double) {
        seriesNames = [name]
        self.value = value
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        [Measurement(step: run.step, value: try value(run))]
    }
}
