import Compute
import Curvature
import Foundation
import Networks
import Objectives
import Testing

@testable import Dynamics

/// Each rule against its equations, written out over plain arrays. Both compute in f64 and differ in the order of a few
/// roundings a step: 1e-13 of the largest parameter after 20 steps.
@Suite struct UpdateRules {
    let problem: SmallProblem

    init() throws { problem = try SmallProblem() }

    /// - Parameter step: changes θ, given g and the number of the step from 1.
    private func expect(
        _ rule: some UpdateRule, _ step: (_ theta: inout [Double], _ g: [Double], _ t: Int) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var theta = problem.start.values
        for (t, found) in try problem.path(of: rule).enumerated() {
            let g = try problem.gradient(theta, problem.batches[t])
            step(&theta, g, t + 1)
            #expect(distance(found.values, theta) < 1e-13, "step \(t + 1)", sourceLocation: sourceLocation)
        }
    }

    @Test func gradientDescentWithCoupledDecay() throws {
        try expect(SGD(learningRate: 0.1)) { theta, g, _ in
            for i in theta.indices { theta[i] -= 0.1 * g[i] }
        }
        try expect(SGD(learningRate: 0.1, weightDecay: 0.3)) { theta, g, _ in
            for i in theta.indices { theta[i] -= 0.1 * (g[i] + 0.3 * theta[i]) }
        }
    }

    @Test(arguments: [0, 0.2]) func polyaksMomentum(decay: Double) throws {
        var v = [Double](repeating: 0, count: problem.start.count)
        try expect(HeavyBall(learningRate: 0.03, factor: 0.8, weightDecay: decay)) { theta, g, _ in
            for i in theta.indices {
                v[i] = 0.8 * v[i] + g[i] + decay * theta[i]
                theta[i] -= 0.03 * v[i]
            }
        }
    }

    /// Nesterov's own form, θ ← y − η∇L(y) with y the point looked ahead to, in the variables that PyTorch has: the gradient is
    /// taken at θ, and v is what moves it.
    @Test(arguments: [0, 0.2]) func nesterovsMomentum(decay: Double) throws {
        var v = [Double](repeating: 0, count: problem.start.count)
        try expect(HeavyBall(learningRate: 0.03, factor: 0.8, weightDecay: decay, kind: .nesterov)) { theta, g, _ in
            for i in theta.indices {
                let d = g[i] + decay * theta[i]
                v[i] = 0.8 * v[i] + d
                theta[i] -= 0.03 * (d + 0.8 * v[i])
            }
        }
    }

    @Test(arguments: [1e-8, 0]) func rmsprop(epsilon: Double) throws {
        var nu = [Double](repeating: 0, count: problem.start.count)
        try expect(AdaptiveGradient(learningRate: 0.01, kind: .rmsprop, factor: 0.9, epsilon: epsilon)) { theta, g, _ in
            for i in theta.indices {
                nu[i] = 0.9 * nu[i] + 0.1 * g[i] * g[i]
                theta[i] -= 0.01 * g[i] / (nu[i].squareRoot() + epsilon)
            }
        }
    }

    @Test func scalarRMSPropHasOneSquareForAllParameters() throws {
        var nu = 0.0
        try expect(AdaptiveGradient(learningRate: 0.05, kind: .scalarRMSProp, factor: 0.9)) { theta, g, _ in
            nu = 0.9 * nu + 0.1 * g.reduce(0) { $0 + $1 * $1 }
            for i in theta.indices { theta[i] -= 0.05 * g[i] / (nu.squareRoot() + 1e-8) }
        }
    }

    @Test func adagrad() throws {
        var nu = [Double](repeating: 0, count: problem.start.count)
        try expect(AdaptiveGradient(learningRate: 0.05, kind: .adagrad)) { theta, g, _ in
            for i in theta.indices {
                nu[i] += g[i] * g[i]
                theta[i] -= 0.05 * g[i] / (nu[i].squareRoot() + 1e-10)
            }
        }
    }

