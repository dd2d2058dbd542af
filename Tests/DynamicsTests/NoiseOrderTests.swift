import Compute
import Foundation
import Networks
import Objectives
import Testing

@testable import Dynamics

/// What noise does over many steps, against closed forms. Seeds are fixed; tolerances are four standard errors of what is averaged.
@Suite struct NoiseOrders {
    /// K independent Ornstein–Uhlenbeck processes: ℓᵢ = ½Σₖ(wₖ√a − Hᵢₖ)² over the rows of a Hadamard matrix without its column of ones, so that L is
    /// ½a‖w‖² and a constant, and C = aI at every w.
    private struct Independent {
        static let count = 63
        let oracle: Oracle
        let curvature = 1.0

        init() throws {
            let signs = (0..<64).map { row in (1..<64).map { (row & $0).nonzeroBitCount % 2 == 0 ? 1.0 : -1 } }
            let model = try Model.multilayerPerceptron(
                inputShape: [1], hidden: [], outputs: Self.count, activation: .identity, initScale: 1, bias: false,
                seed: 1, element: .f64)
            oracle = try Oracle(
                objective: Objective(model: model, loss: .halfMSE),
                samples: TableSamples(
                    inputs: signs.map { _ in [1] }, targets: signs, element: .f64))
        }

        /// Mean and variance at time 1 from w = 1, over all processes and seeds: of dw = −aw dt + √η(C/b)^½dW in inner steps of h.
        func moments(rate: Double, inner: Double, batch: Double, seeds: Int) throws -> (mean: Double, variance: Double)
        {
            var (sum, squares, count) = (0.0, 0.0, 0.0)
            for seed in 0..<seeds {
                var rule = try StochasticEquation(learningRate: rate, innerStep: inner, batch: batch)
                var w = try Vector([Double](repeating: 1, count: Self.count), element: .f64)
                let step = StepOracle(oracle, seed: UInt64(seed))
                for t in 1...Int((1 / rate).rounded()) {
                    step.step = t
                    _ = try rule.step(&w, step)
                }
                for x in w.values { (sum, squares, count) = (sum + x, squares + x * x, count + 1) }
            }
            let mean = sum / count
            return (mean, (squares / count - mean * mean) * count / (count - 1))
        }
    }

    /// Of the equation mean e^{−a} and variance ηC/(2ab)(1 − e^{−2a}) at time 1; of Euler–Maruyama q^N and (ηhC/b)(1 − q^{2N})/(1 − q²), q = 1 − ha,
    /// N = 1/h: what is simulated has these, and so errors that halve with h.
    @Test func eulerMaruyamaIsOfWeakOrderOne() throws {
        let problem = try Independent()
        let (rate, batch, seeds) = (0.5, 2.0, 100)
        let count = Double(seeds * Independent.count)
        var errors: [(mean: Double, variance: Double)] = []
        let strength = rate / batch
        let exact = (mean: exp(-1.0), variance: strength / 2 * (1 - exp(-2)))
        for inner in [0.5, 0.25, 0.125] {
            let found = try problem.moments(rate: rate, inner: inner, batch: batch, seeds: seeds)
            let q = 1 - inner
            let own = (
                mean: pow(q, 1 / inner), variance: strength * inner * (1 - pow(q, 2 / inner)) / (1 - q * q)
            )
            #expect(abs(found.mean - own.mean) < 4 * (own.variance / count).squareRoot(), "mean at \(inner)")
            #expect(
                abs(found.variance / own.variance - 1) < 4 * (2 / count).squareRoot(), "variance at \(inner)")
            errors.append((found.mean - exact.mean, found.variance - exact.variance))
        }
        // Of the mean −0.118, −0.052, −0.024 with a standard error of 0.004 at most; of the variance 0.017, 0.007, 0.003 with 0.002: the
        // order from the first to the last.
        let meanOrder = log2(errors[0].mean / errors[2].mean) / 2
        #expect(abs(meanOrder - 1) < 0.3, "\(errors)")
        #expect(errors[0].variance > 0 && errors[1].variance < 0.7 * errors[0].variance, "\(errors)")
    }

    /// Two linear weights one after the other, f = w₁w₂, on equal samples of target 1: all minima are w₁w₂ = 1, with λ_max = h = w₁² + w₂² for
    /// `half_mse`, twice that for `mse`.
    private static func product(_ loss: LossName, samples: Int) throws -> Oracle {
        let model = try Model.multilayerPerceptron(
            inputShape: [1], hidden: [1], outputs: 1, activation: .identity, initScale: 1, bias: false, seed: 1,
            element: .f64)
        let ones = [[Double]](repeating: [1], count: samples)
        return try Oracle(
            objective: Objective(model: model, loss: loss),
            samples: TableSamples(inputs: ones, targets: ones, element: .f64))
    }

    /// Along the minima label noise moves θ as −ηλ∇R says, R = −((1 + β)/2η) tr log(I − ηH/(2(1 + β))), λ = ησ²/b (`half_mse`) or 2ησ²/b (`mse`), with
    /// momentum λ/(1 − β) at the rate η/(1 − β): the mean of w₁² − w₂², which neither the loss nor its noise moves at first order, over many seeds, against
    /// the flow.
    @Test(arguments: [(LossName.halfMSE, 0.0, 4), (.mse, 0.0, 4), (.halfMSE, 0.0, 1), (.halfMSE, 0.8, 4)])
    func labelNoiseDescendsTheRegulariser(loss: LossName, momentum: Double, samples: Int) throws {
        let oracle = try Self.product(loss, samples: samples)
        let (rate, amplitude, steps, seeds) = (momentum > 0 ? 0.02 : 0.1, 0.3, 400, 60)
        let scale = loss == .mse ? 2.0 : 1
        let start = [1.6, 1 / 1.6]
        var drifts: [Double] = []
        for seed in 0..<seeds {
            let update: any ElementwiseRule =
                momentum > 0
                ? try HeavyBall(learningRate: rate, factor: momentum) : SGD(learningRate: rate)
            var rule = FieldRule(update, LabelNoise(amplitude: amplitude))
            var w = try Vector(start, element: .f64)
            let step = StepOracle(oracle, seed: UInt64(seed))
            for t in 1...steps {
                step.step = t
                _ = try rule.step(&w, step)
            }
            drifts.append(w[0] * w[0] - w[1] * w[1])
        }
        let mean = drifts.reduce(0, +) / Double(seeds)
        let variance = drifts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(seeds - 1)
        let error = (variance / Double(seeds)).squareRoot()
        // dq/dt = −4ηλ·(dR/dh)·q along q = w₁² − w₂², h² = q² + 4.
        var q = start[0] * start[0] - start[1] * start[1]
        let first = q
        let strength = scale * rate * amplitude * amplitude / Double(samples) / (1 - momentum)
        for _ in 0..<steps {
            let h = scale * (q * q + 4).squareRoot()
            let slope = scale / 4 / (1 - rate * h / (2 * (1 + momentum)))
            q -= 4 * rate / (1 - momentum) * strength * slope * q
        }
        // Beside the standard error: residuals begin at 0, not at their stationary spread, for 1/(ηh) steps of the 400.
        let tolerance = 4 * error + 0.02 * abs(q - first)
        #expect(abs(mean - q) < tolerance, "drift \(mean - first) ± \(error), predicted \(q - first)")
        // It is a drift that is seen, not its absence.
        #expect(abs(q - first) > 8 * error, "\(q - first) ± \(error)")
    }
}
