import Datasets
import Experiments
import LuaBridge

final class SeriesObject: LuaObject {
    let series: Series
    private(set) lazy var steps = Result { ArrayObject(try NDArray(series.stepList.map(Int64.init))) }
    private(set) lazy var values = Result { try ArrayObject(series.values) }
    private(set) lazy var standardErrors = Result { try ArrayObject(series.standardErrors) }

    init(_ series: Series) { self.series = series }
}

extension ScriptHost {
    /// `series`: the values of one quantity along a run.
    func seriesClass() -> ObjectClass<SeriesObject> {
        let series = ObjectClass<SeriesObject>("series", "The values of one quantity along a run; a value.")
        series.property("name", .string, "What was measured.") { $0.series.name }
        series.property("steps", .object("array"), unit: "steps", "When it was measured.") { try $0.steps.get() }
        series.property("values", .object("array"), "The values.") { try $0.values.get() }
        series.property("stderrs", .object("array"), "Their standard errors; nan where a value has none.") {
            try $0.standardErrors.get()
        }
        series.method(
            "mean", "The mean of the values.",
            results: [Parameter("mean", .number, "nan for no values, or where one of them is nan.")]
        ) { series, _ in series.series.mean }
        series.method(
            "median", "The median of the values.",
            results: [Parameter("median", .number, "nan for no values, or where one of them is nan.")]
        ) { series, _ in series.series.median }
        series.method("last", "The last value.", results: [Parameter("value", .number.orNil, "nil for no values.")]) {
            series, _ in series.series.last
        }
        series.method(
            "over",
            "Each value divided by the other series' last value at or before its step; by the series 'edge' of a run, by the edge of "
                + "its own curvature, nan where that has none.",
            parameters: [Parameter("other", .object("series"), "The divisor, such as run:series('edge').")],
            results: [Parameter("ratio", .object("series"), "The ratios.")]
        ) { series, call in
            let other: SeriesObject = try call.get("other")
            return SeriesObject(series.series.over(other.series))
        }
        addLists(to: series)
        series.length("How many values it has.") { $0.series.count }
        series.view { Self.view(of: $0.series, line: Self.line(of: $0.series)) }
        series.description { Self.line(of: $0.series) }
        series.external { $0.series.byteCount }
        return series
    }

    private static func line(of series: Series) -> String {
        guard let first = series.stepList.first, let last = series.stepList.last, let value = series.last else {
            return "series '\(series.name)': no values"
        }
        return "series '\(series.name)': \(series.count) values, steps \(first) to \(last), "
            + "mean \(short(series.mean)), last \(short(value))"
    }
}
