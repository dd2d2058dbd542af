import Compute
import Foundation
import Graph
import Networks
import Objectives
import Testing

@testable import Dynamics

/// Rules on L = ½ Σ λᵢwᵢ², where each coordinate goes its own way: a hundred steps against a power.
///
/// Each step rounds a few times, relative to the coordinate or, with momentum, to the largest that it was: 1e-12 of that after a hundred.
@Suite struct RulesOnAQuadratic {
    private static let eigenvalues = [0.3, 2.0, 11.0]
    private static let steps = 100
    private static let start = [2.0, -1.5, 0.7]

    /// One weight an eigenvalue, one sample √(3λᵢ)eᵢ with target 0 each, under half of the squared error.
    private static func oracle() throws -> Oracle {
        let model = try Model(
            name: "quadratic", element: .f64,
            parameters: [.init(name: "w", shape: [3], initializer: .zeros)], statistics: [], inputShape: [3], seed: 1
        ) { x, p, _ in try p[0].dot(x).reshaped(to: [1]) }
        let inputs = eigenvalues.indices.map { i in
            eigenvalues.indices.map { $0 == i ? (3 * eigenvalues[i]).squareRoot() : 0 }
        }
        return try Oracle(
            objective: Objective(model: model, loss: .halfMSE),
            samples: TableSamples(inputs: inputs, targets: [[0], [0], [0]], element: .f64))
    }

    /// Where a rule is after its steps, over all samples.
    private static func end(
        of name: String, _ settings: [String: Double], from start: [Double] = start, steps: Int = steps
    ) throws -> [Double] {
        var rule = try #require(RuleCatalogue.declaration(of: name)).make(settings)
        let context = StepOracle(try oracle())
        var theta = try Vector(start, element: .f64)
        for step in 1...steps {
            context.step = step
            _ = try rule.step(&theta, context)
        }
        return theta.values
    }

