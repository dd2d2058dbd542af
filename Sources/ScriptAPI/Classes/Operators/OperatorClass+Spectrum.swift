import Compute
import Curvature
import Experiments
import LuaBridge

extension ScriptHost {
    /// Eigenvalues.
    func addSpectrum(to operators: ObjectClass<OperatorObject>) {
        addEnd("top", "largest", to: operators) {
            try topEigenpairs(
                of: $0, k: $1, tolerance: $2, warmStart: $3, solver: $4, stream: &$5, maxProducts: $6)
        }
        addEnd("bottom", "smallest", to: operators) {
            try bottomEigenpairs(
                of: $0, k: $1, tolerance: $2, warmStart: $3, solver: $4, stream: &$5, maxProducts: $6)
        }
        operators.method(
            "above",
            "All eigenvalues above a threshold, largest first, with eigenvectors and residuals; there may be none.",
            parameters: [Parameter("threshold", .number(.finite), "Where they begin, such as run.edge.")],
            options: solving + [
                Parameter("at_most", .integer(.positive), default: 100, "The most to return: the largest.")
            ], results: pairsResult
        ) { object, call in
            var stream = try call.eigenStream()
            return EigenpairsObject(
                try eigenpairs(
                    of: object.matrix, above: call.get("threshold"), tolerance: call.get("tolerance"),
                    warmStart: object.warmStart(call), stream: &stream, maxProducts: call.get("max_products"),
                    atMost: call.get("at_most")), object.space.layout)
        }
        operators.method(
            "norm",
            "The operator norm: the magnitude of the eigenvalue farthest from zero, with its residual and vector.",
            options: solving + [solver],
            results: [Parameter("norm", .object("measurement"), "The norm, with the residual and the eigenvector.")]
        ) { object, call in
            var stream = try call.eigenStream()
            let pair = try largestMagnitude(
                of: object.matrix, tolerance: call.get("tolerance"), warmStart: object.warmStart(call),
                solver: call.choice("solver"), stream: &stream, maxProducts: call.get("max_products"))
            return MeasurementObject(
                "norm",
                zip(pair.values, pair.residuals).map { value, residual in
                    var measurement = Measurement(
                        step: 0, value: abs(value), products: pair.products, residual: residual, seconds: pair.seconds)
                    measurement.isFinished = pair.isFinished
                    return measurement
                }, vectors: pair.vectors.map { VectorObject($0, object.space.layout) })
        }
        operators.method(
            "density",
            "The density of the eigenvalues by stochastic Lanczos quadrature: how many eigenvalues there are where.",
            options: densityOptions + [.seed], results: [Parameter("density", .object("density"), "The density.")]
        ) { object, call in DensityObject(try object.density(call), of: object.expression) }
    }
    /// One end of the spectrum: `solve` takes matrix, k, tolerance, warm start, solver, stream, largest number of products.
    private func addEnd(
        _ name: String, _ which: String, to operators: ObjectClass<OperatorObject>,
        solve:
            @escaping (any LinearOperator, Int, Double, [Vector], EigenSolver, inout RandomStream, Int) throws
            -> Eigenpairs
    ) {
        operators.method(
            name, "The algebraically \(which) eigenvalues, \(which) first, with eigenvectors and residuals.",
            parameters: [Parameter("k", .integer(.positive), default: 1, "How many.")],
            options: solving + [solver], results: pairsResult
        ) { object, call in
            var stream = try call.eigenStream()
            return EigenpairsObject(
                try solve(
                    object.matrix, call.get("k"), call.get("tolerance"), object.warmStart(call), call.choice("solver"),
                    &stream, call.get("max_products")), object.space.layout)
        }
    }
}

private let pairsResult = [Parameter("pairs", .object("eigenpairs"), "The eigenpairs.")]

/// The options of `H:density`, which figures of spectra share.
let densityOptions: [Parameter] = [
    Parameter("vectors", .integer(.positive), default: 10, "Random vectors: the error bars come from their scatter."),
    Parameter("steps", .integer(.positive), default: 80, "Products a vector: the resolution is the range over this."),
]

private let solving: [Parameter] = [
    Parameter("tolerance", .number(.positive), default: 0.01, "The relative accuracy of the eigenvalues."),
    Parameter("max_products", .integer(.positive), default: 1000, "Where to give up."),
    .optional("start", .list(of: .vector), "Vectors to start from, such as e.vectors of a solve nearby."), .seed,
]

private let solver = Parameter(
    "solver", .choice(EigenSolver.allCases.map(\.rawValue)), default: "automatic",
    "Lanczos with thick restart, LOBPCG, or whichever costs less.")

extension LuaCall {
    func eigenStream() throws -> RandomStream { RandomStream(seed: try seed(), purpose: .eigensolver) }
}

extension OperatorObject {
    /// The option `start`, in the operator's space.
    fileprivate func warmStart(_ call: borrowing LuaCall) throws -> [Vector] {
        try call.get("start", as: [VectorObject]?.self).map { try fitting($0) } ?? []
    }

    /// The density, by the options `vectors`, `steps` and `seed`.
    func density(_ call: borrowing LuaCall) throws -> SpectralDensity {
        var stream = RandomStream(
            seed: UInt64(try call.get("seed", as: Int?.self) ?? 1), purpose: .vector, index: OperatorStream.density)
        return try spectralDensity(
            of: matrix, vectors: call.get("vectors"), steps: call.get("steps"), stream: &stream)
    }
}
