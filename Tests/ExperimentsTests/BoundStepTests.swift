import CAllocationCount
import Compute
import Datasets
import Dynamics
import Networks
import Objectives
import Testing

@testable import Experiments

/// What a step asks of the system.
@Suite struct BoundSteps {
    private static let rules: [any UpdateRule] = {
        do {
            return [
                SGD(learningRate: 0.01), try SGD(learningRate: 0.01, weightDecay: 0.1),
                try HeavyBall(learningRate: 0.01),
                try HeavyBall(learningRate: 0.01, weightDecay: 0.1, kind: .nesterov), try Adam(learningRate: 0.001),
                try Adam(learningRate: 0.001, weightDecay: 0.1),
                try AdaptiveGradient(learningRate: 0.001, kind: .rmsprop),
                try AdaptiveGradient(learningRate: 0.001, kind: .scalarRMSProp),
                try AdaptiveGradient(learningRate: 0.001, kind: .adagrad),
            ]
        } catch { preconditionFailure("\(error)") }
    }()

    /// Allocations of a step. Without optimization existentials and generic calls are boxed: a few, whatever the model's size.
    private static let most: Int64 = {
        #if DEBUG
            9
        #else
            0
        #endif
    }()

    private func run(_ rule: any UpdateRule, _ batch: Run.BatchSize) throws -> Run {
        let model = try Model.multilayerPerceptron(
            inputShape: [4], hidden: [5, 5], outputs: 3, activation: .tanh, initScale: 0.5,
            seed: 1, element: .f32)
        return try Run(
            name: "bound", objective: Objective(model: model, loss: .mse), data: SmallRun.data(), rule: rule,
            batchSize: batch, seed: 1, engine: Engine(threads: 1))
    }

    private func counts(_ run: Run, steps: Int) throws -> allocation_counts {
        allocation_count_begin()
        do { for _ in 0..<steps { try run.advance() } } catch {
            _ = allocation_count_end()
            throw error
        }
        return allocation_count_end()
    }

    /// The counter counts.
    @Test func anArrayIsAnAllocation() {
        allocation_count_begin()
        let array = (0..<100).map { $0 }
        let other = array
        #expect(allocation_count_end().allocations >= 1)
        #expect(array.count + other.count == 200)
    }

    /// Over a thousand steps, through 166 epochs of new permutations, for each rule, of batches and of all samples.
    @Test func aStepAllocatesNothing() throws {
        for rule in Self.rules {
            for batch in [Run.BatchSize.samples(4), .full] {
                let run = try run(rule, batch)
                // Programs are made, and the order of an epoch has its memory.
                for _ in 0..<8 { try run.advance() }
                let found = try counts(run, steps: 1000)
                #expect(found.allocations <= Self.most * 1000, "\(rule.name), batches of \(batch)")
            }
        }
    }

    /// Two batch sizes in turn keep their programs; what was bound to vectors that someone holds goes on with copies.
    @Test func changesOfBatchAndParametersAreSeen() throws {
        let (run, other) = (try run(Self.rules[2], .samples(4)), try run(Self.rules[2], .samples(4)))
        var kept: [Vector] = []
        for turn in 0..<6 {
            let size = Run.BatchSize.samples(turn % 2 == 0 ? 4 : 6)
            try run.setBatchSize(size)
            try other.setBatchSize(size)
            kept.append(run.parameters)
            let values = run.parameters.values
            try run.advance()
            try other.advance()
            #expect(kept[turn].values == values)
            #expect(run.parameters.hasSameBits(as: other.parameters))
        }
        try run.setParameters(kept[0])
        try run.advance()
        #expect(!run.parameters.hasSameBits(as: kept[0]))
    }
}
