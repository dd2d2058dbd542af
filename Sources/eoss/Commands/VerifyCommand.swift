import ArgumentParser
import Experiments
import Foundation
import RunFiles

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Run the script of a run file again and compare what it measures.",
        discussion: """
            Several files of one execution, forks too, are compared with one run of their script. With the kernels and the math library \
            that the file was made with, every value is to be the same. With others, values may lie \
            \(Int(Verification.standardErrors)) standard errors of their difference apart, eigenvalues as far as their residuals say, and what has \
            neither by --tolerance. The exit status is 0 only where all do.
            """)

    @Argument(help: ArgumentHelp("The run files.", valueName: "run file"), completion: .file(extensions: ["eoss"]))
    var files: [String]

    @Option(help: ArgumentHelp("The share of a value by which it may differ on another machine.", valueName: "share"))
    var tolerance = 1e-3

    @OptionGroup var options: ScriptArguments

    func validate() throws {
        if !options.settings.isEmpty {
            throw ValidationError("--set: a file is verified with the parameters that it has")
        }
        if !(tolerance >= 0 && tolerance < 1) {
            throw ValidationError("--tolerance is \(tolerance), and should be from 0 to 1")
        }
    }

    func run() throws {
        let readers = try files.map { try RunFile.open(URL(fileURLWithPath: $0)) }
        let archive = try ScriptArchive(readers[0])
        for reader in readers.dropFirst() where try !Self.isSame(ScriptArchive(reader), archive) {
            throw ExportError(
                "'\(reader.url.path)' was made by another script, or with other parameters, than '\(files[0])': verify them one by one"
            )
        }
        for reader in readers where try reader.events().contains(where: { $0.kind == "prompt" }) {
            Console.complain("eoss: '\(reader.url.path)' holds lines typed at a prompt, which are not done again")
        }
        let repetition = try Repetition(archive, options)
        defer { repetition.remove() }
        let ending = repetition.run()
        if ending == .interrupted { throw ExitCode(ExitStatus.interrupted.rawValue) }
        let made = try repetition.files()
        var verification = Verification()
        verification.relative = tolerance
        let outcomes = try readers.map { try verification.outcome($0, among: made) }
        for outcome in outcomes { Console.writeOutput(VerificationTable.text(outcome)) }
        // A run that failed then shall fail now.
        let hadFailed = try readers.contains { try $0.status()?.state == .failed }
        guard outcomes.allSatisfy(\.isWithin), ending == .done || hadFailed else {
            throw ExitCode(ExitStatus.failed.rawValue)
        }
    }

    private static func isSame(_ a: ScriptArchive, _ b: ScriptArchive) -> Bool {
        a.script.sha256 == b.script.sha256 && a.parameters == b.parameters
    }
}

/// The script of a run file, run again into a folder that is then removed, unless `--out` names one.
private struct Repetition {
    private let archive: ScriptArchive
    private var options: ScriptArguments
    private let folder: URL
    private let isKept: Bool
    private let before: Set<URL>

    init(_ archive: ScriptArchive, _ options: ScriptArguments) throws {
        (self.archive, self.options) = (archive, options)
        isKept = options.outputFolder != nil
        folder =
            options.outputFolder.map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("eoss-verify-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.options.outputFolder = folder.path
        before = Set(try RunFolder(folder).files())
    }

    func run() -> ExitStatus {
        do {
            try Session(options, interactive: false, archive: archive, isSilent: true).run(archive.url.path)
            return .done
        } catch let code as ExitCode {
            return ExitStatus(rawValue: code.rawValue) ?? .failed
        } catch {
            Console.complain("eoss: \(Console.harmless(words(for: error)))")
            return .failed
        }
    }

    /// The run files that it made.
    func files() throws -> [RunFileReader] {
        try RunFolder(folder).files().filter { !before.contains($0) }.map { try RunFile.open($0) }
    }

    func remove() {
        if !isKept { try? FileManager.default.removeItem(at: folder) }
    }
}

/// What `eoss verify` prints.
enum VerificationTable {
    static func text(_ outcome: Verification.Outcome) -> String {
        let word = outcome.isWithin ? "verified" : "NOT verified"
        var lines: [String]
        switch outcome.tolerance {
        case .none:
            lines = [
                "\(outcome.run.printable): \(word), same kernels and math library: every value is to be the same"
            ]
        case .errorBars(let share, let reason):
            let errors = Int(Verification.standardErrors)
            lines = [
                "\(outcome.run.printable): \(word), on another machine", "  \(reason)",
                "  values may differ by \(errors) standard errors, eigenvalues by their residuals, others by \(share) of them",
            ]
        }
        if !outcome.metrics.isEmpty {
            let rows = outcome.metrics.map { metric in
                [
                    metric.name.printable, "\(metric.points)", String(format: "%.4g", metric.largest),
                    metric.step.map(String.init) ?? "", verdict(metric),
                ]
            }
            let table = aligned([["metric", "values", "largest deviation", "at step", ""]] + rows)
            lines += table.split(separator: "\n").map { "  " + $0 }
        }
        return (lines + outcome.failures.map { "  " + $0 }).joined(separator: "\n") + "\n"
    }

    private static func verdict(_ metric: Verification.Metric) -> String {
        var words: [String] = []
        if metric.outside > 0 { words.append("\(metric.outside) too far apart") }
        if metric.missing > 0 { words.append("\(metric.missing) not measured again") }
        return words.isEmpty ? "ok" : words.joined(separator: ", ")
    }
}