    private static func expect(
        _ name: String, _ settings: [String: Double], tolerance: Double = 1e-12, scale: Double = 1e-3,
        sourceLocation: SourceLocation = #_sourceLocation, _ coordinate: (_ w: Double, _ lambda: Double) -> Double
    ) throws {
        let found = try end(of: name, settings)
        for (i, w) in found.enumerated() {
            let expected = coordinate(start[i], eigenvalues[i])
            #expect(
                abs(w - expected) <= tolerance * max(abs(expected), scale), "\(name), λ = \(eigenvalues[i])",
                sourceLocation: sourceLocation)
        }
    }

    /// What a step multiplies by.
    private static func factor(_ factor: Double) -> Double { pow(factor, Double(steps)) }

    @Test func descentAndWhatItsFieldMakesOfIt() throws {
        let lr = 0.05
        try Self.expect("sgd", ["lr": lr]) { w, l in w * Self.factor(1 - lr * l) }
        try Self.expect("sgd", ["lr": lr, "weight_decay": 0.2]) { w, l in w * Self.factor(1 - lr * (l + 0.2)) }
        try Self.expect("sgd+sam_unnormalised", ["lr": lr, "rho": 0.03]) { w, l in
            w * Self.factor(1 - lr * l * (1 + 0.03 * l))
        }
        for name in ["sgd+extragradient", "sgd+extrap"] {
            try Self.expect(name, ["lr": lr, "gamma": 0.04]) { w, l in w * Self.factor(1 - lr * l * (1 - 0.04 * l)) }
        }
        // ∇(L + c‖∇L‖²) = λ(1 + 2cλ)w, with c = 0.01 + lr/4; the difference quotient of a linear gradient is exact.
        for difference in [0, 0.01] {
            let settings = ["lr": lr, "penalty": 0.01, "penalty_per_lr": 0.25, "difference": difference]
            try Self.expect("sgd+gradient_penalty", settings, tolerance: difference == 0 ? 1e-12 : 1e-9) { w, l in
                w * Self.factor(1 - lr * l * (1 + 2 * (0.01 + lr / 4) * l))
            }
        }
        // In the space of the largest eigenvalue, whose eigenvector is known to a tolerance of 1e-3.
        try Self.expect("sgd+top_subspace", ["lr": lr, "k": 1], tolerance: 1e-3, scale: 1) { w, l in
            l == 11 ? w * Self.factor(1 - lr * l) : w
        }
        try Self.expect("sgd+bulk_subspace", ["lr": lr, "k": 1], tolerance: 1e-3, scale: 1) { w, l in
            l == 11 ? w : w * Self.factor(1 - lr * l)
        }
    }

    /// w and v are a linear map's: its hundredth power, by squaring.
    @Test func momentum() throws {
        typealias Matrix = (a: Double, b: Double, c: Double, d: Double)
        func times(_ x: Matrix, _ y: Matrix) -> Matrix {
            (x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c, x.c * y.b + x.d * y.d)
        }
        func power(_ matrix: Matrix, _ n: Int) -> Matrix {
            if n == 0 { return (1, 0, 0, 1) }
            let half = power(matrix, n / 2)
            return n % 2 == 0 ? times(half, half) : times(matrix, times(half, half))
        }
        let (lr, beta) = (0.03, 0.8)
        // v′ = βv + λw; w′ = w − ηv′, or w − η(λw + βv′).
        try Self.expect("momentum", ["lr": lr, "beta": beta], tolerance: 1e-10) { w, l in
            w * power((1 - lr * l, -lr * beta, l, beta), Self.steps).a
        }
        try Self.expect("nesterov", ["lr": lr, "beta": beta], tolerance: 1e-10) { w, l in
            w * power((1 - lr * l - lr * beta * l, -lr * beta * beta, l, beta), Self.steps).a
        }
    }

    /// Steps of one length: down to within it of the minimum, then from one side to the other.
    @Test func signs() throws {
        let lr = 0.013
        func end(_ w: Double) -> Double {
            // The first k with w₀ − kη < 0 is on the other side; from there on back and forth.
            let crossing = Int((abs(w) / lr).rounded(.down)) + 1
            let side = abs(w) - lr * Double(min(Self.steps, crossing))
            let isBack = Self.steps > crossing && (Self.steps - crossing) % 2 == 1
            return (w < 0 ? -1 : 1) * (isBack ? side + lr : side)
        }
        try Self.expect("sign", ["lr": lr]) { w, _ in end(w) }
        // With both factors 0 Lion is sign descent.
        try Self.expect("lion", ["lr": lr, "beta1": 0, "beta2": 0]) { w, _ in end(w) }
    }

    /// RK4's factor is the exponential's series to the fourth order; the exponential flow has the exponential itself where its eigenvectors
    /// are taken apart.
    @Test func flows() throws {
        let h = 0.04
        try Self.expect("gradient_flow", ["dt": h, "alpha": 1]) { w, l in
            let z = -h * l
            return w * Self.factor(1 + z * (1 + z / 2 * (1 + z / 3 * (1 + z / 4))))
        }
        try Self.expect("exponential_flow", ["dt": h, "alpha": 1, "k": 3], tolerance: 1e-6) { w, l in
            w * exp(-h * l * Double(Self.steps))
        }
        // Below the edge a central flow does not oscillate: Euler, four substeps of a quarter.
        let lr = 0.05
        for name in ["central_flow", "stable_flow"] {
            try Self.expect(name, ["lr": lr, "substeps": 4]) { w, l in w * pow(1 - lr * l / 4, 4 * Double(Self.steps)) }
        }
    }

    /// g/√ν does not change with the size of a loss: from the same place coordinates of all eigenvalues go the same way, and Adagrad's first
    /// step is η.
    @Test func adaptiveStepsDoNotSeeTheEigenvalue() throws {
        for (name, settings) in [
            ("adagrad", ["lr": 0.01, "eps": 0]), ("rmsprop", ["lr": 0.01, "beta2": 0.9, "eps": 0]),
            ("adam", ["lr": 0.01, "eps": 0]),
        ] {
            let found = try Self.end(of: name, settings, from: [1.5, 1.5, 1.5])
            #expect(found.allSatisfy { abs($0 - found[0]) < 1e-12 } && found[0] < 1.4, "\(name): \(found)")
        }
        let first = try Self.end(of: "adagrad", ["lr": 0.01, "eps": 0], steps: 1)
        #expect(zip(first, Self.start).allSatisfy { abs(abs($0 - $1) - 0.01) < 1e-14 })
    }
}
