import Compute
import Curvature
import Experiments
import LuaBridge
import Networks
import Objectives

extension ScriptHost {
    /// The curvature matrices of a run, as operators.
    func addCurvature(to runs: ObjectClass<Run>) {
        for (matrix, summary) in matrices {
            runs.method(
                matrix.rawValue, "\(summary), known by its products; it keeps the parameters of this moment.",
                options: curvatureOptions + (matrix == .fisher ? [sampledLabels] : []),
                results: [Parameter(matrix.rawValue, .object("operator"), "The operator.")]
            ) { run, call in
                let isSampled = try matrix == .fisher && call.get("sampled", as: Bool.self)
                return try curvature(matrix, of: run, call, usesSeed: isSampled, drawingLabels: isSampled)
            }
        }
        runs.method(
            "preconditioner", "What the optimizer divides its step by, without lr, after its last gradient.",
            options: [
                .optional(
                    "gradient", .vector,
                    "As it will be once this gradient has entered: run:gradient() for P at these parameters, as "
                        + "preconditioned_lambda_max has it.")
            ], results: [Parameter("preconditioner", .object("preconditioner"), "The diagonal matrix P.")]
        ) { run, call in
            let gradient: VectorObject? = try call.get("gradient")
            return try run.preconditioner(after: gradient.map { try run.fitting($0, "gradient") })
        }
    }
}

private let matrices: [(CurvatureMatrix, String)] = [
    (.hessian, "The Hessian of the loss"),
    (.ggn, "The Gauss-Newton matrix, the mean of JᵢᵀCᵢJᵢ with the loss's curvature Cᵢ in a sample's outputs"),
    (.fisher, "The empirical Fisher matrix, the mean of gᵢgᵢᵀ with the gradient gᵢ of a sample's loss"),
    (.ntk, "The neural tangent kernel in the space of parameters, the mean of JᵢᵀJᵢ"),
]

/// Over which samples, where, and which part of it.
let curvatureOptions: [Parameter] =
    Parameter.here + [
        .optional("batches", .list(of: .samples), "Lists of sample numbers: the mean over these batches."),
        .optional(
            "samples", .integer(.positive), unit: "samples", "Over so many training samples, drawn once by 'seed'."),
        .optional(
            "seed", .integer(.nonNegative), "Of the samples drawn; the run's by default, so that probes draw the same."),
        .optional(
            "block", .names,
            "The block of these parameters: names, beginnings of names such as 'layers.1', patterns such as 'layers.*.weight'; with '-' before them what is left out: '-*.bias'."
        ),
    ]

/// Of the Fisher matrix: whose labels.
private let sampledLabels = Parameter(
    "sampled", .boolean, default: false,
    "With labels drawn once by 'seed' from what the network itself says, in place of those of the data: ce softmax(f), bce sigmoid(f), mse N(f, 1/2), half_mse N(f, 1), mse_mean N(f, K/2). Its mean over seeds is the Gauss-Newton matrix."
)

/// The matrix that a call's options describe.
///
/// - Parameters:
///   - usesSeed: whether the caller draws by `seed` too, so that it has a meaning without `samples`.
///   - drawingLabels: whether labels are drawn from the model's own distribution, by `seed`.
func curvature(
    _ matrix: CurvatureMatrix, of run: Run, _ call: borrowing LuaCall, usesSeed: Bool = false,
    drawingLabels: Bool = false
) throws -> OperatorObject {
    let (oracle, point) = (try call.oracle(of: run), try call.point(of: run))
    var stream = RandomStream(
        seed: try call.get("seed", as: Int?.self).map(UInt64.init) ?? run.seed, purpose: .vector,
        index: OperatorStream.labels)
    let objects = try call.selections(of: run, usesSeed: usesSeed).map { samples in
        let own =
            try drawingLabels
            ? CurvatureOperator(
                matrix, of: oracle.drawingTargets(at: point, over: samples, stream: &stream), at: point)
            : CurvatureOperator(matrix, of: oracle, at: point, over: samples)
        return OperatorObject(
            own, kind: drawingLabels ? "sampled_fisher" : matrix.rawValue, of: run, over: samples)
    }
    let whole = try objects.count == 1 ? objects[0] : mean(of: objects, "run:\(matrix.rawValue)")
    return try call.has("block") ? whole.restricted(to: call.names("block")) : whole
}

extension LuaCall {
    /// The samples of `batch`, of each of `batches`, or as many as `samples` says; all of them by default.
    fileprivate func selections(of run: Run, usesSeed: Bool) throws -> [BatchSelection] {
        let given = try ["batch", "batches", "samples"].filter { try has($0) }
        guard given.count <= 1 else {
            throw ArgumentError(
                "\(given.map { "'\($0)'" }.joined(separator: " and ")): give one of batch, batches and samples")
        }
        if !usesSeed, try !has("samples"), try has("seed") {
            throw ArgumentError("'seed' belongs to 'samples', which it draws")
        }
        if let batches: [[Int]] = try get("batches", as: [[Int]]?.self) {
            guard !batches.isEmpty else { throw ArgumentError("'batches' is empty: name at least one batch") }
            return try batches.map { .indices(try run.sampleNumbers($0, "batches")) }
        }
        guard let count: Int = try get("samples", as: Int?.self) else { return [try selection(of: run)] }
        let all = run.data.train.count
        guard count <= all else {
            throw ArgumentError("'samples' is \(count): run '\(run.name)' has \(all) training samples")
        }
        let seed = try get("seed", as: Int?.self).map(UInt64.init)
        return [.indices(ProbeScope.draw(count, of: run, seed: seed))]
    }
}