    @Test(arguments: [nil, 0.3]) func adam(decay: Double?) throws {
        var (m, nu) = (problem.start.values.map { _ in 0.0 }, problem.start.values.map { _ in 0.0 })
        let rule = try Adam(
            learningRate: 0.01, momentumFactor: 0.8, squareFactor: 0.95, epsilon: 1e-6, weightDecay: decay)
        #expect(rule.name == (decay == nil ? "adam" : "adamw"))
        try expect(rule) { theta, g, t in
            for i in theta.indices {
                theta[i] *= 1 - 0.01 * (decay ?? 0)
                m[i] = 0.8 * m[i] + 0.2 * g[i]
                nu[i] = 0.95 * nu[i] + 0.05 * g[i] * g[i]
                let mean = m[i] / (1 - pow(0.8, Double(t)))
                let square = nu[i] / (1 - pow(0.95, Double(t)))
                theta[i] -= 0.01 * mean / (square.squareRoot() + 1e-6)
            }
        }
    }

    /// In f32 every element is rounded once a step: 20 steps stay within 20 half units in the last place of the largest, and the
    /// gradients' own rounding comes to about as much again, many times where it is divided by a small root.
    @Test func singlePrecisionFollowsDouble() throws {
        let single = try SmallProblem(element: .f32)
        let rules: [any UpdateRule] = [
            try HeavyBall(learningRate: 0.03), try HeavyBall(learningRate: 0.03, kind: .nesterov),
            try AdaptiveGradient(learningRate: 0.01, kind: .scalarRMSProp), try Adam(learningRate: 0.001),
        ]
        for rule in rules {
            let (last, reference) = try (single.path(of: rule).last, problem.path(of: rule).last)
            #expect(distance(try #require(last).values, try #require(reference).values) < 1e-5, "\(rule.name)")
        }
    }

    /// A copy of a rule has a state of its own: branches of a run do not see each other.
    @Test func aCopyGoesOnByItself() throws {
        var rule = try HeavyBall(learningRate: 0.05)
        var theta = problem.start
        _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
        let velocity = try #require(rule.momentum?.velocity)
        var copy = rule
        var other = theta
        _ = try copy.step(&other, StepOracle(problem.oracle, batch: nil))
        #expect(try #require(rule.momentum?.velocity).hasSameBits(as: velocity))
        _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
        #expect(theta.hasSameBits(as: other))
    }

    @Test func theVelocityIsThatOfPolyak() throws {
        #expect(SGD(learningRate: 1).momentum == nil)
        #expect(try Adam(learningRate: 1).momentum == nil)
        var rule = try HeavyBall(learningRate: 0.05, factor: 0.7)
        #expect(rule.momentum?.factor == 0.7 && rule.momentum?.velocity == nil)
        var theta = problem.start
        _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
        // θ₁ = θ₀ − ηv₁.
        let moved = try 20 * (problem.start - theta)
        #expect(distance(moved.values, try #require(rule.momentum?.velocity).values) < 1e-13)
    }

    @Test func settingsThatCannotBeAreRefused() throws {
        #expect(throws: UpdateRuleError.self) { try HeavyBall(learningRate: 1, factor: 1) }
        #expect(throws: UpdateRuleError.self) { try HeavyBall(learningRate: 1, factor: -0.1) }
        #expect(throws: UpdateRuleError.self) { try SGD(learningRate: 1, weightDecay: -1) }
        #expect(throws: UpdateRuleError.self) { try Adam(learningRate: 1, squareFactor: .nan) }
        let error = #expect(throws: UpdateRuleError.self) { try Adam(learningRate: 1, epsilon: -1) }
        #expect(error?.description == "adam: eps must be 0 or larger, not -1.0")
    }

