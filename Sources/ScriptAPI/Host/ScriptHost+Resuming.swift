import Experiments
import Foundation
import LuaBridge

/// Runs that go on from a checkpoint, and what a script keeps with its runs.
extension ScriptHost {
    /// Gives a run that the script has made again the state of its last checkpoint, where the execution that is resumed has one.
    func resume(_ run: Run) throws {
        guard let resumption = options.resumption,
            let reader = resumption.take(
                run.name, parent: nil, point: place.path, having: { resumption.step(of: $0) != nil })
        else { return }
        try resume(run, from: reader, resumption)
    }

    /// The same for a fork.
    func resume(fork: Run, of parent: Run) throws {
        guard let resumption = options.resumption else { return }
        let reader = parent.file.flatMap {
            resumption.take(
                fork.name, parent: $0.header.uuid, point: place.path,
                having: { resumption.step(of: $0) != nil && $0.parent?.step == parent.programStep })
        }
        guard let reader else {
            throw ArgumentError(
                "the fork '\(fork.name)' left run '\(parent.name)' at step \(parent.programStep), which is past, and has no "
                    + "checkpoint of its own in '\(Self.shortPath(resumption.folder))'")
        }
        fork.become(branchOf: reader.parent)
        try resume(fork, from: reader, resumption)
    }

    private func resume(_ run: Run, from reader: RunFileReader, _ resumption: Resumption) throws {
        let path = Self.shortPath(reader.url)
        if place.path == nil { trained = trained ?? run.name }
        try checkData(of: run, reader)
        guard let step = resumption.step(of: reader) else { return }
        try run.resume(
            from: reader.checkpoint(step: step), called: "\(path), step \(step)", forced: resumption.isForced)
        options.message("resumed: run '\(run.name)' of \(path) at step \(step)")
        let file = try RunFile.reopen(reader.url, warn: options.warning)
        try run.goOn(in: file, reader)
        files.append(WeakRun(run: run, file: file))
        warnOfOtherMachine(reader)
    }

    /// Sums are taken in another order by another kernel set.
    private func warnOfOtherMachine(_ reader: RunFileReader) {
        guard let then = try? reader.environment(), let now = try? environment() else { return }
        for key in ["kernels", "openblas", "libc"] {
            guard let a = then[key], let b = now[key], a != b else { continue }
            return options.warning(
                "run '\(reader.name)' was made with \(key) \(a), here is \(b): what follows may differ in its last bits"
            )
        }
    }

    private func checkData(of run: Run, _ reader: RunFileReader) throws {
        guard let resumption = options.resumption, !resumption.isForced else { return }
        guard let then = try reader.events().last(where: { $0.kind == "data" })?.data?["digest"],
            then != .string(run.dataDigest)
        else { return }
        throw ArgumentError(
            "run '\(run.name)': the data '\(run.data.name)' are not those of \(Self.shortPath(reader.url)); --force goes on with them"
        )
    }

    // MARK: - What the script keeps

    /// `run.state`.
    func keptTable(of run: Run) throws -> LuaKeptTable {
        if let table = run.parts?.table { return table }
        let table = try state.newTable(in: run)
        run.parts?.table = table
        return table
    }

    /// A fork has a copy.
    func copyKept(of run: Run, to fork: Run) throws {
        guard let parts = run.parts else { return }
        fork.attachment = RunParts(model: parts.model, data: parts.data)
        guard let table = parts.table, !fork.isBeingResumed, case .table(let values)? = try table.value else { return }
        try keptTable(of: fork).replace(with: values)
    }

    /// What goes into a run's checkpoints: `run.state`, and where `math.random` stands.
    func keeps(of run: Run) throws -> [String: JSONValue] {
        var keeps: [String: JSONValue] = [:]
        if let value = try run.parts?.table?.value { keeps["state"] = try Self.json(value, "run.state") }
        // As texts: not every number of 64 bits is one of JSON's.
        keeps["random"] = (randomOfBranches[ObjectIdentifier(run)] ?? state.randomState).map(Self.json)
        keeps["main_random"] = randomOfProgram.map(Self.json)
        return keeps
    }

