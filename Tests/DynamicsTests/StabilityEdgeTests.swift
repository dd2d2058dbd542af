import Compute
import Curvature
import Dynamics
import Graph
import Networks
import Objectives
import Testing

/// On L = ½λw² a rule is stable just below its edge and unstable just above. Of all samples every curvature is λ there: λ_max, batch
/// sharpness, its ratio of means and the gradient–noise interaction.
@Suite struct StabilityEdges {
    /// ε = 10⁹ drowns ν: P is ε from the start, the rule is linear, and λ = 1 has the preconditioned curvature 10⁻⁹.
    private static let epsilon = 1e9

    private struct Case: Sendable {
        let quantities: [EdgeQuantity]
        var curvature = 1.0
        let make: @Sendable (Double) throws -> any UpdateRule
    }

    private static let ofSGD: [EdgeQuantity] = [.lambdaMax, .batchSharpness, .batchSharpnessRatio, .gni]

    private static let cases = [
        Case(quantities: ofSGD) { SGD(learningRate: $0) },
        Case(quantities: ofSGD) { try SGD(learningRate: $0, weightDecay: 0.4) },
        Case(quantities: [.lambdaMax, .batchSharpness]) { try HeavyBall(learningRate: $0, factor: 0.6) },
        Case(quantities: [.lambdaMax, .batchSharpness]) {
            try HeavyBall(learningRate: $0, factor: 0.6, weightDecay: 0.4)
        },
        Case(quantities: [.lambdaMax]) { try HeavyBall(learningRate: $0, factor: 0.6, kind: .nesterov) },
        Case(quantities: [.lambdaMax]) {
            try HeavyBall(learningRate: $0, factor: 0.6, weightDecay: 0.4, kind: .nesterov)
        },
        Case(quantities: [.preconditionedLambdaMax], curvature: 1e-9) {
            try AdaptiveGradient(learningRate: $0, kind: .rmsprop, epsilon: epsilon)
        },
        Case(quantities: [.preconditionedLambdaMax], curvature: 1e-9) {
            try AdaptiveGradient(learningRate: $0, kind: .scalarRMSProp, epsilon: epsilon)
        },
        Case(quantities: [.preconditionedLambdaMax], curvature: 1e-9) {
            try AdaptiveGradient(learningRate: $0, kind: .adagrad, epsilon: epsilon)
        },
        Case(quantities: [.preconditionedLambdaMax], curvature: 1e-9) {
            try Adam(learningRate: $0, momentumFactor: 0.6, epsilon: epsilon)
        },
        Case(quantities: [.preconditionedLambdaMax], curvature: 1e-9) {
            try Adam(learningRate: $0, momentumFactor: 0.6, epsilon: epsilon, weightDecay: 1e-10)
        },
    ]

    /// The rate whose edge is the curvature: edges fall with it.
    private func rateAtEdge(_ curvature: Double, _ edge: (Double) throws -> Double?) throws -> Double {
        var (low, high) = (1e-3 / curvature, 1e2 / curvature)
        for _ in 0..<100 {
            let middle = (low * high).squareRoot()
            if try #require(try edge(middle)) > curvature { low = middle } else { high = middle }
        }
        return low
    }

    @Test(arguments: cases.indices) func aRuleIsStableBelowItsEdgeAndNotAbove(number: Int) throws {
        let (rule, quadratic) = (Self.cases[number], try Quadratic(curvature: 1))
        for quantity in rule.quantities {
            let rate = try rateAtEdge(rule.curvature) { try rule.make($0).edge(of: quantity, isFullBatch: true) }
            #expect(try quadratic.magnitude(under: rule.make(0.98 * rate), steps: 1500) < 1e-3, "\(quantity)")
            #expect(try quadratic.magnitude(under: rule.make(1.02 * rate), steps: 1500) > 1e3, "\(quantity)")
        }
    }

    /// The control: between the two edges it is the decay that makes a rule unstable.
    @Test func itIsTheDecayThatLowersTheEdge() throws {
        let quadratic = try Quadratic(curvature: 1)
        // 2/η = 1.25, less 0.4: 0.85.
        #expect(try quadratic.magnitude(under: SGD(learningRate: 1.6), steps: 500) < 1e-3)
        #expect(try quadratic.magnitude(under: SGD(learningRate: 1.6, weightDecay: 0.4), steps: 500) > 1e3)
    }

