import Compute
import Curvature
import Foundation
import Objectives

/// The central flow of gradient descent at rate η (Cohen et al. 2024), the smooth path that it oscillates around, in units of steps:
/// dθ/dt = −η(∇L + ½ Σᵢⱼ Xᵢⱼ ∇³L[uᵢ, uⱼ]), with the eigenvectors uᵢ of ηH whose eigenvalues are at least 1.95 (tracked from 1.5), scaled
/// to uᵢᵀuᵢ = η, and X that solves 0 ⪯ X ⊥ A ⪰ 0, A = diag(2 − λ) − dt·Uᵀ(dH/dt)U, affine in X. Euler, `substeps` a step.
///
/// With `isStable` X = 0: the stable flow, gradient flow in the same units, in max(4, ⌈2·ηλ_max⌉) substeps; it stops where ηλ_max > 100.
/// It takes all samples.
public struct CentralFlow: UpdateRule {
    /// η.
    public var learningRate: Double
    public let substeps: Int
    public let isStable: Bool
    /// Eigenvectors to start from; tr X, how many oscillate, ηλ_max of the last substep.
    public var state = UpdateState()

    /// Eigenvalues of ηH from which on eigenvectors are followed, and from which on they may oscillate.
    static let tracked = 1.5
    static let critical = 1.95
    /// Eigenvalues at the edge at once: each pair takes a third derivative.
    static let most = 16

    static let declarations = [
        RuleDeclaration(
            "central_flow",
            "The smooth path that gradient descent at rate lr oscillates around, in units of steps. [Cohen et al. 2024]",
            settings: [
                .learningRate,
                RuleSettingDeclaration("substeps", .positive, default: 4, "Euler steps of a step, at least."),
            ]
        ) { try CentralFlow(learningRate: $0["lr"] ?? 0, substeps: $0["substeps"] ?? 4) },
        RuleDeclaration(
            "stable_flow",
            "Gradient flow in units of steps of rate lr: the path without oscillations. [Cohen et al. 2024]",
            settings: [
                .learningRate,
                RuleSettingDeclaration("substeps", .positive, default: 4, "Euler steps of a step, at least."),
            ]
        ) { try CentralFlow(learningRate: $0["lr"] ?? 0, substeps: $0["substeps"] ?? 4, isStable: true) },
    ]

    public init(learningRate: Double, substeps: Double = 4, isStable: Bool = false) throws {
        guard let count = Int(exactly: substeps), count >= 1 else {
            throw UpdateRuleError.badSetting(
                rule: isStable ? "stable_flow" : "central_flow", setting: "substeps", value: substeps,
                allowed: "an integer >= 1")
        }
        (self.learningRate, self.substeps, self.isStable) = (learningRate, count, isStable)
    }

    public var name: String { isStable ? "stable_flow" : "central_flow" }
    public var settings: [(name: String, value: Double)] {
        [("lr", learningRate), ("substeps", Double(substeps))]
    }

    /// tr X of the last substep: the loss that gradient descent has on average is L + tr X.
    public var oscillation: Double { state.numbers.first ?? 0 }
    /// How many eigenvectors oscillate.
    public var oscillating: Int { state.numbers.count > 1 ? Int(state.numbers[1]) : 0 }

    public mutating func step(_ theta: inout Vector, _ batch: StepOracle) throws -> Double {
        guard batch.batch == nil else { throw UpdateRuleError.needsFullBatch(rule: name) }
        var loss: Double?
        var count = substeps
        if isStable, state.numbers.count > 2 {
            count = max(substeps, Int(min(1000, (2 * state.numbers[2]).rounded(.up))))
        }
        for part in 0..<count {
            let own = try substep(&theta, batch, 1 / Double(count), part)
            loss = loss ?? own
        }
        state.steps += 1
        return loss ?? .nan
    }

    /// - Returns: L before it.
    private mutating func substep(
        _ theta: inout Vector, _ batch: StepOracle, _ dt: Double, _ part: Int
    ) throws -> Double {
        let rate = learningRate
        let hessian = CurvatureOperator(of: batch.oracle, at: theta)
        var stream = RandomStream(
            seed: batch.seed, purpose: .noise, index: 1 << 62 | UInt64(batch.step) << 12 | UInt64(part))
        // As many as were above the threshold, and one more to see whether another has come.
        var pairs: Eigenpairs
        var k = min(hessian.dimension, max(1, state.vectors.isEmpty ? 1 : state.vectors.count))
        while true {
            pairs = try topEigenpairs(
                of: hessian, k: k, tolerance: 1e-3, warmStart: state.vectors, stream: &stream)
            if !pairs.isFinished { throw Cancelled() }
            if rate * (pairs.values.last ?? 0) < Self.tracked || k == min(Self.most, hessian.dimension) { break }
            k += 1
        }
        state.vectors = Array(pairs.warmStart.prefix(k))
        let (loss, gradient) = try batch.gradient(at: theta, moving: part == 0)
        var slope = gradient
        var (trace, count) = (0.0, 0)
        let largest = rate * (pairs.values.first ?? 0)
        if isStable, largest > 100 {
            throw UpdateRuleError.flowDiverged(rule: name, sharpness: largest)
        }
        let critical = pairs.values.indices.filter { rate * pairs.values[$0] >= Self.critical }
        if !isStable, !critical.isEmpty {
            let (x, terms) = try oscillations(
                critical.map { pairs.values[$0] }, critical.map { pairs.vectors[$0] }, gradient, dt, theta, batch)
            count = critical.count
            for i in 0..<count {
                trace += x[i * count + i]
                for j in 0..<count { try slope.add(x[i * count + j] / 2, terms[i][j]) }
            }
        }
        try theta.add(-rate * dt, slope)
        state.numbers = [trace, Double(count), largest]
        return loss
    }

    /// X, and ∇³L[uᵢ, uⱼ].
    private func oscillations(
        _ values: [Double], _ vectors: [Vector], _ gradient: Vector, _ dt: Double, _ theta: Vector, _ batch: StepOracle
    ) throws -> (x: [Double], terms: [[Vector]]) {
        let (rate, k) = (learningRate, values.count)
        let scaled = try vectors.map { try rate.squareRoot() * $0 }
        var terms = [[Vector]](repeating: [], count: k)
        for i in 0..<k {
            for j in 0..<k {
                terms[i].append(
                    j < i
                        ? terms[j][i]
                        : try batch.oracle.directional(at: theta, along: [scaled[i], scaled[j]], over: .all))
            }
        }
        // Uᵀ(dH/dt)U = ⟨∇³L[uᵢ, uⱼ], dθ/dt⟩.
        let flat = terms.flatMap { $0 }
        let offset = try flat.enumerated().map { place, term in
            let (i, j) = (place / k, place % k)
            return (i == j ? 2 - rate * values[i] : 0) + dt * rate * (try term.dot(gradient))
        }
        let gram = try VectorBlock.dots(flat, flat)
        let map = (0..<k * k * k * k).map { dt * rate / 2 * gram[$0 / (k * k), $0 % (k * k)] }
        return (ConeComplementarity(size: k, offset: offset, map: map).solve(), terms)
    }

    public func edge(of quantity: EdgeQuantity, on batch: BatchExtent) -> StabilityEdge? {
        quantity == .lambdaMax ? StabilityEdge(2 / learningRate) : nil
    }
}
