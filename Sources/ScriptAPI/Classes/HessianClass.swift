import Compute
import Curvature
import Experiments
import LuaBridge

/// `hessian`: the Hessian of a run's loss at one point.
func hessianClass() -> ObjectClass<HessianObject> {
    let operators = ObjectClass<HessianObject>(
        "hessian", "The Hessian at the parameters of one moment, known by its products.")
    operators.property("dimension", .integer, "Its number of rows.") { $0.hessian.dimension }
    operators.property("products", .integer, "Products made so far.") { $0.hessian.products }
    operators.method(
        "top", "The algebraically largest eigenvalues, with eigenvectors and residuals.",
        parameters: [Parameter("k", .integer(.positive), default: 1, "How many.")],
        options: [
            Parameter("tolerance", .number(.positive), default: 0.01, "The relative accuracy of the eigenvalues."),
            Parameter("max_products", .integer(.positive), default: 1000, "Where to give up."), .seed,
        ], results: [Parameter("pairs", .object("eigenpairs"), "The eigenpairs.")]
    ) { hessian, call in
        var stream = RandomStream(seed: try call.seed(), purpose: .eigensolver)
        return EigenpairsObject(
            try topEigenpairs(
                of: hessian.hessian, k: call.get("k"), tolerance: call.get("tolerance"), stream: &stream,
                maxProducts: call.get("max_products")))
    }
    operators.method(
        "trace", "The trace by Hutchinson's estimator with random signs.",
        options: [
            .optional("samples", .integer(.positive), "Take exactly so many vectors."),
            Parameter("rel_error", .number(.nonNegative), default: 0.01, "Stop at this relative standard error."),
            Parameter("min_samples", .integer(.positive), default: 20, "Vectors to take at least."),
            Parameter("max_samples", .integer(.positive), default: 256, "Vectors to take at most."), .seed,
        ], results: [Parameter("trace", .object("measurement"), "The estimate.")]
    ) { hessian, call in
        var stream = RandomStream(seed: try call.seed(), purpose: .vector, index: 1)
        let exactly: Int? = try call.get("samples")
        let stopping = try MonteCarlo(
            relativeError: exactly == nil ? call.get("rel_error") : 0,
            minSamples: exactly ?? call.get("min_samples"), maxSamples: exactly ?? call.get("max_samples"), chunk: 4)
        let estimate = try trace(of: hessian.hessian, samples: stopping, stream: &stream)
        return MeasurementObject(
            "trace",
            [
                Measurement(
                    step: 0, value: estimate.value, standardError: estimate.standardError, samples: estimate.samples,
                    products: estimate.products, seconds: estimate.seconds)
            ])
    }
    operators.method(
        "quadratic", "vᵀHv, by one backward and one forward sweep.",
        parameters: [Parameter("v", .vector, "The direction.")],
        results: [Parameter("value", .number, "The quadratic form.")]
    ) { hessian, call in
        try hessian.hessian.quadratic(call.get("v", as: VectorObject.self).fitting(hessian.hessian))
    }
    operators.infix(.multiply, "hessian * vector") { (hessian: HessianObject, v: VectorObject) in
        VectorObject(try hessian.hessian.apply(v.fitting(hessian.hessian)))
    }
    operators.length { $0.hessian.dimension }
    operators.description { object in
        let hessian = object.hessian
        return "hessian of dimension \(hessian.dimension) (\(hessian.element.rawValue)), \(hessian.products) products"
    }
    operators.external { $0.externalBytes }
    return operators
}

extension VectorObject {
    fileprivate func fitting(_ matrix: some LinearOperator) throws -> Vector {
        guard vector.count == matrix.dimension else {
            throw ArgumentError("a vector of \(vector.count) numbers for a matrix of dimension \(matrix.dimension)")
        }
        return try vector.converted(to: matrix.element)
    }
}
