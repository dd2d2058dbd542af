import Compute
import Networks

/// A rule for one step θₜ₋₁ → θₜ: its state, and what it does with an oracle for the step's batch.
public protocol UpdateRule: Sendable {
    /// The name scripts use: `sgd`.
    var name: String { get }
    /// η.
    var learningRate: Double { get set }

    /// Takes one step in place.
    /// - Returns: the loss of the step's batch at θₜ₋₁.
    mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double

    /// Where training is stable up to: the value that `quantity` is held at, or nil where the rule knows none.
    func edge(of quantity: EdgeQuantity) -> Double?
}

/// The curvatures that have an edge (table *Stability edges* of `docs/definitions.md`).
public enum EdgeQuantity: String, Sendable, CaseIterable {
    case lambdaMax = "lambda_max"
    case batchSharpness = "batch_sharpness"
}

/// The objective as a step sees it: on its batch.
public struct StepOracle {
    public let oracle: Oracle
    /// The batch's samples, or nil for all of them.
    public let batch: UnsafeBufferPointer<Int>?

    public init(_ oracle: Oracle, batch: UnsafeBufferPointer<Int>?) {
        self.oracle = oracle
        self.batch = batch
    }

    /// θ ← θ − rate·∇L_B(θ), the update fused with the weight gradient.
    /// - Returns: L_B before the step.
    public func descend(_ theta: inout Vector, rate: Double) throws -> Double {
        if let batch { return try oracle.descend(&theta, rate: rate, batch: batch) }
        return try oracle.descend(&theta, rate: rate)
    }
}
