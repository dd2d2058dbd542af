import Compute

/// θ ← θ − η∇L_B(θ): (stochastic) gradient descent. Its edge for λ_max (full batch) and for batch sharpness is 2/η.
public struct SGD: UpdateRule {
    public var learningRate: Double

    public init(learningRate: Double) { self.learningRate = learningRate }

    public var name: String { "sgd" }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        try batch.descend(&theta, rate: learningRate)
    }

    public func edge(of quantity: EdgeQuantity) -> Double? { 2 / learningRate }
}
