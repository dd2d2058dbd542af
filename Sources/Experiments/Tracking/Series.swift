import Dynamics

/// The values of one quantity along a run, in the order they were measured.
public struct Series: Sendable {
    public let name: String
    /// When the values were measured: no memory where steps go on in equal strides.
    public private(set) var stepList: StepList
    public private(set) var values: [Double]
    /// Standard errors; not a number where the value has none.
    public private(set) var errors: RepeatedNumbers
    /// Lists of numbers that belong to values, such as sketches, by the value's place from 0 and the list's name.
    public private(set) var arrays: [Int: [String: [Double]]] = [:]
    /// Of the series `edge` of a run: the rule's edges of each curvature, since when each holds. By way of it another series is
    /// compared with the edge of its own curvature.
    var edges: [EdgeQuantity: Series]?
    /// Beside them, what the run's series measure that the program calls otherwise (``RunHistory/catalogueName(of:)``).
    var catalogueNames: [String: String] = [:]

    public init(name: String, steps: [Int] = [], values: [Double] = [], standardErrors: [Double]? = nil) {
        precondition(steps.count == values.count, "a series has a value for each step")
        self.name = name
        stepList = StepList(steps)
        self.values = values
        errors = standardErrors.map { RepeatedNumbers($0) } ?? RepeatedNumbers(repeating: .nan, count: steps.count)
    }

    /// ``stepList`` as an array, made at each access.
    public var steps: [Int] { Array(stepList) }
    /// ``errors`` as an array, made at each access.
    public var standardErrors: [Double] { Array(errors) }

    /// Of what a file has.
    public init(name: String, measurements: [Measurement]) {
        self.init(name: name)
        for measurement in measurements { append(measurement) }
    }

    public var count: Int { values.count }

    mutating func append(_ measurement: Measurement) {
        append(measurement.step, measurement.value, measurement.standardError ?? .nan)
        if let lists = measurement.arrays, !lists.isEmpty { arrays[count - 1] = lists }
    }

    private mutating func append(_ step: Int, _ value: Double, _ error: Double) {
        stepList.append(step)
        values.append(value)
        errors.append(error)
    }

    mutating func append(contentsOf later: Series) {
        for (place, lists) in later.arrays { arrays[count + place] = lists }
        stepList.append(contentsOf: later.stepList)
        values += later.values
        errors.append(contentsOf: later.errors)
    }

    /// The values of a chunk at these places.
    mutating func append(contentsOf chunk: MeasurementChunk, _ places: Range<Int>) {
        for index in places { append(chunk.steps[index], chunk.values[index], .nan) }
    }

    mutating func removeFirst(_ dropped: Int) {
        stepList.removeFirst(dropped)
        values.removeFirst(dropped)
        errors.removeFirst(dropped)
        if arrays.isEmpty { return }
        arrays = Dictionary(
            uniqueKeysWithValues: arrays.compactMap { $0 < dropped ? nil : ($0 - dropped, $1) })
    }

    /// What was measured at steps from `first` to `last`, both included.
    public func between(_ first: Int?, _ last: Int?) -> Series {
        var result = Series(name: name)
        (result.edges, result.catalogueNames) = (edges, catalogueNames)
        for index in values.indices {
            let step = stepList[index]
            guard step >= first ?? .min, step <= last ?? .max else { continue }
            if let lists = arrays[index] { result.arrays[result.count] = lists }
            result.append(step, values[index], errors[index])
        }
        return result
    }

    /// The names of its lists of numbers, in alphabetical order.
    public var arrayNames: [String] { Set(arrays.values.flatMap(\.keys)).sorted() }

    /// Bytes of its numbers.
    public var byteCount: Int {
        arrays.values.reduce(8 * count + stepList.byteCount + errors.byteCount) {
            $0 + $1.values.reduce(0) { $0 + 8 * $1.count }
        }
    }

    /// The mean of the values; not a number for an empty series, or where one of them is none.
    public var mean: Double { values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count) }

    /// The median; of an even number of values the mean of the middle two. Not a number for an empty series, or where one of the
    /// values is none: it has no place in the order.
    public var median: Double {
        guard !values.isEmpty, !values.contains(where: \.isNaN) else { return .nan }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    public var last: Double? { values.last }

    /// Each value divided by that of `other` measured at the last step at or before it; values before the first are left out. By
    /// the series `edge` of a run it is divided by the edge of its own curvature; not a number where that has none, or is 0.
    public func over(_ other: Series) -> Series {
        let divisor = other.reference(for: name)
        return joined(with: divisor, name: "\(name)/\(other.name)") {
            $1 == 0 && other.edges != nil ? .nan : $0 / $1
        }
    }

    /// What a series of this name is compared with by way of this one: of the edges of a run that of its own curvature.
    private func reference(for name: String) -> Series {
        guard let edges else { return self }
        let name = catalogueNames[name] ?? name
        guard let quantity = EdgeQuantity(series: name) else {
            // A quantity of the user's own may be compared with any; one of ours that has no edge with none.
            return !ProbeCatalogue.has(series: name) || name == self.name
                ? self : Series(name: self.name, steps: [0], values: [.nan])
        }
        guard let own = edges[quantity], own.count > 0 else {
            return Series(name: self.name, steps: [0], values: [.nan])
        }
        return own
    }

    /// Its values over those of another series, measured at the same step or last before it; those before the first are left out.
    public func along(_ other: Series) -> (x: [Double], y: [Double], errors: [Double]) {
        let places = joined(with: other, name: name) { $1 }
        let kept = count - places.count
        return (places.values, Array(values.dropFirst(kept)), Array(errors.dropFirst(kept)))
    }

    func joined(with other: Series, name: String, _ combine: (Double, Double) -> Double) -> Series {
        var result = Series(name: name)
        var j = 0
        for (i, step) in stepList.enumerated() {
            while j < other.count && other.stepList[j] <= step { j += 1 }
            guard j > 0 else { continue }
            let divisor = other.values[j - 1]
            result.append(step, combine(values[i], divisor), combine(errors[i], divisor))
        }
        return result
    }

    /// The first step whose value stands in this relation to the other's last value at or before it; with the series `edge` of a
    /// run to the edge of its own curvature.
    public func firstStep(_ relation: Relation, _ other: Series) -> Int? {
        let compared = joined(with: other.reference(for: name), name: name) { relation.holds($0, $1) ? 1 : 0 }
        return zip(compared.stepList, compared.values).first { $1 == 1 }?.0
    }

    /// The first step whose value stands in this relation to a number.
    public func firstStep(_ relation: Relation, _ number: Double) -> Int? {
        zip(stepList, values).first { relation.holds($1, number) }?.0
    }

    public enum Relation: String, CaseIterable, Sendable {
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="

        func holds(_ a: Double, _ b: Double) -> Bool {
            switch self {
            case .less: a < b
            case .lessOrEqual: a <= b
            case .greater: a > b
            case .greaterOrEqual: a >= b
            }
        }
    }
}
