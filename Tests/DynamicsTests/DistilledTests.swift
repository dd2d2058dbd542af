import Compute
import Objectives
import Testing

@testable import Dynamics

/// SAF and MESA against their bookkeeping written out: which outputs a step is drawn to, from which epoch on.
@Suite struct DistilledFields {
    private static let rate = 0.05
    private static let weight = 0.9
    /// Two epochs' halves, in another order each epoch; one sample of the data is in no batch of the odd epochs.
    private static func batches(_ epoch: Int) -> [[Int]] {
        let order = (0..<12).map { ($0 * 5 + epoch) % 12 }
        return [Array(order[0..<6]), Array(order[6..<(epoch % 2 == 1 ? 11 : 12)])]
    }

    private func path(
        _ name: String, _ settings: [String: Double], epochs: Int, _ problem: SmallProblem
    ) throws -> [Vector] {
        var rule = try #require(RuleCatalogue.declaration(of: "sgd+" + name)).make(
            settings.merging(["lr": Self.rate, "weight": Self.weight]) { $1 })
        var theta = problem.start
        var path: [Vector] = []
        for epoch in 0..<epochs {
            for batch in Self.batches(epoch) {
                _ = try batch.withUnsafeBufferPointer { batch in
                    let step = StepOracle(problem.oracle, batch: batch)
                    step.epoch = epoch
                    return try rule.step(&theta, step)
                }
                path.append(theta)
            }
        }
        return path
    }

    @Test func outputsOfEpochsAgo() throws {
        let problem = try SmallProblem()
        let (history, start, stop, epochs) = (2, 3, 7, 9)
        let found = try path(
            "saf", ["history": Double(history), "start": Double(start), "stop": Double(stop), "tau": 2],
            epochs: epochs, problem)
        let distilling = try DistillingOracle(problem.oracle, temperature: 2)
        var theta = problem.start
        // By epoch, by sample.
        var seen: [[Int: [Double]]] = []
        var (step, drawn) = (0, 0)
        for epoch in 0..<epochs {
            seen.append([:])
            for batch in Self.batches(epoch) {
                let isActive = epoch > start && epoch < stop
                let past = isActive ? seen[epoch - history] : [:]
                let references = batch.flatMap { past[$0] ?? [.nan, .nan] }
                drawn += batch.count { past[$0] != nil }
                let outputs = try problem.oracle.evaluate(at: theta, over: .indices(batch)).outputs.values
                for (row, sample) in batch.enumerated() {
                    seen[epoch][sample] = [outputs[2 * row], outputs[2 * row + 1]]
                }
                let gradient = try distilling.gradient(
                    at: theta, over: batch, references: references, weight: Self.weight
                ).gradient
                try theta.add(-Self.rate, gradient)
                #expect(distance(found[step].values, theta.values) < 1e-12, "epoch \(epoch)")
                step += 1
            }
        }
        // Three epochs, one sample short of a reference where the epoch before last was odd, one of no batch in odd ones.
        #expect(drawn > 30 && drawn < 36)
        let plain = try path("saf", ["history": 2, "start": 100], epochs: epochs, problem)
        #expect(distance(plain[7].values, found[7].values) < 1e-12 && plain[8].values != found[8].values)
    }

    @Test func outputsOfAnAverage() throws {
        let problem = try SmallProblem()
        let (decay, start, epochs) = (0.7, 1, 5)
        let found = try path("mesa", ["decay": decay, "start": Double(start), "tau": 3], epochs: epochs, problem)
        let distilling = try DistillingOracle(problem.oracle, temperature: 3)
        var (theta, average) = (problem.start, problem.start)
        var step = 0
        for epoch in 0..<epochs {
            for batch in Self.batches(epoch) {
                if step > 0 { average = try decay * average + (1 - decay) * theta }
                let references = try problem.oracle.evaluate(at: average, over: .indices(batch)).outputs.values
                let gradient = try distilling.gradient(
                    at: theta, over: batch, references: references, weight: epoch > start ? Self.weight : 0
                ).gradient
                try theta.add(-Self.rate, gradient)
                #expect(distance(found[step].values, theta.values) < 1e-12, "epoch \(epoch)")
                step += 1
            }
        }
    }

    @Test func withoutWeightItIsDescentToTheBit() throws {
        let problem = try SmallProblem()
        for name in ["saf", "mesa"] {
            let declaration = try #require(RuleCatalogue.declaration(of: "sgd+" + name))
            let rule = try declaration.make(["lr": 0.1, "weight": 0])
            let (own, plain) = (try problem.path(of: rule), try problem.path(of: SGD(learningRate: 0.1)))
            #expect(zip(own, plain).allSatisfy { $0.hasSameBits(as: $1) })
            #expect(throws: UpdateRuleError.self) { try declaration.make(["lr": 0.1, "tau": 0]) }
        }
        let saf = try #require(RuleCatalogue.declaration(of: "sgd+saf"))
        #expect(throws: UpdateRuleError.self) { try saf.make(["lr": 0.1, "history": 2.5]) }
    }
}
