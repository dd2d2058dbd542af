import Experiments
import LuaBridge

/// The options of probes as scripts give them to `track` and `measure`: all that any probe declares, each once.
extension ProbeArguments {
    static let parameters: [Parameter] = {
        var parameters: [Parameter] = []
        for declaration in ProbeCatalogue.all {
            for option in declaration.options where !parameters.contains(where: { $0.name == option.name }) {
                parameters.append(parameter(option.name))
            }
        }
        return parameters
    }()

    /// An option as the probes that take it declare it.
    private static func parameter(_ name: String) -> Parameter {
        let takers = ProbeCatalogue.all.compactMap { declaration in
            declaration.options.first { $0.name == name }.map { (probe: declaration.name, option: $0) }
        }
        var kinds: [ProbeOption.Kind] = []
        var sentences: [String] = []
        for (_, option) in takers {
            if !kinds.contains(option.kind) { kinds.append(option.kind) }
            let sentence = "\(option.summary) Default: \(option.defaultText)."
            if !sentences.contains(sentence) { sentences.append(sentence) }
        }
        let described = sentences.map { sentence in
            let probes = takers.filter { "\($0.option.summary) Default: \($0.option.defaultText)." == sentence }
            return "\(probes.map(\.probe).joined(separator: ", ")): \(sentence)"
        }
        let type = kinds.dropFirst().reduce(LuaType(kinds[0])) { $0.or(LuaType($1)) }
        return .optional(name, type, unit: takers[0].option.unit, described.joined(separator: " "))
    }

    /// What a call gives.
    init(_ call: borrowing LuaCall, of run: Run) throws {
        self.init()
        for parameter in Self.parameters where try call.has(parameter.name) {
            let value = try call.value(parameter.name)
            self[parameter.name] = try Self.read(value, parameter, run)
        }
    }

    private static func read(_ value: LuaValue, _ parameter: Parameter, _ run: Run) throws -> ProbeValue {
        switch value {
        case .boolean(let flag): return .boolean(flag)
        case .integer(let integer): return .integer(integer)
        case .number(let number): return .number(number)
        case .string(let text): return .text(text)
        default: break
        }
        if parameter.type == .names, let names = [String].read(value) {
            if names.isEmpty {
                throw ArgumentError(
                    "'\(parameter.name)' is an empty list: name at least one parameter, or leave it out")
            }
            return .names(names)
        }
        if let vector = VectorObject.read(value) { return .vector(try run.fitting(vector, parameter.name)) }
        if let numbers = [Int].read(value) { return .samples(try run.sampleNumbers(numbers, parameter.name)) }
        if let lists = [[Int]].read(value) {
            return .batches(try lists.map { try run.sampleNumbers($0, parameter.name) })
        }
        throw ArgumentError("option '\(parameter.name)': expected \(parameter.type.words), got \(value.typeName)")
    }
}

extension LuaType {
    init(_ kind: ProbeOption.Kind) {
        self =
            switch kind {
            case .integer(let least): least == 1 ? .integer(.positive) : .integer(.atLeast(Double(least)))
            case .number(.any): .number(.finite)
            case .number(.nonNegative): .number(.nonNegative)
            case .number(.positive): .number(.positive)
            case .boolean: .boolean
            case .text: .string
            case .names: .names
            case .choice(let names): .choice(names)
            case .vector: .vector
            case .samples: .samples
            case .batches: .list(of: .samples)
            case .either(let one, let other): LuaType(one).or(LuaType(other))
            }
    }
}
