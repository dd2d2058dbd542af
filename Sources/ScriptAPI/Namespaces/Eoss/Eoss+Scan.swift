import Graph
import LuaBridge
import Networks

/// `eoss.scan`: recurrences in networks and losses written in Lua.
extension ScriptHost {
    func addScans(to eoss: Namespace) {
        let tensors = LuaType.object("tensor").or(.list(of: .object("tensor"))).or(.map(of: .object("tensor")))
        eoss.function(
            "scan",
            "A recurrence h ← step(h, x) over the places of the first axis of xs: the state after each step, [steps, …]. Derivatives of all orders are recurrences too; nothing is written out step by step until it runs.",
            parameters: [
                .optional(
                    "xs", tensors,
                    "A tensor [steps, …], or a table of several; nil for a step that sees none, with the option length."
                ),
                Parameter("h0", tensors, "The state before the first step: a tensor, or a table of several."),
                Parameter(
                    "step", .function(("h", tensors), ("x", tensors), returns: tensors),
                    "The state after a step, a tensor or a table as h0 is, from the state before it and one place of xs. It may use all tensors of the function around it, such as weights."
                ),
            ],
            options: [
                Parameter("reverse", .boolean, default: false, "Whether it goes from the last place to the first."),
                .optional("length", .integer(.positive), "The number of steps, where there is no xs."),
            ],
            results: [Parameter("hs", tensors, "The states after each step, as h0 is; each lies where its x does.")]
        ) { call in
            let stacked = try TensorStructure(call.value("xs"))
            let carries = try TensorStructure(call.value("h0"))
            guard let some = carries.tensors.first, let outermost = try Trace.of(stacked.tensors + carries.tensors)
            else {
                throw ArgumentError("eoss.scan: 'h0' is an empty table: a recurrence has a state")
            }
            _ = try some.symbol()
            let trace = outermost.innermost
            let scan = try ScriptScan(
                trace, stacked: stacked, carries: carries, length: call.get("length"), isReversed: call.get("reverse"))
            return try scan.result(of: call.get("step"))
        }
    }
}

/// One call of `eoss.scan`.
private struct ScriptScan {
    private let trace: Trace
    private let stacked: TensorStructure
    private let carries: TensorStructure
    private let xs: [Symbolic]
    private let h0: [Symbolic]
    private let length: Int
    private let isReversed: Bool

    init(
        _ trace: Trace, stacked: TensorStructure, carries: TensorStructure, length: Int?, isReversed: Bool
    ) throws {
        self.trace = trace
        (self.stacked, self.carries, self.isReversed) = (stacked, carries, isReversed)
        xs = try stacked.tensors.map(trace.symbol(of:))
        h0 = try carries.tensors.map(trace.symbol(of:))
        for (name, x) in zip(stacked.names("xs"), xs) where x.shape.isEmpty {
            throw ArgumentError("eoss.scan: \(name) is a scalar: it has no axis of steps")
        }
        let steps = xs.map { $0.shape[0] }
        if let first = steps.first, let other = steps.firstIndex(where: { $0 != first }) {
            let names = stacked.names("xs")
            throw ArgumentError(
                "eoss.scan: \(names[0]) has \(first) places, \(names[other]) has \(steps[other]): of shapes \(xs[0].shape) "
                    + "and \(xs[other].shape)")
        }
        guard let known = steps.first ?? length else {
            throw ArgumentError("eoss.scan: without xs it needs the number of steps: the option length")
        }
        if let length, length != known {
            throw ArgumentError("eoss.scan: length is \(length), xs has \(known) places: leave length out")
        }
        self.length = known
    }

