import Compute
import Datasets
import Dynamics
import Graph
import Networks
import Objectives
import Testing

@testable import Experiments

/// `lambda_max_predicted` under coupled weight decay ω: that of F = L + ½ω‖θ‖², whose Hessian is H + ωI, less ω.
@Suite struct DecayedPredictions {
    /// Of one sample there is no noise, and SGD settles at its edge, 2/η − ω = 200 − ω. At (0.3, 2.4) the gradient raises the sharpness by
    /// α = 0.615 of (w₁w₂ − 1)², and decay lowers it by ωθ·∇S⊥ = 22.7ω: from ω = 0.027 on it does not rise.
    @Test func withoutNoiseItIsTheEdge() throws {
        for (decay, expected) in [(0.0, 200.0), (0.01, 199.99), (0.05, .nan)] {
            let run = try ProductRun.make(0.3, 2.4)
            try run.setRule(SGD(learningRate: 0.01, weightDecay: decay))
            let values = try run.measure("projected_noise", ["tolerance": 1e-9]).map(\.value)
            #expect(values[0] == 0)
            #expect(expected.isNaN ? values[1].isNaN : abs(values[1] - expected) < 1e-9, "\(decay)")
        }
    }

    /// Two samples with targets 1 ± ½ have the loss of one with target 1, and ¼ more; their gradients are that of it ∓ (w₂, w₁).
    @Test func withNoiseItIsTheFormula() throws {
        let model = try Model.multilayerPerceptron(
            inputShape: [1], hidden: [1], outputs: 1, activation: .identity, initScale: 1, bias: false, seed: 1,
            element: .f64)
        let data = try Dataset.arrays(
            inputs: NDArray([1, 1], shape: [2, 1]), answers: .targets(NDArray([1.5, 0.5], shape: [2, 1])))
        let (rate, decay) = (0.01, 0.01)
        let run = try Run(
            name: "product", objective: Objective(model: model, loss: .mse), data: data,
            rule: SGD(learningRate: rate, weightDecay: decay), batchSize: .samples(1), seed: 1)
        try run.setParameters(Vector([0.3, 2.4], element: .f64))
        let theory = try run.selfStabilization(EigenSettings(tolerance: 1e-10))
        let slope = theory.direction[0] * 2.4 + theory.direction[1] * 0.3
        let alpha =
            theory.progressiveSharpening - decay * (0.3 * theory.perpendicular[0] + 2.4 * theory.perpendicular[1])
        let predicted = 2 / rate - decay - rate * theory.strength * slope * slope / (4 * alpha)
        let values = try run.measure("projected_noise", ["tolerance": 1e-9]).map(\.value)
        #expect(alpha > 0.3 && abs(values[0] / (slope * slope) - 1) < 1e-6)
        #expect(abs(values[1] - predicted) < 1e-6 * predicted)
        // Without decay α is larger, and the noise lowers it by less.
        try run.setRule(SGD(learningRate: rate))
        #expect(try run.measure("projected_noise", ["tolerance": 1e-9])[1].value > values[1] + decay)
    }

    /// α of F is the derivative of the sharpness along −∇F without its part along u: by central differences.
    @Test func theSharpeningIsOfWhatIsDescended() throws {
        let run = try ProductRun.make(0.3, 2.4)
        let theory = try run.selfStabilization(EigenSettings(tolerance: 1e-10))
        let (decay, step) = (0.01, 1e-5)
        var slope = try run.gradient()
        try slope.add(decay, run.parameters)
        var direction = try -1 * slope
        try direction.add(theory.direction.dot(slope), theory.direction)
        func sharpness(_ t: Double) throws -> Double {
            let there = try run.parameters + t * direction
            let other = try ProductRun.make(there[0], there[1])
            return try other.measure("lambda_max", ["tolerance": 1e-10])[0].value
        }
        let rate = (try sharpness(step) - sharpness(-step)) / (2 * step)
        // The difference is of numbers of about 12, each to 10⁻¹⁵ of that, over 2·10⁻⁵.
        #expect(abs(try theory.progressiveSharpening(decay: decay, at: run.parameters) - rate) < 1e-7)
    }
}
