import ArgumentParser
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

    @Option(name: .customLong("out"), help: ArgumentHelp("Write run files and figures here.", valueName: "folder"))
    var outputFolder: String?

    @Option(
        name: .customLong("allow-read"),
        help: ArgumentHelp("Let the script read files of this folder, too.", valueName: "folder"))
    var readFolders: [String] = []

    @Flag(help: "Show no progress.")
    var quiet = false

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
