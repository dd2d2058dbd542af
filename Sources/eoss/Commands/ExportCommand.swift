import ArgumentParser
import Experiments
import Foundation
import RunFiles

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what a run measured, for other programs.",
        discussion: """
            csv and parquet have a row a step and a column a series (--long: a row a measurement, with its error bar and its cost), \
            jsonl an object a measurement, npz and safetensors the arrays name/steps, name/values and name/stderrs, tensorboard is a \
            folder for TensorBoard. Without -o, csv and jsonl go to standard output, the others to a file called as the run file.
            """)

    @Argument(help: ArgumentHelp("The run file.", valueName: "run file"), completion: .file(extensions: ["eoss"]))
    var file: String

    @Option(help: ArgumentHelp("The format.", valueName: "format"))
    var to: ExportFormat

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file (tensorboard: folder).", valueName: "path"))
    var output: String?

    @Option(help: ArgumentHelp("These series alone, with commas between them.", valueName: "names"))
    var series: [String] = []

    @Flag(help: "A row a measurement instead of a row a step (csv, parquet).")
    var long = false

    @Option(help: ArgumentHelp("The parameters of a checkpoint (safetensors): last, or its step.", valueName: "step"))
    var checkpoint: String?

    @Flag(help: "Replace a file that is there already.")
    var force = false

    func validate() throws {
        if long, !to.isTable { throw ValidationError("--long belongs to csv and parquet; \(to.rawValue) is so anyway") }
        guard let checkpoint else { return }
        if to != .safetensors { throw ValidationError("--checkpoint belongs to --to safetensors") }
        if checkpoint != "last", Int(checkpoint) == nil {
            throw ValidationError("--checkpoint is '\(checkpoint)', and should be last or a step")
        }
        if !series.isEmpty { throw ValidationError("--checkpoint and --series: a file has one or the other") }
    }

    func run() throws {
        let reader = try RunFile.open(URL(fileURLWithPath: file))
        if let reason = reader.spillLeft { Console.complain("eoss: \(reason)") }
        let export = try Export(reader, series: series.isEmpty ? nil : names(reader.seriesNames()))
        if output == nil, to.isText { return try export.write(to, isLong: long, to: StandardOutput()) }
        let target = try export.target(to, output: output)
        let sink = try ExportFile(target, replacing: force)
        if let checkpoint {
            try export.writeCheckpoint(step: Int(checkpoint), to: sink)
        } else {
            try export.write(to, isLong: long, to: sink)
        }
        try sink.finish()
        Console.complain("written: \(target)")
    }

    /// A name may have a comma in it.
    private func names(_ known: [String]) -> [String] {
        series.flatMap { given in
            known.contains(given) ? [given] : given.split(separator: ",").map(String.init)
        }
    }
}

/// Standard output, for long tables.
private final class StandardOutput: ByteSink {
    func write(_ bytes: [UInt8]) throws {
        let failure = Console.writeOutput(bytes)
        if failure == 0 { return }
        // The reader has seen enough: `eoss export … | head`.
        if failure == EPIPE { throw ExitCode(ExitStatus.failed.rawValue) }
        throw ExportError("cannot write to standard output: \(String(cString: strerror(failure)))")
    }
}
