/// A probe as it is offered: its name, what it measures, the options it takes and how it is made. From this one declaration come
/// the check of its options, the messages, help and the reference.
///
/// Each file under `Probes/` has a list of its own; `ProbeCatalogue.all` is made of these lists.
public struct ProbeDeclaration: Sendable {
    /// What scripts call it: `batch_sharpness`.
    public let name: String
    /// One sentence: the definition, and its source in square brackets.
    public let summary: String
    public let options: [ProbeOption]
    /// The names of the series it writes, given its options.
    public let series: @Sendable (ProbeArguments) throws -> [String]
    /// Makes the probe for a run; its options are those declared, each of its kind. What only the run can tell (more samples
    /// than the data has) is refused here, with both figures.
    let make: @Sendable (ProbeArguments, Run) throws -> any Probe

    /// - Parameter series: by default one series of the probe's name.
    public init(
        _ name: String, _ summary: String, options: [ProbeOption] = [],
        series: (@Sendable (ProbeArguments) throws -> [String])? = nil,
        make: @escaping @Sendable (ProbeArguments, Run) throws -> any Probe
    ) {
        self.name = name
        self.summary = summary
        self.options = options
        self.series = series ?? { _ in [name] }
        self.make = make
    }

    /// The probe with these options, for a run.
    /// - Throws: `ExperimentError.invalid` for an option that it does not take, or a value that cannot be.
    public func probe(_ arguments: ProbeArguments = [:], for run: Run) throws -> any Probe {
        for (option, value) in arguments.given {
            guard let declared = options.first(where: { $0.name == option }) else {
                throw ExperimentError.invalid(
                    "\(name) has no option '\(ExperimentError.shown(option))'\(ExperimentError.suggestion(option, options.map(\.name)))"
                )
            }
            if let mismatch = declared.kind.mismatch(value) {
                throw ExperimentError.invalid("option '\(option)' of \(name): \(mismatch)")
            }
        }
        return try make(arguments, run)
    }
}

/// An option of a probe: declared once, for the check, the messages and the documentation.
public struct ProbeOption: Sendable {
    public let name: String
    public let kind: Kind
    /// What holds where it is not given, in words or as a script writes it: `0.005`, `the run's`.
    public let defaultText: String
    /// The unit, such as "samples"; empty for none.
    public let unit: String
    /// One sentence.
    public let summary: String

    public init(_ name: String, _ kind: Kind, default text: String, unit: String = "", _ summary: String) {
        self.name = name
        self.kind = kind
        defaultText = text
        self.unit = unit
        self.summary = summary
    }

    /// What an option's value may be.
    public indirect enum Kind: Sendable, Hashable {
        /// An integer of at least this.
        case integer(atLeast: Int)
        /// A finite number.
        case number(NumberRange)
        case boolean
        case text
        /// A string, or a list of strings.
        case names
        /// One of these strings.
        case choice([String])
        /// Numbers, one for each parameter of the model.
        case vector
        /// Sample numbers, from 0 in Swift and from 1 in scripts; at least one.
        case samples
        /// Several lists of sample numbers.
        case batches
        case either(Kind, Kind)

        public static let count = Kind.integer(atLeast: 1)
    }

    public enum NumberRange: Sendable, Hashable { case any, nonNegative, positive }
}

extension ProbeOption.Kind {
    /// Why a value is not of this kind; nil where it is.
    func mismatch(_ value: ProbeValue) -> String? {
        let fits: Bool
        switch self {
        case .integer(let least): fits = (value.integer ?? .min) >= least
        case .number(let range):
            let number = value.number ?? .nan
            switch range {
            case .any: fits = number.isFinite
            case .nonNegative: fits = number.isFinite && number >= 0
            case .positive: fits = number.isFinite && number > 0
            }
        case .boolean: if case .boolean = value { fits = true } else { fits = false }
        case .text: if case .text = value { fits = true } else { fits = false }
        case .names:
            switch value {
            case .text: fits = true
            case .names(let names): fits = !names.isEmpty
            default: fits = false
            }
        case .choice(let names): if case .text(let name) = value { fits = names.contains(name) } else { fits = false }
        case .vector: if case .vector = value { fits = true } else { fits = false }
        case .samples: if case .samples(let numbers) = value { fits = !numbers.isEmpty } else { fits = false }
        case .batches:
            if case .batches(let lists) = value {
                fits = !lists.isEmpty && lists.allSatisfy { !$0.isEmpty }
            } else {
                fits = false
            }
        case .either(let one, let other): fits = one.mismatch(value) == nil || other.mismatch(value) == nil
        }
        return fits ? nil : "expected \(words), got \(value)"
    }

    /// In words, with an article.
    var words: String {
        switch self {
        case .integer(let least): "an integer >= \(least)"
        case .number(.any): "a finite number"
        case .number(.nonNegative): "a number >= 0"
        case .number(.positive): "a number > 0"
        case .boolean: "true or false"
        case .text: "a string"
        case .names: "a string or a list of strings"
        case .choice(let names): names.map { "'\($0)'" }.joined(separator: " or ")
        case .vector: "a vector"
        case .samples: "a list of sample numbers"
        case .batches: "a list of lists of sample numbers"
        case .either(let one, let other): "\(one.words) or \(other.words)"
        }
    }
}
