import Compute
import Curvature
import Dynamics
import Networks
import Objectives

/// max dᵀHd over the d of ‖d‖ ≤ 1, over the dual norm ‖∇L‖_*: what λ_max is for gradient descent, for descent in another norm. Its edge is
/// 2/η where steps are ηd.
///
/// The maximum is looked for by d ← argmax ⟨Hd, ·⟩ (Frank & Wolfe 1956 with whole steps), from the steepest direction at θ, from
/// where the last measurement ended, and from random directions as long as there are products left. Each step raises dᵀHd where H is
/// positive, up to a local maximum; what was largest on the way is the value, which is a lower bound.
final class NormSharpness: Probe {
    static let declarations = StepNorm.allCases.map { norm in
        ProbeDeclaration(
            norm.rawValue + "_sharpness",
            norm == .linf
                ? "max dᵀHd over |dᵢ| ≤ 1, over ‖∇L‖₁: the curvature that sign descent meets."
                : "max dᵀHd over steps of Muon's norm 1, over the dual norm of ∇L: the curvature that Muon meets.",
            options: [
                ProbeOption("products", .count, default: "60", "Products with the Hessian."), .tolerance,
            ] + ProbeScope.options
        ) { arguments, run in
            NormSharpness(
                norm, products: try arguments.integer("products") ?? 60,
                tolerance: try arguments.number("tolerance") ?? 0.01, scope: try ProbeScope(arguments, run))
        }
    }

    let seriesNames: [String]
    private let norm: StepNorm
    private let products: Int
    private let tolerance: Double
    private let scope: ProbeScope
    private var start = SolveStart()

    init(_ norm: StepNorm, products: Int, tolerance: Double, scope: ProbeScope) {
        (self.norm, self.products, self.tolerance, self.scope) = (norm, products, tolerance, scope)
        seriesNames = [norm.rawValue + "_sharpness"]
    }

    func copy() -> any Probe {
        let copy = NormSharpness(norm, products: products, tolerance: tolerance, scope: scope)
        copy.start = start
        return copy
    }

    func code(_ coder: StateCoder) throws { try start.code(coder) }

    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        let (gradient, hessian) = (try scope.gradient(of: run), try run.curvature(over: scope))
        let steepest = try norm.steepest(gradient, run.oracle)
        let dual = try gradient.dot(steepest)
        guard dual > 0 else { return [Measurement(step: run.step, value: .nan)] }
        var stream = stream
        var best: (value: Double, direction: Vector, converged: Bool) = (-.infinity, steepest, false)
        var (left, starts) = (products, [steepest] + start.vectors(near: run))
        while left > 0 {
            if starts.isEmpty {
                let random = try Vector.randomNormal(
                    count: gradient.count, element: gradient.element, stream: &stream)
                starts = [try norm.steepest(random, run.oracle)]
            }
            var (direction, last) = (starts.removeFirst(), -Double.infinity)
            var (isDone, isBest) = (false, false)
            while left > 0, !isDone {
                let image = try hessian.apply(direction)
                left -= 1
                let value = try direction.dot(image)
                if value > best.value { (best.value, best.direction, isBest) = (value, direction, true) }
                // A tenth of the tolerance a step leaves less than it to come.
                isDone = value <= last + 0.1 * tolerance * abs(value)
                last = value
                if !isDone { direction = try norm.steepest(image, run.oracle) }
            }
            if isBest { best.converged = isDone }
        }
        start.keep([best.direction], of: run)
        return [
            Measurement(
                step: run.step, value: best.value / dual, products: products - left, converged: best.converged)
        ]
    }
}