    /// Effective sharpness is η times the preconditioned one.
    @Test func effectiveSharpnessIsTheRateTimesThePreconditionedCurvature() throws {
        let rules: [any UpdateRule] = [
            try Adam(learningRate: 0.3, momentumFactor: 0.75, weightDecay: 0.2),
            try AdaptiveGradient(learningRate: 0.3, kind: .adagrad),
        ]
        for rule in rules {
            let edge = try #require(rule.edge(of: .preconditionedLambdaMax, on: .some))
            #expect(abs(try #require(rule.edge(of: .effectiveSharpness, on: .some)).lower - 0.3 * edge.lower) < 1e-12)
        }
    }

    /// E_B[sᵀHs/s·g] along the oscillation that momentum has at its edge, with v of the rule itself: all samples are one batch.
    @Test(arguments: [0, 0.4]) func momentumAtItsEdgeHasTheEdgeOfMomentumBatchSharpness(decay: Double) throws {
        let quadratic = try Quadratic(curvature: 1)
        func make(_ rate: Double) throws -> HeavyBall {
            try HeavyBall(learningRate: rate, factor: 0.6, weightDecay: decay)
        }
        let rate = try rateAtEdge(1) { try make($0).edge(of: .lambdaMax, isFullBatch: true) }
        var rule = try make(rate)
        var w = try Vector([1], element: .f64)
        // What is not the oscillation dies out as 0.6ᵗ.
        for _ in 0..<100 { _ = try rule.step(&w, StepOracle(quadratic.oracle, batch: nil)) }
        let v = try #require(rule.momentum?.velocity)
        // g = λw = w, s = βv + g, and sᵀHs/(s·g) = s/w.
        let sharpness = (0.6 * v[0] + w[0]) / w[0]
        for quantity in [
            EdgeQuantity.momentumBatchSharpness, .momentumBatchSharpnessRatio, .momentumBatchSharpnessMedian,
        ] {
            #expect(abs(try #require(rule.edge(of: quantity, isFullBatch: true)) - sharpness) < 1e-9)
        }
    }

