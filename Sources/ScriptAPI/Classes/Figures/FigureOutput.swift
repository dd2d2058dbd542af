import Compute
import Experiments
import Foundation
import LuaBridge
import Reports

extension Parameter {
    /// Where a figure goes.
    static let figureFile = Parameter.optional(
        "file", .path,
        "Below the output folder: .svg, .pdf, .png or .txt. Where another run has a figure of that name, the next free name is taken, as for run files. Without a file the figure is printed."
    )
    static let figurePath = Parameter("path", .string.orNil, "The figure's file; nil where it was printed.")
}

/// A file that a figure is to go into.
struct FigureFile {
    /// As the script names it.
    let name: String
    let format: FigureFormat
}

extension ScriptHost {
    /// The file of a call, before anything is computed for it; nil where the figure is to be printed.
    /// - Throws: for a name that no figure can have, and one that cannot be written.
    func figureFile(_ call: borrowing LuaCall) throws -> FigureFile? {
        guard let name: String = try call.get("file") else { return nil }
        let format = try FigureFormat(path: name)
        try OutputFile.check(paths.writable(name))
        return FigureFile(name: name, format: format)
    }

    /// Draws a figure into a file of the output folder and into the files of its runs; without a file it is printed.
    /// - Returns: the file's path; nothing, which a prompt does not show, where it is printed.
    func show(_ figure: Figure, of runs: [Run], in file: FigureFile?) throws -> LuaResults {
        guard let file else {
            let format = options.printedFigure()
            try print(figure.drawn(as: format), format)
            return LuaResults()
        }
        let bytes = try figure.drawn(as: file.format)
        let path = try freeFigure(file.name, of: runs)
        do {
            try OutputFile.write(bytes, to: path)
        } catch {
            // The name was taken, for nothing.
            if (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) == 0 { unlink(path) }
            throw error
        }
        writtenFigures[path] = runs.map { WeakRun(run: $0, file: $0.file) }
        let name = (path as NSString).lastPathComponent
        for run in runs { try run.file?.addFigure(name: name, mime: file.format.mimeType, bytes: bytes) }
        let shown = Self.shortPath(URL(fileURLWithPath: path))
        if name != (file.name as NSString).lastPathComponent { options.message("figure: \(shown)") }
        return LuaResults(shown)
    }

    private func print(_ bytes: Data, _ format: FigureFormat) throws {
        guard case .text = format else { return try options.print(LuaBytes(Array(bytes))) }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        for line in lines.dropLast() { try options.print(LuaBytes(String(line))) }
    }

    /// The path for a figure of this name: where another's figure has it the one with the number of the run's file, or the next that is
    /// free.
    func freeFigure(_ name: String, of runs: [Run]) throws -> String {
        let path = try paths.writable(name)
        if takes(path, for: runs) { return path }
        let (base, ending) = ((name as NSString).deletingPathExtension, (name as NSString).pathExtension)
        let own = runs.first.flatMap { run in run.file.flatMap { Self.number(of: $0, in: run) } }
        for number in (own.map { [$0] } ?? []) + Array(2...10_000) {
            let next = try paths.writable("\(base)-\(number).\(ending)")
            if takes(next, for: runs) { return next }
        }
        throw ArgumentError("there are 10,000 figures '\(name)' of other runs already: give another name")
    }

    /// 2 of `name-2.eoss`, where the run was called `name`.
    private static func number(of file: RunFile, in run: Run) -> Int? {
        let name = file.url.deletingPathExtension().lastPathComponent
        guard name.hasPrefix(run.name + "-") else { return nil }
        return Int(name.dropFirst(run.name.count + 1)).flatMap { $0 > 1 ? $0 : nil }
    }

    /// Whether a name can be had: nothing is there, or what the same runs drew, in this execution or in the one that it goes on with. A new
    /// one is taken by an empty file, in one system call, so that two processes never have the same.
    private func takes(_ path: String, for runs: [Run]) -> Bool {
        if let owners = writtenFigures[path] {
            return owners.count == runs.count && zip(owners, runs).allSatisfy { $0.run === $1 }
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if descriptor >= 0 { close(descriptor) }
        // What else is wrong with it, writing tells.
        if descriptor >= 0 || errno != EEXIST { return true }
        guard options.resumption != nil, let run = runs.first, let file = run.file else { return false }
        let name = (path as NSString).lastPathComponent
        return (try? RunFile.open(file.url).figureNames().contains(name)) ?? false
    }
}
