import Experiments
import LuaBridge

/// What self-stabilisation predicts of a run, as scripts hold it.
final class ForecastObject: LuaObject {
    let forecast: StabilizationForecast
    init(_ forecast: StabilizationForecast) { self.forecast = forecast }
}

extension ScriptHost {
    private typealias Quantity = StabilizationForecast.Quantity
    private static let quantity = Parameter(
        "what", .choice(Quantity.allCases.map(\.rawValue)),
        "x = u·v, y = ∇S⊥·v, deviation = ‖v‖, loss, or sharpness; v is the deviation from the constrained trajectory.")

    /// `forecast`: what `run:self_stabilization` gives.
    func forecastClass() -> ObjectClass<ForecastObject> {
        let forecasts = ObjectClass<ForecastObject>(
            "forecast", "Gradient descent at the edge beside what self-stabilisation predicts of it; a value.")
        forecasts.property(
            "start", .integer, unit: "steps", "The first step whose midpoint has a sharpness of 2/lr."
        ) { $0.forecast.start }
        forecasts.property(
            "ended", .string,
            "Why it ended: 'steps', 'second_eigenvalue' (the second one came to 1.9/lr), or 'diverged'."
        ) { $0.forecast.end.rawValue }
        for (name, sentence, path) in [
            ("predicted", "What was predicted, step by step.", \StabilizationForecast.predicted),
            ("real", "What gradient descent did, step by step.", \StabilizationForecast.real),
        ] {
            forecasts.method(
                name, sentence, parameters: [Self.quantity],
                results: [Parameter("series", .object("series"), "The values, by the step of the run.")]
            ) { object, call in
                let what: Quantity = try call.choice("what")
                return SeriesObject(object.forecast[keyPath: path][what] ?? Series(name: what.rawValue))
            }
        }
        forecasts.method(
            "error",
            "How far the prediction is off over all steps, relative to the size of the real values, in the mean square; of deviation, of the vectors.",
            parameters: [Self.quantity], results: [Parameter("error", .number, "The relative error.")]
        ) { object, call in object.forecast.error(of: try call.choice("what")) }
        forecasts.description { object in
            let forecast = object.forecast
            return "self-stabilisation from step \(forecast.start), \(forecast.real[.x]?.count ?? 0) points, "
                + "relative error of the deviation \(short(forecast.error(of: .deviation)))"
        }
        return forecasts
    }

    func addForecast(to runs: ObjectClass<Run>) {
        runs.method(
            "self_stabilization",
            "Follows gradient descent from these parameters to the edge of stability, and from there beside what self-stabilisation predicts: the constrained trajectory and the deviation from it. The run stays where it is. Full batch, f64. [Damian, Nichani & Lee 2022]",
            options: [
                Parameter(
                    "steps", .integer(.positive), default: 100, unit: "steps",
                    "From where the midpoint's sharpness first is 2/lr on."),
                Parameter(
                    "within", .integer(.positive), default: 10_000, unit: "steps", "How many it may take to come there."
                ),
            ], results: [Parameter("forecast", .object("forecast"), "What was predicted, and what was so.")]
        ) { run, call in
            try run.requirePresent("self_stabilization")
            return ForecastObject(
                try run.selfStabilizationForecast(steps: call.get("steps"), within: call.get("within")))
        }
    }
}
