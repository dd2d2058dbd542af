import Compute
import Curvature
import Experiments
import LuaBridge

extension ScriptHost {
    /// Trace and diagonal with error bars, and linear systems.
    func addEstimates(to operators: ObjectClass<OperatorObject>) {
        operators.method(
            "trace", "The trace, estimated with random vectors; exact where as many would be taken as there are rows.",
            options: [
                Parameter(
                    "method", .choice(TraceMethod.allCases.map(\.rawValue)), default: "hutchinson",
                    "Hutchinson: quadratic forms; hutch++ and xtrace: products, better where few eigenvalues dominate.")
            ]
                + sampling(
                    relativeError: 0.01, minSamples: 20, maxSamples: 256,
                    "Take exactly so many vectors (hutch++ and xtrace: products)."),
            results: [Parameter("trace", .object("measurement"), "The estimate.")]
        ) { object, call in
            var stream = RandomStream(seed: try call.seed(), purpose: .vector, index: OperatorStream.trace)
            let course = DrawCourse()
            let estimate = try DrawCourse.$current.withValue(course) {
                try trace(of: object.matrix, method: call.choice("method"), samples: call.stopping(), stream: &stream)
            }
            return MeasurementObject("trace", [Measurement(step: 0, estimate)], course: course)
        }
        operators.method(
            "frobenius",
            "The Frobenius norm, the root of the sum of all squared elements, from products with random signs; exact where as many would be taken as there are rows.",
            options: sampling(relativeError: 0.01, minSamples: 20, maxSamples: 256, "Take exactly so many vectors."),
            results: [Parameter("norm", .object("measurement"), "The estimate.")]
        ) { object, call in
            var stream = RandomStream(seed: try call.seed(), purpose: .vector, index: OperatorStream.frobenius)
            let course = DrawCourse()
            let estimate = try DrawCourse.$current.withValue(course) {
                try frobeniusNorm(of: object.matrix, samples: call.stopping(), stream: &stream)
            }
            return MeasurementObject("frobenius", [Measurement(step: 0, estimate)], course: course)
        }
        operators.method(
            "diagonal",
            "The diagonal, estimated with random signs; exact where as many would be taken as there are rows.",
            options: [Parameter("exact", .boolean, default: false, "By a quadratic form for each row.")]
                + sampling(
                    relativeError: 0.05, minSamples: 20, maxSamples: 256, "Take exactly so many vectors.",
                    of: "norm of the standard errors over that of the diagonal"),
            results: [Parameter("diagonal", .object("diagonal"), "The diagonal with the error of each entry.")]
        ) { object, call in
            if try call.get("exact", as: Bool.self) {
                return DiagonalObject(try exactDiagonal(of: object.matrix), in: object.space)
            }
            var stream = RandomStream(seed: try call.seed(), purpose: .vector, index: OperatorStream.diagonal)
            return DiagonalObject(
                try diagonal(of: object.matrix, samples: call.stopping(), stream: &stream), in: object.space)
        }
        operators.method(
            "solve", "x with (A + damping·I)x = b, by conjugate gradients, for a matrix that is positive definite.",
            parameters: [Parameter("b", .vector, "The right-hand side.")],
            options: [
                Parameter("damping", .number(.finite), default: 0, "What is added to the diagonal."),
                Parameter("tolerance", .number(.positive), default: 1e-5, "The residual to reach, relative to |b|."),
                Parameter("max_products", .integer(.positive), default: 1000, "Where to give up."),
                .optional("start", .vector, "Where to begin; zero by default."),
            ], results: [Parameter("solution", .object("solution"), "The solution with its residual and its cost.")]
        ) { object, call in
            let start: VectorObject? = try call.get("start")
            return SolutionObject(
                try solve(
                    object.matrix, object.space.fitting(call.get("b")), damping: call.get("damping"),
                    tolerance: call.get("tolerance"), start: start.map { try object.space.fitting($0) },
                    maxProducts: call.get("max_products")), in: object.space)
        }
    }
}

/// The options that say when an estimate has enough samples.
func sampling(
    relativeError: Double, minSamples: Int, maxSamples: Int, _ exactly: String,
    of quotient: String = "standard error over the value"
) -> [Parameter] {
    [
        .optional("samples", .integer(.positive), exactly),
        Parameter("rel_error", .number(.nonNegative), default: .number(relativeError), "Stop at this \(quotient)."),
        Parameter("min_samples", .integer(.positive), default: .integer(minSamples), "Vectors to take at least."),
        Parameter("max_samples", .integer(.positive), default: .integer(maxSamples), "Vectors to take at most."), .seed,
    ]
}

extension LuaCall {
    /// When to stop, of the options `samples`, `rel_error`, `min_samples` and `max_samples`.
    func stopping() throws -> MonteCarlo {
        let exactly: Int? = try get("samples")
        if exactly != nil, let other = try ["rel_error", "min_samples", "max_samples"].first(where: { try has($0) }) {
            throw ArgumentError("'samples' says exactly how many: leave out '\(other)'")
        }
        // Where only one end is given, the other moves with it.
        let (least, most): (Int, Int) = (try get("min_samples"), try get("max_samples"))
        let low = try has("min_samples") ? least : min(least, most)
        let high = try has("max_samples") ? most : max(least, most)
        return try MonteCarlo(
            relativeError: exactly == nil ? get("rel_error") : 0, minSamples: exactly ?? low,
            maxSamples: exactly ?? high, chunk: 4)
    }
}
