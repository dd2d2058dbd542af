import Experiments
import Foundation

/// Slurm as its own programs know it: `sbatch`, `squeue`, `sacct`, `scontrol`.
public struct SlurmPrograms: Sendable {
    /// Folders in which programs are looked for.
    private let folders: [String]

    public init(path: String = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") {
        folders = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    }

    func find(_ name: String) -> String? {
        folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// - Throws: ``SweepError`` where there is no Slurm on this machine.
    public func require() throws(SweepError) {
        guard find("sbatch") == nil else { return }
        throw SweepError(
            "there is no Slurm here ('sbatch' was not found): without --slurm the sweep runs on this machine, --jobs n points at a time"
        )
    }

    /// What a program of Slurm writes. Nil where there is no such program.
    /// - Throws: ``SweepError`` with what it says where it fails.
    func run(_ name: String, _ arguments: [String]) throws(SweepError) -> String? {
        guard let path = find(name) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (FileHandle.nullDevice, output, errors)
        do { try process.run() } catch { throw SweepError("\(path) cannot be started: \(words(for: error))") }
        let written = output.fileHandleForReading.readDataToEndOfFile()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let lines = String(decoding: said, as: UTF8.self).split(whereSeparator: \.isNewline)
            throw SweepError("\(name) failed: " + lines.joined(separator: " | ").printable)
        }
        return String(decoding: written, as: UTF8.self)
    }
}
