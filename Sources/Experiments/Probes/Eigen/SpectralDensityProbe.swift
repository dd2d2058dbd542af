import Compute
import Curvature

/// The density of the Hessian's eigenvalues by stochastic Lanczos quadrature (Ghorbani, Krishnan & Xiao 2019).
///
/// Series: `spectral_density`, the largest node, with the residual that it is known to: a lower bound on the largest eigenvalue.
/// With each value go lists of numbers: `nodes`, `weights` (of sum 1 over all vectors), `residuals`, and `vector`, the number of
/// the random vector that a node belongs to, from 0: the scatter between vectors tells the density's error.
public final class SpectralDensityProbe: MemorylessProbe {
    static let declarations = [
        ProbeDeclaration(
            "spectral_density",
            "The density of the Hessian's eigenvalues by stochastic Lanczos quadrature: nodes and weights; as a number, the largest node. [Ghorbani et al. 2019]",
            options: [
                ProbeOption("vectors", .count, default: "10", "Random vectors: the errors come from their scatter."),
                ProbeOption(
                    "steps", .count, default: "80", unit: "products",
                    "Lanczos steps a vector: the resolution is about the width of the spectrum over this."),
            ] + ProbeScope.options + [.block]
        ) { arguments, run in
            try SpectralDensityProbe(
                vectors: arguments.integer("vectors") ?? 10, steps: arguments.integer("steps") ?? 80,
                scope: ProbeScope(arguments, run))
        }
    ]

    public let vectors: Int
    public let steps: Int
    public let scope: ProbeScope
    public let seriesNames = ["spectral_density"]

    /// - Throws: `ExperimentError.invalid` for counts below 1.
    public init(vectors: Int = 10, steps: Int = 80, scope: ProbeScope = ProbeScope()) throws {
        guard vectors >= 1, steps >= 1 else {
            throw ExperimentError.invalid(
                "spectral_density takes at least 1 vector and 1 step, not \(vectors) and \(steps)")
        }
        self.vectors = vectors
        self.steps = steps
        self.scope = scope
    }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        var stream = stream
        let density = try naming("spectral_density", run) {
            let density = try spectralDensity(
                of: run.curvature(over: scope), vectors: vectors, steps: steps, stream: &stream)
            guard density.nodes.joined().allSatisfy(\.isFinite) else {
                throw CurvatureError.notFinite(what: "the Hessian")
            }
            return density
        }
        let share = 1 / Double(density.nodes.count)
        let nodes = Array(density.nodes.joined())
        let residuals = Array(density.residuals.joined())
        let top = nodes.indices.max { nodes[$0] < nodes[$1] }
        var measurement =
            Measurement(
                step: run.step, value: top.map { nodes[$0] } ?? .nan, samples: density.nodes.count,
                products: density.products, residual: top.map { residuals[$0] },
                arrays: [
                    "nodes": nodes, "weights": density.weights.joined().map { $0 * share }, "residuals": residuals,
                    "vector": density.nodes.enumerated().flatMap { i, nodes in nodes.map { _ in Double(i) } },
                ])
        measurement.isFinished = density.isFinished
        return [measurement]
    }
}