    /// Traces the step into a graph of its own, and writes the recurrence.
    func result(of function: LuaFunction) throws -> LuaValue {
        let body = GraphBuilder()
        let before = h0.enumerated().map { Symbolic(body.input("h\($0)", $1.type), in: body) }
        let slices = xs.enumerated().map { index, x in
            let type = TensorType(x.type.element, Array(x.shape.dropFirst()))
            return Symbolic(body.input("x\(index)", type), in: body)
        }
        return try trace.nested(function, named: "the step of eoss.scan", into: body) { step in
            let h = carries.value(of: before.map { TensorObject($0, step) })
            let x = stacked.value(of: slices.map { TensorObject($0, step) })
            let after = try carries.read(try step.value([h, x])).map(step.symbol(of:))
            for (name, (before, after)) in zip(carries.names("h"), zip(before, after)) where before.type != after.type {
                throw ArgumentError(
                    "eoss.scan: \(name) is \(before.type) before a step and \(after.type) after it: the step must leave "
                        + "the state's shape as it is")
            }
            let scan = Scan(
                body: body.build(outputs: after.enumerated().map { ("h\($0)", $1.value) }), carries: h0.count,
                stacked: xs.count, length: length, reverse: isReversed)
            try scan.checkLength()
            let builder = h0[0].builder
            let operands = h0 + xs + step.lifted.map(\.outside)
            let results = try builder.applyAll(scan, operands.map(\.value))
            return carries.value(of: results.map { TensorObject(Symbolic($0, in: builder), trace) })
        }
    }
}

/// A tensor, a list of tensors, or a table of named ones: what a script gives and gets back in the same form.
private struct TensorStructure {
    private enum Form {
        case none, one, list
        case named([String])
    }

    private let form: Form
    let tensors: [TensorObject]

    init(_ value: LuaValue) throws {
        if let tensor = TensorObject.read(value) {
            (form, tensors) = (.one, [tensor])
        } else if let list = [TensorObject].read(value) {
            (form, tensors) = (.list, list)
        } else if let table = [String: TensorObject].read(value) {
            let names = table.keys.sorted()
            (form, tensors) = (.named(names), names.compactMap { table[$0] })
        } else {
            (form, tensors) = (.none, [])
        }
    }

    /// What each tensor is called in messages: `h`, `h[2]` or `h.cell`.
    func names(_ whole: String) -> [String] {
        switch form {
        case .none: []
        case .one: ["'\(whole)'"]
        case .list: tensors.indices.map { "'\(whole)[\($0 + 1)]'" }
        case .named(let names): names.map { "'\(whole).\($0)'" }
        }
    }

    /// Other tensors in the same form, for the script.
    func value(of tensors: [TensorObject]) -> LuaValue {
        switch form {
        case .none: .nil
        case .one: .object(tensors[0])
        case .list: .table(LuaTable(array: tensors.map(\.luaValue)))
        case .named(let names):
            .table(
                LuaTable(
                    named: Dictionary(
                        zip(names, tensors.map(\.luaValue)), uniquingKeysWith: { first, _ in first })))
        }
    }

    /// Tensors that a script returned, which must have the same form.
    func read(_ value: LuaValue) throws -> [TensorObject] {
        switch form {
        case .none: return []
        case .one:
            if let tensor = TensorObject.read(value) { return [tensor] }
            throw mismatch("a tensor", value)
        case .list:
            if let list = [TensorObject].read(value), list.count == tensors.count { return list }
            throw mismatch("a list of \(tensors.count) tensors", value)
        case .named(let names):
            guard let table = [String: TensorObject].read(value), table.keys.sorted() == names else {
                throw mismatch("a table of the tensors \(names.joined(separator: ", "))", value)
            }
            return names.compactMap { table[$0] }
        }
    }

    private func mismatch(_ expected: String, _ value: LuaValue) -> ArgumentError {
        var what = described(value)
        if case .table(let table) = value {
            let entries = table.array.indices.map { "\($0 + 1)" } + table.fields.keys.sorted().map(\.description)
            what = "a table with the entries \(entries.joined(separator: ", "))"
            let strange = (table.array + table.fields.values).first { TensorObject.read($0) == nil }
            if let strange { what += ", one of them \(described(strange))" }
        }
        return ArgumentError("the step of eoss.scan must return \(expected), as h0 is; it returned \(what)")
    }
}
