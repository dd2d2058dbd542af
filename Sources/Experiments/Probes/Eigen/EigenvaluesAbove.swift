import Compute
import Curvature
import Networks
import Objectives

/// All eigenvalues of the Hessian above a share of the edge of λ_max, however many there are: their number, and with it two lists, `values`
/// and `residuals`. Not a number where the rule has no such edge.
public final class EigenvaluesAbove: EigenvectorProbe {
    static let declarations = [
        ProbeDeclaration(
            "eigenvalues",
            "How many eigenvalues of the Hessian lie above a share of the edge, 2/lr for sgd, with the list of their values.",
            options: [
                ProbeOption(
                    "above", .number(.positive), default: "0.75", "The share of the edge of lambda_max."),
                ProbeOption("at_most", .count, default: "50", "How many are looked for at most."),
                .tolerance, .block,
            ] + ProbeScope.options
        ) { arguments, run in
            EigenvaluesAbove(
                share: try arguments.number("above") ?? 0.75, atMost: try arguments.integer("at_most") ?? 50,
                tolerance: try arguments.number("tolerance") ?? 0.01, scope: try ProbeScope(arguments, run))
        }
    ]

    public let seriesNames = ["eigenvalues"]
    public private(set) var vectors: [Vector] = []
    private let share: Double
    private let atMost: Int
    private let tolerance: Double
    private let scope: ProbeScope
    private var start = SolveStart()

    init(share: Double, atMost: Int, tolerance: Double, scope: ProbeScope) {
        (self.share, self.atMost, self.tolerance, self.scope) = (share, atMost, tolerance, scope)
    }

    private init(copying other: EigenvaluesAbove) {
        (share, atMost, tolerance, scope) = (other.share, other.atMost, other.tolerance, other.scope)
        (vectors, start) = (other.vectors, other.start)
    }

    public func copy() -> any Probe { EigenvaluesAbove(copying: self) }

    public func code(_ coder: StateCoder) throws { try start.code(coder) }

    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        guard let edge = run.edge(of: .lambdaMax) else { return [Measurement(step: run.step, value: .nan)] }
        var stream = stream
        let pairs = try naming("eigenvalues", run) {
            try eigenpairs(
                of: run.curvature(over: scope), above: share * edge, tolerance: tolerance,
                warmStart: start.vectors(near: run),
                stream: &stream, atMost: atMost)
        }
        if !pairs.isFinished { throw Cancelled() }
        vectors = try scope.lifted(pairs.vectors)
        start.keep(pairs.warmStart, of: run)
        return [
            Measurement(
                step: run.step, value: Double(pairs.values.count), products: pairs.products,
                residual: pairs.residuals.max(), arrays: ["values": pairs.values, "residuals": pairs.residuals],
                converged: pairs.converged && pairs.isComplete, missProbability: pairs.missProbability)
        ]
    }
}
