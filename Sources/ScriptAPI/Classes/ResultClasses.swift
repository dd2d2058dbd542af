import Compute
import Datasets
import Experiments
import LuaBridge

/// `measurement`: what measuring gave, with its error bar and its cost.
func measurementClass() -> ObjectClass<MeasurementObject> {
    let results = ObjectClass<MeasurementObject>("measurement", "A measured value, its error bar and its cost.")
    results.property("name", .string, "What was measured.") { $0.name }
    results.property("value", .number, "The value; of several the first.") { $0.measurements.first?.value }
    results.property("stderr", .number, "Its standard error; nil where it has none.") {
        $0.measurements.first?.standardError
    }
    results.property("samples", .integer, "How many samples (batches, vectors) it took.") {
        $0.measurements.first?.samples
    }
    results.property("products", .integer, "How many matrix-vector products it took.") {
        $0.measurements.first?.products
    }
    results.property("residual", .number, "The residual of an eigenvalue.") { $0.measurements.first?.residual }
    results.property("seconds", .number, unit: "seconds", "How long it took.") { $0.measurements.first?.seconds }
    results.property("step", .integer, unit: "steps", "At which step.") { $0.measurements.first?.step }
    results.property("values", .object("array"), "All values: of lambda_max the k eigenvalues.") {
        try ArrayObject($0.measurements.map(\.value))
    }
    results.property("residuals", .object("array"), "Their residuals; nan where they have none.") {
        try ArrayObject($0.measurements.map { $0.residual ?? .nan })
    }
    results.property("vectors", .list(of: .vector), "Eigenvectors, where there are any.") { $0.vectors }
    results.description { result in
        guard let first = result.measurements.first else { return result.name }
        var text = "\(result.name) = \(result.measurements.map { short($0.value) }.joined(separator: ", "))"
        if let error = first.standardError { text += " ± \(short(error))" }
        if let samples = first.samples { text += ", \(samples) samples" }
        if let products = first.products { text += ", \(products) products" }
        if let residual = first.residual { text += ", residual \(short(residual))" }
        return text
    }
    results.external { $0.vectors.reduce(0) { $0 + $1.vector.count * $1.vector.element.byteCount } }
    return results
}

/// `eigenpairs`: what `H:top(k)` gives.
func eigenpairsClass() -> ObjectClass<EigenpairsObject> {
    let pairs = ObjectClass<EigenpairsObject>("eigenpairs", "Eigenvalues with their eigenvectors, largest first.")
    pairs.property("values", .object("array"), "The eigenvalues, largest first.") { try ArrayObject($0.pairs.values) }
    pairs.property("vectors", .list(of: .vector), "Their eigenvectors, orthonormal.") { $0.vectors }
    pairs.property("residuals", .object("array"), "The norms of Hv − λv.") { try ArrayObject($0.pairs.residuals) }
    pairs.property("products", .integer, "How many matrix-vector products it took.") { $0.pairs.products }
    pairs.property("converged", .boolean, "Whether every pair meets the tolerance.") { $0.pairs.converged }
    pairs.property("seconds", .number, unit: "seconds", "How long it took.") { $0.pairs.seconds }
    pairs.length { $0.pairs.values.count }
    pairs.description { object in
        let pairs = object.pairs
        let values = zip(pairs.values, pairs.residuals).map { "\(short($0)) (residual \(short($1)))" }
        return values.joined(separator: ", ") + ", \(pairs.products) products"
            + (pairs.converged ? "" : ", not converged")
    }
    pairs.external { $0.vectors.reduce(0) { $0 + $1.vector.count * $1.vector.element.byteCount } }
    return pairs
}

/// `evaluation`: what `run:evaluate` gives.
func evaluationClass() -> ObjectClass<EvaluationObject> {
    let results = ObjectClass<EvaluationObject>("evaluation", "Losses and outputs over samples.")
    results.property("loss", .number, "The mean of the losses.") { $0.evaluation.loss }
    results.property("accuracy", .number, "The share of samples classified right; nil without classes.") { $0.accuracy }
    results.property("losses", .object("array"), "The loss of each sample.") { try ArrayObject($0.evaluation.losses) }
    results.property("outputs", .object("array"), "The network's output for each sample.") { result in
        let shape = [result.evaluation.losses.count] + result.outputShape
        return ArrayObject(try NDArray(result.evaluation.outputs, shape: shape))
    }
    results.description { result in
        "loss \(short(result.evaluation.loss)) over \(result.evaluation.losses.count) samples"
            + (result.accuracy.map { ", accuracy \(short($0))" } ?? "")
    }
    results.external { ($0.evaluation.losses.count + $0.evaluation.outputs.count) * 8 }
    return results
}
