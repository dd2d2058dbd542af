import Compute
import Objectives

/// A rule of a program's own: what it does at a step is code of the program, with the rights of any rule. What it keeps between
/// steps is in its state, by names, and so in checkpoints and forks.
public struct CustomRule: UpdateRule {
    /// What is done at a step, and what is known of its edges.
    public final class Body: @unchecked Sendable {
        // A run, and so its rule, belongs to one thread.

        let step: (inout Vector, inout UpdateState, Double, StepOracle) throws -> Double
        let edge: ((EdgeQuantity, Double) throws -> Double?)?

        /// - Parameters:
        ///   - step: changes θ and the state, given η and the step's oracle; returns L_B before.
        ///   - edge: of a curvature, at a rate.
        public init(
            step: @escaping (inout Vector, inout UpdateState, Double, StepOracle) throws -> Double,
            edge: ((EdgeQuantity, Double) throws -> Double?)? = nil
        ) {
            (self.step, self.edge) = (step, edge)
        }
    }

    public let name: String
    public var learningRate: Double
    public var state = UpdateState()
    private let body: Body

    public init(name: String = "custom", learningRate: Double, _ body: Body) {
        (self.name, self.learningRate, self.body) = (name, learningRate, body)
    }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        defer { state.steps += 1 }
        return try body.step(&theta, &state, learningRate, batch)
    }

    public var callsProgram: Bool { true }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        guard let edge = body.edge, let value = try? edge(quantity, learningRate) else { return nil }
        return StabilityEdge(value)
    }
}
