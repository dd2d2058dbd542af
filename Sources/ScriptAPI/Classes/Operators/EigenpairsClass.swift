import Curvature
import LuaBridge
import Networks
import RunFiles

final class EigenpairsObject: LuaObject {
    let pairs: Eigenpairs
    let vectors: [VectorObject]
    private(set) lazy var values = Result { try ArrayObject(pairs.values) }
    private(set) lazy var residuals = Result { try ArrayObject(pairs.residuals) }

    init(_ pairs: Eigenpairs, _ layout: ParameterLayout?) {
        self.pairs = pairs
        vectors = pairs.vectors.map { VectorObject($0, layout) }
    }
}

extension ScriptHost {
    /// `eigenpairs`: what `H:top`, `H:bottom` and `H:above` give.
    func eigenpairsClass() -> ObjectClass<EigenpairsObject> {
        let pairs = ObjectClass<EigenpairsObject>(
            "eigenpairs", "Eigenvalues with their eigenvectors and residuals; a value.")
        pairs.property("values", .object("array"), "The eigenvalues, in the order asked for.") {
            try $0.values.get()
        }
        pairs.property("vectors", .list(of: .vector), "Their eigenvectors, orthonormal.") { $0.vectors }
        pairs.property("residuals", .object("array"), "The norms of Hv − λv.") { try $0.residuals.get() }
        pairs.property("products", .integer, "How many matrix-vector products it took.") { $0.pairs.products }
        pairs.property("value", .number.orNil, "The first eigenvalue; nil where there is none.") {
            $0.pairs.values.first
        }
        pairs.property("residual", .number, "Its residual.") { $0.pairs.residuals.first }
        pairs.property("solver", .string, "Which solver found them: 'lanczos' or 'lobpcg'.") {
            $0.pairs.solver.rawValue
        }
        pairs.property(
            "complete", .boolean, "False where more eigenvalues lie above the threshold than H:above may return."
        ) {
            $0.pairs.isComplete
        }
        pairs.property(
            "miss_probability", .number,
            "How likely the start may have hidden an eigenvalue far beyond the first: at most this."
        ) { $0.pairs.missProbability }
        pairs.property("converged", .boolean, "Whether every pair meets the tolerance.") { $0.pairs.converged }
        pairs.property("seconds", .number, unit: "seconds", "How long it took.") { $0.pairs.seconds }
        pairs.property("finished", .boolean, "False where the solve was cancelled: what was found by then.") {
            $0.pairs.isFinished
        }
        pairs.length("How many pairs there are.") { $0.pairs.values.count }
        func state(of pairs: Eigenpairs) -> String {
            let values = zip(pairs.values, pairs.residuals).map { "\(short($0)) (residual \(short($1)))" }
            return (values.isEmpty ? "no eigenvalues" : values.joined(separator: ", ")) + ", \(pairs.products) products"
                + (pairs.converged ? "" : ", not converged") + (pairs.isFinished ? "" : unfinished)
        }
        pairs.description { state(of: $0.pairs) }
        pairs.view { object in
            let pairs = object.pairs
            guard pairs.values.count > 1 else { return state(of: pairs) }
            var table = TextTable([.init(""), .init("value"), .init("residual")])
            for (place, (value, residual)) in zip(pairs.values, pairs.residuals).enumerated() {
                table.add(["\(place + 1)", short(value), short(residual)])
            }
            let rest =
                "\(pairs.products) products" + (pairs.converged ? "" : ", not converged")
                + (pairs.isFinished ? "" : unfinished)
            return (table.lines() + [rest]).joined(separator: "\n")
        }
        pairs.external { $0.vectors.reduce(0) { $0 + $1.vector.count * $1.vector.element.byteCount } }
        return pairs
    }
}
