import Compute
import Datasets
import Experiments
import Foundation
import LuaBridge
import Networks
import Objectives
import Reports
import RunFiles

extension ScriptHost {
    /// Writes parameters and running statistics as safetensors.
    func save(_ parameters: Vector, _ statistics: Vector, of model: Model, to path: String) throws {
        try save(model.arrays(of: parameters, statistics: statistics), to: path)
    }

    /// Writes arrays in the format of the file's name.
    func save(_ arrays: [String: NDArray], to path: String) throws {
        let format = try ArrayFormat(path: path)
        let file = try paths.writable(path)
        try OutputFile.check(file)
        try OutputFile.write(ArrayFile.bytes(of: arrays, as: format, name: path), to: file)
        filesWritten.insert(file)
    }

    /// The arrays of a file: of one that travels in the run file whose script runs, else of one on the disk. The files of the runs note
    /// which it was.
    func readArrays(_ path: String) throws -> [String: NDArray] {
        try readFile(path, at: { try ArrayFile.load($0) }, of: { try ArrayFile.contents(of: $0, name: path).arrays })
    }

    /// The same of any file of data: from its path, or its bytes.
    func readFile<Contents>(
        _ path: String, at load: (String) throws -> Contents, of read: (Data) throws -> Contents
    ) throws -> Contents {
        if let inside = options.archive?.data[path] {
            try note(ScriptArchive.FileRead(path: path, sha256: inside.sha256, bytes: inside.bytes.count))
            return try read(inside.bytes)
        }
        let file: String
        do { file = try paths.readable(path) } catch {
            guard let known = options.archive?.files.first(where: { $0.path == path }) else { throw error }
            throw ArgumentError("\(error); the script read \(known.words): put that file below one of these folders")
        }
        let contents = try load(file)
        if filesWritten.contains(file) { return contents }
        let read = try ScriptArchive.FileRead(path: path, file: file)
        if let known = options.archive?.files.first(where: { $0.path == path }), known.sha256 != read.sha256 {
            options.warning("'\(path.printable)' is not the file that the script read: that was \(known.words)")
        }
        try note(read)
        return contents
    }

    private func note(_ file: ScriptArchive.FileRead) throws {
        guard !filesRead.contains(file) else { return }
        filesRead.append(file)
        // A script that is executed again reads again what its runs have noted.
        if options.resumption != nil { return }
        for entry in files { try entry.file.map { try add(file, to: $0, step: entry.run?.step ?? 0) } }
    }

    func add(_ read: ScriptArchive.FileRead, to file: RunFile, step: Int) throws {
        try file.addEvent(step: step, kind: ScriptArchive.FileRead.eventKind, message: read.words, data: read.data)
    }

    /// Reads parameters and running statistics into a model.
    func load(_ path: String, into model: inout Model) throws {
        let state = try model.state(from: readArrays(path), source: path)
        model.initial = state.parameters
        model.initialBuffers = state.statistics
        model.fixedValues = state.fixed
    }

    /// Where a figure goes, and as what.
    func figureTarget(_ path: String) throws -> (file: String, format: FigureFormat) {
        let format = try FigureFormat(path: path)
        return (try paths.writable(path), format)
    }
}
