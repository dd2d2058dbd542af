import ArgumentParser
import Compute
import Foundation
import ScriptAPI

/// `--set name=value`.
extension ScriptOptions.Setting: ExpressibleByArgument {
    public init?(argument: String) {
        guard let sign = argument.firstIndex(of: "=") else { return nil }
        self.init(String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
        let isName = name.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard isName, let first = name.first, !first.isNumber else { return nil }
    }
}

/// `--memory 4G`: bytes, or a number with K, M, G or T (powers of 1024).
struct MemorySize: ExpressibleByArgument, Sendable, Equatable, CustomStringConvertible {
    var bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        var text = argument.uppercased()[...]
        for unit in ["IB", "B"] where text.hasSuffix(unit) {
            text = text.dropLast(unit.count)
            break
        }
        var scale = 1.0
        if let letter = text.last, let power = Array("KMGT").firstIndex(of: letter) {
            scale = pow(1024, Double(power + 1))
            text = text.dropLast()
        }
        guard let number = Double(text), number > 0, let bytes = Int(exactly: (number * scale).rounded()) else {
            return nil
        }
        self.bytes = bytes
    }

    var description: String { bytes % (1 << 20) == 0 ? "\(bytes >> 20)M" : "\(bytes)" }
}

/// How far a training is, for whoever looks.
enum ProgressStyle: String, ExpressibleByArgument, CaseIterable, Sendable {
    case auto, line, off
}

/// `--time-limit 30m`: seconds, or a number with s, m, h or d.
struct TimeLimit: ExpressibleByArgument, Sendable {
    let seconds: Double

    init?(argument: String) {
        let scales: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let scale = argument.last.flatMap { scales[$0] }
        guard let number = Double(scale == nil ? argument[...] : argument.dropLast()), number > 0, number < 1e9 else {
            return nil
        }
        seconds = number * (scale ?? 1)
    }
}

/// What `eoss run` and `eoss repl` have in common.
struct ScriptArguments: ParsableArguments {
    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Set a parameter that the script declares by eoss.params.", valueName: "name=value"))
    var settings: [ScriptOptions.Setting] = []

    @Flag(help: "Lift the sandbox: the script may do what you may.")
    var trust = false

    @Option(help: ArgumentHelp("Compute with so many threads; the results are the same.", valueName: "n"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "Refuse to use more memory than this: 800M, 4G (default: half of the machine's).", valueName: "size"))
    var memory: MemorySize?

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("Write run files and figures here.", valueName: "folder"))
    var outputFolder: String?

    @Option(
        name: .customLong("allow-read"),
        help: ArgumentHelp("Let the script read files of this folder, too.", valueName: "folder"))
    var readFolders: [String] = []

    @Flag(help: "Show no progress.")
    var quiet = false

    @Option(
        help: ArgumentHelp(
            "How progress is shown: line (a line each 30 s, for logs), off, or auto: in place on a terminal, else as line.",
            valueName: "auto|line|off"))
    var progress = ProgressStyle.auto

    @Option(
        name: .customLong("time-limit"),
        help: ArgumentHelp(
            "Stop after this time, in order, so that --resume goes on: 90s, 30m, 2h.", valueName: "time"))
    var timeLimit: TimeLimit?

    @Option(
        name: .customLong("lua-memory"),
        help: ArgumentHelp(
            "Let the script's own tables and strings take so much (default: 256M).", valueName: "size"))
    var luaMemory: MemorySize?

    /// For a process that executes the same script beside `jobs` in all: they share threads and memory.
    func arguments(for jobs: Int) -> [String] {
        var arguments = settings.flatMap { ["--set", "\($0.name)=\($0.text)"] }
        if trust { arguments.append("--trust") }
        if let outputFolder { arguments += ["--out", outputFolder] }
        for folder in readFolders { arguments += ["--allow-read", folder] }
        if let luaMemory { arguments += ["--lua-memory", "\(luaMemory.bytes)"] }
        arguments += ["--threads", "\(max(1, Engine.shared.threads / jobs))"]
        arguments += ["--memory", "\(max(1, MemoryAccount.shared.limit / jobs))"]
        return arguments + (quiet || progress == .off ? ["--quiet"] : ["--progress", "line"])
    }

    func validate() throws {
        if let threads, threads < 1 || threads > 64 {
            throw ValidationError("--threads is \(threads), and should be from 1 to 64")
        }
        for folder in readFolders {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
                throw ValidationError("--allow-read '\(folder)' is no folder")
            }
        }
    }
}
