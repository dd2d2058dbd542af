import Compute
import Curvature
import LuaBridge

/// Eigenvalues.
func addSpectrum(to operators: ObjectClass<OperatorObject>) {
    operators.method(
        "top", "The algebraically largest eigenvalues, with eigenvectors and residuals.",
        parameters: [Parameter("k", .integer(.positive), default: 1, "How many.")],
        options: [
            Parameter("tolerance", .number(.positive), default: 0.01, "The relative accuracy of the eigenvalues."),
            Parameter("max_products", .integer(.positive), default: 1000, "Where to give up."), .seed,
        ], results: [Parameter("pairs", .object("eigenpairs"), "The eigenpairs.")]
    ) { object, call in
        var stream = RandomStream(seed: try call.seed(), purpose: .eigensolver)
        return EigenpairsObject(
            try topEigenpairs(
                of: object.matrix, k: call.get("k"), tolerance: call.get("tolerance"), stream: &stream,
                maxProducts: call.get("max_products")))
    }
}
