import Compute
import Experiments
import Foundation
import LuaBridge
import RunFiles

extension ScriptHost {
    /// What a run file keeps beside its values: modules, settings, notes, figures; and how it compares with another.
    func addContents(to files: ObjectClass<RunFileObject>) {
        files.property("uuid", .string, "By which forks know their run, whatever files are called.") {
            $0.reader.uuid.uuidString
        }
        files.property(
            "parent",
            LuaType.record([
                Parameter("name", .string, "Its name."), Parameter("uuid", .string, "That of its file."),
                Parameter("step", .integer, unit: "steps", "Where the fork left it."),
            ]).orNil, "The run that it is a fork of; nil for none."
        ) { file in
            file.reader.parent.map { parent -> LuaValue in
                ["name": .string(parent.name), "uuid": .string(parent.uuid.uuidString), "step": .integer(parent.step)]
            }
        }
        files.property(
            "settings", .map(of: .string),
            "What the run was made of, in words: model, data, loss, optimizer, batch_size, seed."
        ) { file in
            let settings = try RunSetting.all(of: file.reader)
            return LuaRecord(
                Dictionary(settings.map { ($0.name, .string($0.value)) }) { $1 }, called: "the settings")
        }
        files.property(
            "modules",
            .list(
                of: .record([
                    Parameter("path", .string, "Its path."), Parameter("source", .string, "Its text."),
                ])), "The modules that the script required."
        ) { file in
            try file.reader.scripts().dropFirst().map { module -> LuaValue in
                ["path": .string(module.path), "source": LuaBytes(module.source).luaValue]
            }
        }
        files.property("notes", .list(of: .string), "The notes, in order.") { try $0.reader.notes() }
        files.property("figures", .list(of: .string), "The names of the figures that are kept in it.") {
            try $0.reader.figureNames()
        }
        files.procedure(
            "save_figure", "Writes a figure that is kept in the file below the output folder.",
            parameters: [
                Parameter("name", .string, "Which, as in figures."),
                .optional("path", .path, "The file; by default the figure's name, or the next that is free."),
            ]
        ) { [unowned self] file, call in
            let name: String = try call.get("name")
            let known = try file.reader.figureNames()
            guard known.contains(name) else {
                let list = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
                throw ArgumentError("'\(file.reader.name)' has no figure '\(name)' (\(list))")
            }
            if let path: String = try call.get("path") {
                try FileEnding.check(path, isThatOf: name)
                return try OutputFile.write(file.reader.figure(name).bytes, to: paths.writable(path))
            }
            // The name is the file's, which may come from a stranger: it leads nowhere, and replaces nothing.
            guard name == (name as NSString).lastPathComponent, !name.hasPrefix(".") else {
                throw ArgumentError("'\(name.printable)' is no name for a file here: give a path")
            }
            try OutputFile.write(file.reader.figure(name).bytes, to: freeFigure(name, of: []))
        }
        files.method(
            "compare", "What differs between this run and another: script, parameters, settings, environment, curves.",
            parameters: [Parameter("other", .object("runfile"), "The other run's file.")],
            results: [Parameter("comparison", .object("comparison"), "What differs; prints as a text.")]
        ) { file, call in
            let other: RunFileObject = try call.get("other")
            return ComparisonObject(try RunComparison([file.reader, other.reader]))
        }
    }
}

/// As a list of tables.
func events(of reader: RunFileReader) throws -> [LuaValue] {
    let times = try reader.eventTimes()
    return try reader.events().enumerated().map { place, event -> LuaValue in
        var fields: [String: LuaValue] = [
            "step": .integer(event.step), "kind": .string(event.kind), "message": .string(event.message),
        ]
        if place < times.count, let time = times[place] { fields["time"] = .string(time.timestamp) }
        if let data = event.data { fields["data"] = LuaValue(json: .object(data)) }
        return .table(LuaTable(named: fields))
    }
}
