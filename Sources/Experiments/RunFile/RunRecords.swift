import Foundation

/// One measured value of a series, with its error bar and what it cost.
public struct Measurement: Sendable, Hashable {
    /// Steps taken when it was measured (FORMULAS.md, "Time, batches").
    public var step: Int
    /// The value; NaN and infinities are kept.
    public var value: Double
    /// Standard error of a Monte-Carlo estimate.
    public var standardError: Double?
    /// Of an eigenvalue: whether the solver met its tolerance; false where its products ran out, or rounding does not allow it.
    public var converged: Bool?
    /// False where measuring was cancelled: what was found by then.
    public var isFinished = true
    /// −1 for none. With the two above it lies where the number before leaves room.
    private var storedMissProbability: Float = -1
    /// Where the true value lies with 95 %, for an estimate that knows more of its draws than their standard error.
    public var interval: ClosedRange<Double>?
    /// Samples that the estimate took.
    public var samples: Int?
    /// Matrix-vector products that the estimate took.
    public var products: Int?
    /// Residual norm of an eigenpair.
    public var residual: Double?
    /// Wall-clock seconds that measuring took.
    public var seconds: Double?
    /// Multiply-adds of the cost model (`Plan.work`) that measuring took: the same number on every machine. Of a probe with
    /// several series the first has the cost of all.
    public var operations: Double?
    /// Lists of numbers that belong to the value, by name: a sketch, the nodes of a quadrature.
    public var arrays: [String: [Double]]?
    /// Anything more, as JSON text.
    public var extra: String?

    /// Of an eigenvalue: at most how likely it is that the solve overlooked one far beyond it (`Eigenpairs.missProbability`), from 0
    /// on, in f32; a number that is none of these is nil.
    public var missProbability: Double? {
        get { storedMissProbability < 0 ? nil : Double(storedMissProbability) }
        set { storedMissProbability = newValue.map { $0 >= 0 ? Float($0) : -1 } ?? -1 }
    }

    public init(
        step: Int, value: Double, standardError: Double? = nil, samples: Int? = nil, products: Int? = nil,
        residual: Double? = nil, seconds: Double? = nil, operations: Double? = nil,
        arrays: [String: [Double]]? = nil, extra: String? = nil, interval: ClosedRange<Double>? = nil,
        converged: Bool? = nil, missProbability: Double? = nil
    ) {
        self.step = step
        self.value = value
        self.standardError = standardError
        self.samples = samples
        self.products = products
        self.residual = residual
        self.seconds = seconds
        self.operations = operations
        self.arrays = arrays
        self.extra = extra
        self.interval = interval
        self.converged = converged
        self.missProbability = missProbability
    }

    /// Which columns hold NaN. SQLite stores NaN as null, which for all but the value would else mean "not given"; and −0 as 0.
    struct NaNColumns: OptionSet {
        let rawValue: Int
        static let value = NaNColumns(rawValue: 1)
        static let standardError = NaNColumns(rawValue: 2)
        static let residual = NaNColumns(rawValue: 4)
        static let seconds = NaNColumns(rawValue: 8)
        static let operations = NaNColumns(rawValue: 16)
        /// The value is −0.
        static let negativeZero = NaNColumns(rawValue: 32)
    }

    var nanColumns: NaNColumns {
        var columns: NaNColumns = []
        if value.isNaN { columns.insert(.value) }
        if value == 0, value.sign == .minus { columns.insert(.negativeZero) }
        if standardError?.isNaN == true { columns.insert(.standardError) }
        if residual?.isNaN == true { columns.insert(.residual) }
        if seconds?.isNaN == true { columns.insert(.seconds) }
        if operations?.isNaN == true { columns.insert(.operations) }
        return columns
    }

    /// Bytes that it takes beside those of its own size.
    var byteCount: Int {
        var bytes = extra?.utf8.count ?? 0
        if let arrays {
            for (name, numbers) in arrays { bytes += name.utf8.count + 8 * numbers.count }
        }
        return bytes
    }
}

/// Something that happened at a step: a changed learning rate, a pause, the end.
public struct RunEvent: Sendable, Hashable {
    public var step: Int
    /// One word, such as `lr`, `pause`, `stop`.
    public var kind: String
    /// For people.
    public var message: String
    /// The same for programs.
    public var data: [String: JSONValue]?

    public init(step: Int, kind: String, message: String, data: [String: JSONValue]? = nil) {
        self.step = step
        self.kind = kind
        self.message = message
        self.data = data
    }
}

/// A script, or a module that it required, as it was when it ran.
public struct RunScript: Sendable, Hashable {
    /// The path by which the script was run, or the module found.
    public var path: String
    /// Its bytes: Lua takes more than UTF-8.
    public var source: Data
    /// SHA-256 of `source`, in lower-case hexadecimal.
    public var sha256: String

    public init(path: String, source: Data) {
        self.path = path
        self.source = source
        self.sha256 = source.sha256
    }

    init(path: String, source: Data, sha256: String) {
        self.path = path
        self.source = source
        self.sha256 = sha256
    }
}

/// A picture kept with the run.
public struct RunFigure: Sendable, Hashable {
    /// Its file name, such as `edge.svg`; a second figure of the same name takes the place of the first.
    public var name: String
    /// Its media type, such as `image/svg+xml`.
    public var mime: String
    public var bytes: Data

    public init(name: String, mime: String, bytes: Data) {
        self.name = name
        self.mime = mime
        self.bytes = bytes
    }
}

/// Where a fork left its parent.
public struct RunParent: Sendable, Hashable {
    public var uuid: UUID
    public var name: String
    /// Steps that the parent had taken.
    public var step: Int

    public init(uuid: UUID, name: String, step: Int) {
        self.uuid = uuid
        self.name = name
        self.step = step
    }
}

/// What is known of a run before its first step.
public struct RunHeader: Sendable, Hashable {
    /// The run itself, whatever its file is called.
    public var uuid: UUID
    /// The execution of a program that it belongs to: the same for all runs of a script.
    public var session: UUID
    public var created: Date
    /// The run that this one was forked from.
    public var parent: RunParent?
    /// Machine, kernels, threads, versions: free keys, to which those of ``RunEnvironment/current`` are added.
    public var environment: [String: String]

    public init(
        uuid: UUID = UUID(), session: UUID = UUID(), created: Date = Date(), parent: RunParent? = nil,
        environment: [String: String] = [:]
    ) {
        self.uuid = uuid
        self.session = session
        self.created = created
        self.parent = parent
        self.environment = environment
    }
}

extension Date {
    /// UTC with milliseconds, as in `2026-11-22T15:30:08.250Z`: sorts as it reads.
    var runTimestamp: String { formatted(Self.runTimestampStyle) }

    init?(runTimestamp: String) {
        guard let date = try? Date(runTimestamp, strategy: Self.runTimestampStyle) else { return nil }
        self = date
    }

    private static let runTimestampStyle = ISO8601FormatStyle(includingFractionalSeconds: true)
}
