import Experiments
import LuaBridge

extension ScriptHost {
    /// The lists of numbers that belong to a series' values: sketches.
    func addLists(to series: ObjectClass<SeriesObject>) {
        series.property(
            "arrays", .list(of: .string), "The names of the lists of numbers that its values have: 'sketch', say."
        ) { $0.series.arrayNames }
        series.method(
            "array", "A list of numbers that belongs to a value, such as its sketch.",
            parameters: [
                Parameter("index", .integer(.positive), "Of which value, as in series.values[index]."),
                .optional("name", .string, "Which list; may be left out where there is but one beside 'recipe'."),
            ], results: [Parameter("array", .object("array").orNil, "The numbers; nil where the value has none.")]
        ) { object, call -> LuaValue in
            let series = object.series
            let index: Int = try call.get("index")
            guard index <= series.count else {
                throw ArgumentError(
                    "series:array: '\(series.name)' has \(series.count) values, there is no value \(index)")
            }
            let name = try call.get("name", as: String?.self) ?? series.onlyList()
            guard series.arrayNames.contains(name) else {
                throw ArgumentError("series:array: '\(series.name)' has no lists '\(name)'; \(series.listsInWords)")
            }
            guard let numbers = series.arrays[index - 1]?[name] else { return .nil }
            return .object(try ArrayObject(numbers))
        }
        series.method(
            "distance",
            "The distance between the lists of two series, such as the sketches of two runs, at common steps.",
            parameters: [Parameter("other", .object("series"), "The series of the other run.")],
            options: [Parameter("name", .string, default: "sketch", "Which lists.")],
            results: [Parameter("distances", .object("series"), "At the steps that both were measured at.")]
        ) { object, call in
            let other: SeriesObject = try call.get("other")
            return SeriesObject(try object.series.distance(to: other.series, list: call.get("name")))
        }
    }
}

extension Series {
    fileprivate var listsInWords: String {
        arrayNames.isEmpty ? "it has none" : "it has \(arrayNames.joined(separator: ", "))"
    }

    fileprivate func onlyList() throws -> String {
        let names = arrayNames.filter { $0 != "recipe" }
        guard names.count == 1 else {
            throw ArgumentError("series:array: name the list of '\(name)'; \(listsInWords)")
        }
        return names[0]
    }
}
