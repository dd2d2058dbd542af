/// What measuring gave, in the journal of a run.
extension Measurement {
    var json: JSONValue {
        var object: [String: JSONValue] = ["step": .integer(step), "value": JSONValue(exactly: value)]
        func put(_ name: String, _ number: Double?) { if let number { object[name] = JSONValue(exactly: number) } }
        put("standard_error", standardError)
        put("residual", residual)
        put("seconds", seconds)
        put("operations", operations)
        put("miss_probability", missProbability)
        put("low", interval?.lowerBound)
        put("high", interval?.upperBound)
        if let samples { object["samples"] = .integer(samples) }
        if let products { object["products"] = .integer(products) }
        if let converged { object["converged"] = .bool(converged) }
        if !isFinished { object["is_finished"] = .bool(false) }
        if let extra { object["extra"] = .string(extra) }
        if let arrays {
            object["arrays"] = .object(arrays.mapValues { .array($0.map { JSONValue(exactly: $0) }) })
        }
        return .object(object)
    }

    init?(json: JSONValue) {
        guard case .object(let object) = json, let step = object["step"]?.wholeNumber,
            let value = object["value"]?.realNumber
        else { return nil }
        var interval: ClosedRange<Double>?
        if let low = object["low"]?.realNumber, let high = object["high"]?.realNumber, low <= high {
            interval = low...high
        }
        var arrays: [String: [Double]]?
        if case .object(let lists)? = object["arrays"] { arrays = lists.compactMapValues { $0.list(\.realNumber) } }
        var converged: Bool?
        if case .bool(let flag)? = object["converged"] { converged = flag }
        self.init(
            step: step, value: value, standardError: object["standard_error"]?.realNumber,
            samples: object["samples"]?.wholeNumber, products: object["products"]?.wholeNumber,
            residual: object["residual"]?.realNumber, seconds: object["seconds"]?.realNumber,
            operations: object["operations"]?.realNumber, arrays: arrays, extra: object["extra"]?.text,
            interval: interval, converged: converged, missProbability: object["miss_probability"]?.realNumber)
        isFinished = object["is_finished"] != .bool(false)
    }
}
