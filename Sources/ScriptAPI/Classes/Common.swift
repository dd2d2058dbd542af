import Compute
import Datasets
import Experiments
import Graph
import LuaBridge
import Networks
import Objectives

// Parameters that several functions share, and how they are read.

extension LuaType {
    static let vector = LuaType.object("vector")
    static let element = LuaType.choice("f32", "f64")
    /// A name or a list of names.
    static let names = LuaType.string.or(.list(of: .string))
    /// A quantity that can be tracked or measured, or a list of them.
    static let quantities = LuaType.string.suggesting(.names(ProbeCatalogue.names)).or(
        .list(of: .string.suggesting(.names(ProbeCatalogue.names))))
    static let trainingEnd = LuaType.choice(TrainingEnd.allCases.map(\.rawValue))
    static let path = LuaType.string.suggesting(.files)
    static let seriesName = LuaType.string.suggesting(.series)
    static let samples = LuaType.list(of: .integer(.positive))
    static let shape = LuaType.integer(.positive).or(.list(of: .integer(.positive)))
    static let batchSize = LuaType.integer(.positive).or(.choice("full"))
}

extension Parameter {
    static let seed = Parameter("seed", .integer(.nonNegative), default: 1, "Of the random numbers.")
    static let dtype = Parameter("dtype", .element, default: "f32", "The element type of parameters and computation.")
    /// Where a derivative is taken, and over what.
    static let here: [Parameter] = [
        .optional("batch", .samples, "Sample numbers, from 1; all training samples by default."),
        .optional("at", .vector, "The parameters; those of the run by default."), statistics,
    ]
    static let statistics = Parameter.optional(
        "statistics", .choice("batch", "running"),
        "Of batch norm: the batch's own, or the running values of evaluation; the batch's by default.")
}

extension LuaCall {
    func seed(_ name: String = "seed") throws -> UInt64 { UInt64(try get(name, as: Int.self)) }

    func element(_ name: String = "dtype") throws -> ElementType { try choice(name) }

    /// One of the strings that a type is spelled by.
    func choice<Choice: RawRepresentable<String>>(_ name: String) throws -> Choice {
        let text: String = try get(name)
        guard let choice = Choice(rawValue: text) else { throw ArgumentError("'\(name)': unknown value '\(text)'") }
        return choice
    }

    /// A string or a list of strings, as a list.
    func names(_ name: String) throws -> [String] {
        if case .string(let one) = try value(name) { return [one] }
        return try get(name)
    }

    /// A number or a list of numbers, as a list; nil where none is given.
    func shape(_ name: String) throws -> [Int]? {
        let value = try value(name)
        if value.isNil { return nil }
        return try Int.read(value).map { [$0] } ?? get(name)
    }

    /// The samples of `batch`, as a selection.
    func selection(of run: Run) throws -> BatchSelection {
        guard let batch: [Int] = try get("batch", as: [Int]?.self) else { return .all }
        return .indices(try run.sampleNumbers(batch, "batch"))
    }

    /// The run's oracle, with the statistics that are asked for: the batch's, or the running ones of this moment.
    func oracle(of run: Run) throws -> Oracle {
        try run.oracle(get("statistics", as: String?.self) == "running" ? .running : .batch)
    }

    /// The vector of `at`, or the run's parameters.
    func point(of run: Run) throws -> Vector {
        guard let vector: VectorObject = try get("at", as: VectorObject?.self) else {
            try run.requirePresent("what run '\(run.name)' has")
            return run.parameters
        }
        return try run.fitting(vector, "at")
    }
}

extension Run {
    /// Sample numbers from 0, for those of a script, from 1.
    func sampleNumbers(_ numbers: [Int], _ option: String) throws -> [Int] {
        let count = data.train.count
        if numbers.isEmpty { throw ArgumentError("'\(option)' of run '\(name)' is empty: name at least one sample") }
        if let outside = numbers.first(where: { $0 < 1 || $0 > count }) {
            throw ArgumentError("'\(option)': there is no sample \(outside): run '\(name)' has samples 1 to \(count)")
        }
        return numbers.map { $0 - 1 }
    }

    /// A vector of parameter space, whose parts have the names of the parameters.
    func object(_ vector: Vector) -> VectorObject { VectorObject(vector, objective.model.layout) }

    /// The vector in the element of the model.
    func fitting(_ vector: VectorObject, _ what: String) throws -> Vector {
        let layout = objective.model.layout
        guard vector.vector.count == layout.count else {
            throw ArgumentError(
                "'\(what)': a vector of \(vector.vector.count) numbers for run '\(name)', whose model has "
                    + "\(layout.count) parameters")
        }
        return try vector.vector.converted(to: objective.model.element)
    }
}

extension ElementType {
    /// The element's name in arrays.
    var arrayElement: ArrayElement { self == .f64 ? .f64 : .f32 }
}

/// Digits for a person: six significant ones at most.
func short(_ x: Double) -> String {
    if x.isNaN { return "nan" }
    if let integer = Int(exactly: x), integer.magnitude < 1_000_000 { return "\(integer)" }
    return formatted(x, "%.6g")
}