    /// λ_max(−2ηH + η²E_B[H_B²]) of one eigenvalue at the edge of stability.
    @Test(arguments: [0, 0.4]) func theSecondMomentContractsBelowItsEdge(decay: Double) throws {
        let rate = try rateAtEdge(1) {
            try SGD(learningRate: $0, weightDecay: decay).edge(of: .lambdaMax, isFullBatch: true)
        }
        let rule = try SGD(learningRate: rate, weightDecay: decay)
        #expect(
            abs(try #require(rule.edge(of: .secondMomentContraction, isFullBatch: true)) - rate * (rate - 2)) < 1e-12)
    }

    @Test func theFirstEdgeIsTheOneThatARuleIsKnownFor() throws {
        #expect(SGD(learningRate: 1).firstEdge(on: .some)?.quantity == .batchSharpness)
        #expect(try SGD(learningRate: 1, weightDecay: 0.5).firstEdge(on: .all)?.edge.lower == 1.5)
        #expect(try HeavyBall(learningRate: 1, kind: .nesterov).firstEdge(on: .some)?.quantity == .lambdaMax)
        #expect(try Adam(learningRate: 1).firstEdge(on: .some)?.quantity == .preconditionedLambdaMax)
    }

    /// No rule has an edge that nothing was derived for.
    @Test func whatHasNoEdgeHasNone() throws {
        #expect(SGD(learningRate: 0.05).edge(of: .momentumBatchSharpness, on: .some) == nil)
        #expect(try HeavyBall(learningRate: 0.05).edge(of: .gni, on: .some) == nil)
        #expect(try HeavyBall(learningRate: 0.05, kind: .nesterov).edge(of: .batchSharpness, on: .some) == nil)
        for quantity in [EdgeQuantity.lambdaMax, .batchSharpness] {
            #expect(try Adam(learningRate: 0.5).edge(of: quantity, on: .all) == nil)
        }
    }

    @Test func seriesBelongToTheCurvatureThatTheyMeasure() {
        #expect(EdgeQuantity(series: "lambda_max_12") == .lambdaMax && EdgeQuantity(series: "edge_gni") == .gni)
        for name in ["step_sharpness", "step_sharpness_mean"] { #expect(EdgeQuantity(series: name) == .batchSharpness) }
        for name in ["batch_lambda_max", "fisher_max", "ntk_max", "lambda_min", "edge", "loss", "lambda_max_x", ""] {
            #expect(EdgeQuantity(series: name) == nil, "\(name)")
        }
    }
}

/// Edges of mini-batches, where single samples are enough to know everything: one neuron without bias, `half_mse` to 0, ℓᵢ = ½(w·xᵢ)².
@Suite struct StabilityEdgesOfBatches {
    private func makeOracle(_ inputs: [[Double]]) throws -> Oracle {
        let model = try Model.multilayerPerceptron(
            inputShape: [inputs[0].count], hidden: [], outputs: 1, activation: .identity, initScale: 1, bias: false,
            seed: 1, element: .f64)
        return try Oracle(
            objective: Objective(model: model, loss: .halfMSE),
            samples: TableSamples(inputs: inputs, targets: inputs.map { _ in [0] }, element: .f64))
    }

    /// ‖w‖ after so many steps over single samples in turn, from all ones.
    private func magnitude(under rule: any UpdateRule, _ oracle: Oracle, size: Int, steps: Int) throws -> Double {
        var rule = rule
        var w = try Vector([Double](repeating: 1, count: size), element: .f64)
        for step in 0..<steps where w.norm() < 1e6 {
            _ = try [step % size].withUnsafeBufferPointer { try rule.step(&w, StepOracle(oracle, batch: $0)) }
        }
        return w.norm()
    }

    /// Of 24 orthogonal samples with curvature 1 each batch of one moves a direction of its own, and batch sharpness is 1. What
    /// momentum makes of a visit has died out by the next, 0.6²⁴ = 5·10⁻⁶: a visit moves by η/(1 − β), and the edge is
    /// 2(1 − β)/η, as of one sample; SGD's is 2/η.
    @Test(arguments: [0, 0.6]) func ofSingleSamplesTheEdgeIsThatOfTheSummedStep(beta: Double) throws {
        let size = 24
        let oracle = try makeOracle((0..<size).map { i in (0..<size).map { $0 == i ? 1 : 0 } })
        let ones = try Vector([Double](repeating: 1, count: size), element: .f64)
        let sharpness = try oracle.batchCurvature(at: ones, batches: Array(0..<size), size: 1).map(\.ratio)
        #expect(sharpness.allSatisfy { abs($0 - 1) < 1e-12 })
        func make(_ rate: Double) throws -> any UpdateRule {
            beta == 0 ? SGD(learningRate: rate) : try HeavyBall(learningRate: rate, factor: beta)
        }
        // The edge of rate 1 is that of rate η times η.
        let rate = try #require(try make(1).edge(of: .batchSharpness, on: .one)).lower
        #expect(try magnitude(under: make(0.98 * rate), oracle, size: size, steps: 300 * size) < 1e-3)
        #expect(try magnitude(under: make(1.02 * rate), oracle, size: size, steps: 300 * size) > 1e3)
        // And the other end is far away.
        if beta > 0 {
            let interval = try #require(try make(rate).edge(of: .batchSharpness, on: .some))
            #expect(interval.isInterval && abs(interval.lower - 1) < 1e-12 && abs(interval.upper - 4) < 1e-12)
        }
    }

    /// E[w′²]/w² over the two batches of one sample, by steps of the rule itself.
    private func growth(under rule: any UpdateRule, _ oracle: Oracle) throws -> Double {
        var sum = 0.0
        for sample in [0, 1] {
            var (copy, w) = (rule, try Vector([1], element: .f64))
            _ = try [sample].withUnsafeBufferPointer { try copy.step(&w, StepOracle(oracle, batch: $0)) }
            sum += w[0] * w[0] / 2
        }
        return sum
    }

    /// Two samples of curvatures h₁ and h₂ in one direction, λ their mean: gni = E[h²]/λ, and the mean square of w is stable up to
    /// G = λ + (1 + ω/λ)(2/η − ω − λ), which is never below the edge 2/η − ω and agrees with it where there is no noise.
    @Test(arguments: [(1.0, 1.0), (1.3, 0.7), (1.9, 0.1)], [0, 0.05])
    func theGradientNoiseInteractionOfADecayedStepIsStableBelowItsEdge(curvatures: (Double, Double), decay: Double)
        throws
    {
        let (first, second) = curvatures
        let oracle = try makeOracle([[first.squareRoot()], [second.squareRoot()]])
        let mean = (first + second) / 2
        let gni = (first * first + second * second) / 2 / mean
        func limit(_ rate: Double) -> Double { mean + (1 + decay / mean) * (2 / rate - decay - mean) }
        var (low, high) = (0.01, 10.0)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if limit(middle) > gni { low = middle } else { high = middle }
        }
        #expect(try growth(under: SGD(learningRate: 0.999 * low, weightDecay: decay), oracle) < 1)
        #expect(try growth(under: SGD(learningRate: 1.001 * low, weightDecay: decay), oracle) > 1)
        let edge = try #require(SGD(learningRate: low, weightDecay: decay).edge(of: .gni, on: .one)).lower
        #expect(edge <= gni * (1 + 1e-9))
        if first == second || decay == 0 { #expect(abs(edge - gni) < 1e-9) }
    }
}
