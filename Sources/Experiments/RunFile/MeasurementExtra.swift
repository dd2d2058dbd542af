/// What a measurement says of itself beyond the columns of its table, in the JSON object of the column `extra`.
extension Measurement {
    private enum Key {
        static let converged = "converged"
        static let missProbability = "miss_probability"
    }

    /// ``extra`` as it is stored: with ``converged`` and ``missProbability`` among its names. What is no JSON object stays as
    /// it is.
    var storedExtra: String? {
        get throws {
            var added: [String: JSONValue] = [:]
            if let converged { added[Key.converged] = .bool(converged) }
            if let missProbability { added[Key.missProbability] = .number(missProbability) }
            guard !added.isEmpty else { return extra }
            guard let extra else { return try JSONValue.object(added).json() }
            guard case .object(let given)? = try? JSONValue(json: extra) else { return extra }
            return try JSONValue.object(given.merging(added) { $1 }).json()
        }
    }

    /// Takes what ``storedExtra`` added out of ``extra`` again. What stands there in another form is left there: a file may come
    /// from a stranger.
    mutating func takeStoredExtra() {
        guard let extra, case .object(var values)? = try? JSONValue(json: extra) else { return }
        let count = values.count
        if case .bool(let flag)? = values[Key.converged] {
            converged = flag
            values[Key.converged] = nil
        }
        switch values[Key.missProbability] {
        case .number(let share): missProbability = share
        // A whole number has no other spelling in JSON.
        case .integer(let share): missProbability = Double(share)
        default: break
        }
        if missProbability != nil { values[Key.missProbability] = nil }
        guard values.count < count else { return }
        self.extra = values.isEmpty ? nil : try? JSONValue.object(values).json()
    }
}
