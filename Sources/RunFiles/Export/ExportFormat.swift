/// What a run file's measurements can be written as, for other programs.
public enum ExportFormat: String, CaseIterable, Sendable {
    /// A row a step, a column a series; or a row a measurement.
    case csv
    /// A JSON object a line, each one measurement.
    case jsonl
    /// The tables of `csv`, for pandas, Polars, DuckDB, Arrow.
    case parquet
    /// Arrays `name/steps`, `name/values`, `name/stderrs`.
    case npz
    /// The same arrays, or the parameters of a checkpoint.
    case safetensors
    /// A folder with an event file, as TensorBoard reads it.
    case tensorboard

    /// Whether it is text, which a terminal can show.
    public var isText: Bool { self == .csv || self == .jsonl }

    /// What names of such files end in.
    public var endings: [String] {
        switch self {
        case .csv: ["csv"]
        case .jsonl: ["jsonl", "json"]
        case .parquet: ["parquet"]
        case .npz: ["npz"]
        case .safetensors: ["safetensors"]
        case .tensorboard: []
        }
    }

    /// Whether it has the choice between a row a step and a row a measurement.
    public var isTable: Bool { self == .csv || self == .parquet }
}

/// Why what was asked for cannot be done with a run file. `description` is one sentence for the user.
public struct ExportError: Error, Hashable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