    /// The script has come to where its run was restored: what it has made of `run.state` on the way was made before.
    func catchUp(_ run: Run) throws {
        if run.keeps["state"] != nil || run.parts?.table != nil {
            try keptTable(of: run).replace(with: Self.table(run.keeps["state"]))
        }
        if let random = Self.random(run.keeps["random"]) { state.randomState = random }
    }

    /// Where `math.random` of the program itself stood, in a run that trained beside others then.
    func mainRandom(of run: Run) -> [UInt64]? { Self.random(run.keeps["main_random"]) }

    private static func json(_ words: [UInt64]) -> JSONValue { .array(words.map { .string(String($0, radix: 16)) }) }

    private static func random(_ value: JSONValue?) -> [UInt64]? {
        guard case .array(let texts)? = value else { return nil }
        let words = texts.compactMap { text -> UInt64? in
            guard case .string(let digits) = text else { return nil }
            return UInt64(digits, radix: 16)
        }
        return words.count == 4 ? words : nil
    }

    fileprivate static let arrayKey = "$array"

    /// - Parameters:
    ///   - path: what messages call it.
    ///   - keeper: what takes such values, and where they go.
    static func json(
        _ value: LuaValue, _ path: String, for keeper: (place: String, name: String) = ("checkpoint", "run.state")
    ) throws -> JSONValue {
        switch value {
        case .nil: return .null
        case .boolean(let flag): return .bool(flag)
        case .integer(let integer): return .integer(integer)
        case .number(let number): return JSONValue.exactly(number)
        case .string(let text): return .string(text)
        case .numbers(let numbers): return .array(numbers.map { JSONValue.exactly($0) })
        case .table(let table):
            guard table.others.isEmpty else {
                throw ArgumentError(
                    "\(path)[\(table.others[0].key.literal)] cannot be kept: keys are names, or numbers from 1 without gaps"
                )
            }
            let array = try table.array.enumerated().map { try json($1, "\(path)[\($0 + 1)]", for: keeper) }
            if table.fields.isEmpty, !array.isEmpty { return .array(array) }
            var object: [String: JSONValue] = [:]
            for (name, value) in try table.fields.named(in: path) {
                object[name.hasPrefix("$") ? "$" + name : name] = try json(value, "\(path).\(name)", for: keeper)
            }
            if !array.isEmpty { object[arrayKey] = .array(array) }
            return .object(object)
        case .bytes, .function, .object, .foreign:
            throw ArgumentError(
                "\(path) is a \(value.typeName), which no \(keeper.place) can keep: \(keeper.name) takes numbers, strings, booleans "
                    + "and tables of them")
        }
    }

    private static func table(_ value: JSONValue?) -> LuaTable {
        guard let value, case .table(let table) = LuaValue(json: value) else { return LuaTable() }
        return table
    }
}

extension LuaValue {
    /// What a script has kept, or given.
    init(json value: JSONValue) { self = Self.made(of: value) }

    private static func made(of value: JSONValue) -> LuaValue {
        if let number = value.exactNumber { return .number(number) }
        switch value {
        case .null: return .nil
        case .bool(let flag): return .boolean(flag)
        case .integer(let integer): return .integer(integer)
        case .number(let number): return .number(number)
        case .string(let text): return .string(text)
        case .array(let values): return .table(LuaTable(array: values.map { made(of: $0) }))
        case .object(let object):
            var table = LuaTable()
            for (name, value) in object {
                if name == ScriptHost.arrayKey, case .array(let values) = value {
                    table.array = values.map { made(of: $0) }
                } else {
                    table.fields[LuaBytes(name.hasPrefix("$$") ? String(name.dropFirst()) : name)] = made(of: value)
                }
            }
            return .table(table)
        }
    }
}