    @Test func aStateOfAnotherModelIsRefusedAndKept() throws {
        var rule = try Adam(learningRate: 0.1)
        var theta = problem.start
        _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
        let quadratic = try Quadratic(curvature: 1)
        var w = try Vector([1], element: .f64)
        #expect(throws: UpdateRuleError.otherModel(rule: "adam", state: theta.count, parameters: 1)) {
            try rule.step(&w, StepOracle(quadratic.oracle, batch: nil))
        }
        // It goes on where it was.
        _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
    }
}

@Suite struct Preconditioners {
    let problem: SmallProblem

    init() throws { problem = try SmallProblem() }

    /// θ ← θ − ηP⁻¹m with m the gradient (Adam: its running mean), so P is what the step was divided by.
    @Test func theStepIsTheGradientOverP() throws {
        for rule in [
            try AdaptiveGradient(learningRate: 0.1, kind: .rmsprop, epsilon: 1e-3),
            try AdaptiveGradient(learningRate: 0.1, kind: .adagrad),
            try AdaptiveGradient(learningRate: 0.1, kind: .scalarRMSProp),
        ] {
            try check(rule) { _, g in g }
        }
        // m = (1 − β₁) Σ β₁^(t−s) g_s over the gradients of the steps.
        var m = problem.start.values.map { _ in 0.0 }
        try check(Adam(learningRate: 0.1, momentumFactor: 0.7)) { _, g in
            for i in m.indices { m[i] = 0.7 * m[i] + 0.3 * g[i] }
            return m
        }
    }

    private func check(_ rule: some UpdateRule, _ numerator: (Int, [Double]) -> [Double]) throws {
        var rule = rule
        var theta = problem.start
        for t in 0..<3 {
            let gradient = try problem.oracle.gradient(at: theta).gradient
            let divided = numerator(t, gradient.values)
            let expected = try rule.preconditioner(after: gradient)
            let before = theta
            _ = try rule.step(&theta, StepOracle(problem.oracle, batch: nil))
            let p = try values(of: rule.preconditioner())
            // A squared norm is summed in another order on the way.
            #expect(distance(try values(of: expected), p) < 1e-14, "what comes after a gradient is there after it")
            let step = try (before - theta).values
            // θ is of order 1 and a step 0.1 of that: what is left of it has lost a digit or two of sixteen.
            #expect(distance(step, (0..<step.count).map { 0.1 * divided[$0] / p[$0] }) < 1e-12, "\(rule.name)")
        }
    }

    private func values(of preconditioner: Preconditioner?) throws -> [Double] {
        switch try #require(preconditioner) {
        case .scalar(let number): [Double](repeating: number, count: problem.start.count)
        case .diagonal(let vector): vector.values
        }
    }

    @Test func rulesWithoutOneSaySo() throws {
        #expect(try SGD(learningRate: 1).preconditioner() == nil)
        #expect(try HeavyBall(learningRate: 1).preconditioner() == nil)
        #expect(throws: UpdateRuleError.noGradientYet(rule: "adam")) { try Adam(learningRate: 1).preconditioner() }
        #expect(throws: UpdateRuleError.noGradientYet(rule: "scalar_rmsprop")) {
            try AdaptiveGradient(learningRate: 1, kind: .scalarRMSProp).preconditioner()
        }
    }

    /// With ε = 0 a parameter without a gradient has P = 0: no matrix to divide by, and no step either.
    @Test func aParameterThatNeverHadAGradientIsNamedAndStays() throws {
        var rule = try AdaptiveGradient(learningRate: 0.1, kind: .rmsprop, epsilon: 0)
        let flat = try Quadratic(curvature: 0)
        var w = try Vector([1], element: .f64)
        _ = try rule.step(&w, StepOracle(flat.oracle, batch: nil))
        #expect(w[0] == 1)
        #expect(throws: UpdateRuleError.notPositive(rule: "rmsprop", count: 1)) { try rule.preconditioner() }
    }
}
