import Compute
import Curvature
import Datasets
import Experiments
import LuaBridge

/// What `measure` and `H:trace` give: an estimate with its error bar and its cost.
final class MeasurementObject: LuaNumeric {
    let name: String
    let measurements: [Measurement]
    /// What each measurement is called.
    let names: [String]
    let vectors: [VectorObject]
    /// What the value would have been after part of its draws, the last after all; empty where it has none.
    let course: [Double]
    private(set) lazy var values = Result { try ArrayObject(measurements.map(\.value)) }
    private(set) lazy var residuals = Result { try ArrayObject(measurements.map { $0.residual ?? .nan }) }
    private(set) lazy var arrays = Result {
        try (measurements.first?.arrays ?? [:]).mapValues { LuaValue.object(try ArrayObject($0)) }
    }

    /// What it stands for where a number is taken: the value; of several the first.
    var number: Double? { measurements.first?.value }

    init(
        _ name: String, _ measurements: [Measurement], names: [String] = [], vectors: [VectorObject] = [],
        course: DrawCourse? = nil
    ) {
        self.name = name
        self.measurements = measurements
        self.names = names.count == measurements.count ? names : [name]
        self.vectors = vectors
        // A probe may make several estimates on its way to a value that is none of theirs.
        self.course = course?.running.last { $0.count > 1 && $0.last == measurements.first?.value } ?? []
    }

    /// The values by their names.
    var named: [String: LuaValue] {
        Dictionary(zip(names, measurements.map { .number($0.value) }), uniquingKeysWith: { first, _ in first })
    }
}

extension ScriptHost {
    /// `measurement`: what measuring gave, with its error bar and its cost.
    func measurementClass() -> ObjectClass<MeasurementObject> {
        let results = ObjectClass<MeasurementObject>(
            "measurement",
            "A measured value, its error bar and its cost; a number where one is taken, as in m < 3, m / 2 and '%g'. Only == with a number needs m.value."
        )
        results.property("name", .string, "What was measured.") { $0.name }
        results.property("value", .number, "The value; of several the first.") { $0.measurements.first?.value }
        results.property("stderr", .number.orNil, "Its standard error; nil where it has none.") {
            $0.measurements.first?.standardError
        }
        results.property(
            "interval",
            LuaType.record([Parameter("lo", .number, "Its lower end."), Parameter("hi", .number, "Its upper end.")])
                .orNil,
            "The 95 % confidence interval, its lo and its hi; nil without a standard error."
        ) { $0.measurements.first.flatMap(interval) }
        results.property(
            "named", .map(of: .number), "All values by the names of their series: lambda_max, lambda_max_2, …."
        ) { LuaRecord($0.named, called: "the values of \($0.name)") }
        results.property(
            "arrays", .map(of: .object("array")), "Lists of numbers that belong to the value, by name: 'nodes', say."
        ) { result in
            LuaRecord(try result.arrays.get(), called: "the lists of \(result.name)")
        }
        results.property(
            "operations", .number, unit: "multiply-adds", "What it took by the cost model, the same on every machine."
        ) { $0.measurements.first?.operations }
        results.property("samples", .integer, "How many samples (batches, vectors) it took.") {
            $0.measurements.first?.samples
        }
        results.property("products", .integer, "How many matrix-vector products it took.") {
            $0.measurements.first?.products
        }
        results.property("residual", .number, "The residual of an eigenvalue.") { $0.measurements.first?.residual }
        results.property(
            "converged", .boolean.orNil,
            "Of an eigenvalue: whether the solver met its tolerance; nil for other quantities."
        ) { $0.measurements.first?.converged }
        results.property(
            "miss_probability", .number.orNil,
            "Of an eigenvalue: how likely the start may have hidden one far beyond it, at most; nil for other quantities."
        ) { $0.measurements.first?.missProbability }
        results.property("seconds", .number, unit: "seconds", "How long it took.") { $0.measurements.first?.seconds }
        results.property("step", .integer, unit: "steps", "At which step.") { $0.measurements.first?.step }
        results.property("finished", .boolean, "False where measuring was cancelled: what was found by then.") {
            $0.measurements.allSatisfy(\.isFinished)
        }
        results.property("values", .object("array"), "All values: of lambda_max the k eigenvalues.") {
            try $0.values.get()
        }
        results.property("residuals", .object("array"), "Their residuals; nan where they have none.") {
            try $0.residuals.get()
        }
        results.property("vectors", .list(of: .vector), "Eigenvectors, where there are any.") { $0.vectors }
        addNumberOperators(to: results)
        results.description { result in
            guard let first = result.measurements.first else { return result.name }
            var text = "\(result.name) = \(result.measurements.map { short($0.value) }.joined(separator: ", "))"
            if let error = first.standardError { text += " ± \(short(error))" }
            if let samples = first.samples { text += ", \(samples) samples" }
            if let products = first.products { text += ", \(products) products" }
            if let residual = first.residual { text += ", residual \(short(residual))" }
            if let miss = first.missProbability { text += ", miss probability \(short(miss))" }
            if first.converged == false { text += ", not converged" }
            if !result.measurements.allSatisfy(\.isFinished) { text += unfinished }
            return text
        }
        results.view { [unowned self] in view(of: $0) }
        results.external { $0.vectors.reduce(0) { $0 + $1.vector.count * $1.vector.element.byteCount } }
        return results
    }

    /// A measurement in arithmetic and comparisons is its value, as Lua computes with numbers. (Lua takes a number and an object for
    /// different without asking, so `m == 3` is false whatever m is.)
    private func addNumberOperators(to results: ObjectClass<MeasurementObject>) {
        let operators: [(LuaOperator, String, (Double, Double) -> Double)] = [
            (.add, "+", { $0 + $1 }), (.subtract, "-", { $0 - $1 }), (.multiply, "*", { $0 * $1 }),
            (.divide, "/", { $0 / $1 }),
            (.power, "^", luaPower), (.floorDivide, "//", { ($0 / $1).rounded(.down) }), (.modulo, "%", luaModulo),
        ]
        for (symbol, spelling, body) in operators {
            results.infix(symbol, "number \(spelling) number", .number) { (a: Double, b: Double) in body(a, b) }
        }
        results.infix(.less, "number < number", .boolean) { (a: Double, b: Double) in a < b }
        results.infix(.lessOrEqual, "number <= number", .boolean) { (a: Double, b: Double) in a <= b }
        results.infix(.equal, "measurement == measurement", .boolean) { (a: MeasurementObject, b: MeasurementObject) in
            a.number == b.number
        }
        results.negation(.number) { -($0.number ?? .nan) }
    }
}

/// What a result that was cancelled says of itself when it is shown.
let unfinished = ", unfinished: it was interrupted"

/// What the estimate says of itself; of a standard error alone by Student's t, with a degree of freedom less than samples.
private func interval(_ measurement: Measurement) -> LuaRecord? {
    measurement.ends.map { LuaRecord(["lo": .number($0.low), "hi": .number($0.high)], called: "an interval") }
}

extension Measurement {
    /// The ends of its 95 % interval; nil without a standard error.
    var ends: (low: Double, high: Double)? {
        if let interval { return (interval.lowerBound, interval.upperBound) }
        guard let standardError, let samples else { return nil }
        let (low, high) = Estimate(value: value, standardError: standardError, samples: samples).interval(0.95)
        return (low, high)
    }
}
