import Compute

/// A plain metric: one number that is a function of the run as it stands.
final class Metric: MemorylessProbe {
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

    private static func declaration(
        _ name: String, _ summary: String, _ value: @escaping @Sendable (Run) throws -> Double
    ) -> ProbeDeclaration {
        ProbeDeclaration(name, summary) { _, _ in Metric(name, value) }
    }

    /// The norm of a vector, or of its part in a block.
    private static func ofBlock(
        _ name: String, _ summary: String, _ vector: @escaping @Sendable (Run) throws -> Vector
    ) -> ProbeDeclaration {
        ProbeDeclaration(name, summary, options: [.block]) { arguments, run in
            let block = try ProbeScope(arguments, run).block
            return Metric(name) { run in
                let whole = try vector(run)
                return try (block.map { try $0.coordinates.restrict(whole) } ?? whole).norm()
            }
        }
    }

    static let declarations = [
        declaration("loss", "L(θ) over the training data.") { try $0.evaluation().loss },
        declaration(
            "accuracy", "The share of training samples that the network labels rightly; not a number for a regression."
        ) { try $0.accuracy(of: $0.evaluation(), on: $0.data.train) ?? .nan },
        declaration("test_loss", "The loss over the test data.") { try $0.testEvaluation().loss },
        declaration("test_accuracy", "The share of test samples that the network labels rightly.") { run in
            let evaluation = try run.testEvaluation()
            guard let split = run.data.test else { return .nan }
            return try run.accuracy(of: evaluation, on: split) ?? .nan
        },
        declaration("batch_loss", "The loss of the last step's batch at the parameters before it.") {
            $0.batchLoss ?? .nan
        },
        ofBlock("gradient_norm", "‖∇L(θ)‖ over the training data.") { try $0.gradient() },
        ofBlock("weight_norm", "‖θ‖ over all parameters.") { $0.parameters },
        declaration("effective_lr", "The learning rate of the next step.") { $0.learningRate },
    ]
}

/// ‖θ_t − θₜ₋₁‖; not a number before the first step.
final class UpdateNorm: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration("update_norm", "‖θₜ − θₜ₋₁‖, the length of the last step; not a number before the first.") {
            _, _ in UpdateNorm()
        }
    ]

    let seriesNames = ["update_norm"]
    let timing = ProbeTiming.point
    let usesPreviousParameters = true

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let norm = try run.previousParameters.map { try (run.parameters - $0).norm() } ?? .nan
        return [Measurement(step: run.step, value: norm)]
    }
}

/// A quantity that the script computes.
public final class CustomProbe: MemorylessProbe {
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
