import Compute
import Curvature
import Experiments
import LuaBridge

/// Estimates with error bars.
func addEstimates(to operators: ObjectClass<OperatorObject>) {
    operators.method(
        "trace", "The trace by Hutchinson's estimator with random signs.",
        options: [
            .optional("samples", .integer(.positive), "Take exactly so many vectors."),
            Parameter("rel_error", .number(.nonNegative), default: 0.01, "Stop at this relative standard error."),
            Parameter("min_samples", .integer(.positive), default: 20, "Vectors to take at least."),
            Parameter("max_samples", .integer(.positive), default: 256, "Vectors to take at most."), .seed,
        ], results: [Parameter("trace", .object("measurement"), "The estimate.")]
    ) { object, call in
        var stream = RandomStream(seed: try call.seed(), purpose: .vector, index: 1)
        let exactly: Int? = try call.get("samples")
        let stopping = try MonteCarlo(
            relativeError: exactly == nil ? call.get("rel_error") : 0,
            minSamples: exactly ?? call.get("min_samples"), maxSamples: exactly ?? call.get("max_samples"), chunk: 4)
        let estimate = try trace(of: object.matrix, samples: stopping, stream: &stream)
        return MeasurementObject(
            "trace",
            [
                Measurement(
                    step: 0, value: estimate.value, standardError: estimate.standardError, samples: estimate.samples,
                    products: estimate.products, seconds: estimate.seconds)
            ])
    }
}
