import Experiments
import Foundation

/// A job array of Slurm whose tasks work at one point each: `sweep.sh` in the sweep's folder, and its submission.
///
/// A task that Slurm ends (time limit, preemption, requeue) gets SIGTERM, upon which its runs write checkpoints; started again it
/// goes on from there.
public struct SlurmSubmission: Sendable {
    public var partition: String?
    /// As Slurm takes it: `30` (minutes), `2:00:00`, `1-12`.
    public var time: String?
    /// How many tasks run at a time, at most.
    public var arrayLimit: Int?
    /// Cores of a task.
    public var threads = 1

    public init() {}

    /// In the sweep's folder.
    static let scriptName = "sweep.sh"
    /// Where a task says what comes before it has the log of its point.
    static let logName = "slurm-%a.log"

    /// Writes the batch script of some points and submits it.
    /// - Parameters:
    ///   - program: the program, with what it is called with before a point's number.
    /// - Returns: the number of the job.
    /// - Throws: ``SweepError`` where there is no Slurm, or it refuses.
    public func submit(
        _ folder: SweepFolder, points: [Int], program: [String], to slurm: SlurmPrograms = SlurmPrograms()
    ) throws(SweepError) -> String {
        try slurm.require()
        try checkSize(of: points, slurm)
        let script = folder.url.appendingPathComponent(Self.scriptName)
        do { try Data(try text(points, folder, program).utf8).write(to: script, options: .atomic) } catch {
            throw (error as? SweepError) ?? SweepError("cannot write '\(script.path)': \(words(for: error))")
        }
        let answer = try slurm.run(
            "sbatch",
            ["--parsable", "--chdir=\(folder.url.path)", "--output=\(Self.logName)", script.path])
        // `12`, or `12;cluster`.
        let job = (answer ?? "").prefix { $0.isNumber }
        guard !job.isEmpty else { throw SweepError("sbatch gave no number of a job: '\((answer ?? "").printable)'") }
        return String(job)
    }

    private func checkSize(of points: [Int], _ slurm: SlurmPrograms) throws(SweepError) {
        let settings = (try? slurm.run("scontrol", ["show", "config"])) ?? ""
        let line = settings.split(whereSeparator: \.isNewline).first { $0.hasPrefix("MaxArraySize") }
        guard let size = line?.split(separator: "=").last.flatMap({ Int($0.filter(\.isNumber)) }),
            let last = points.max(),
            last >= size
        else { return }
        throw SweepError(
            "this Slurm takes arrays of at most \(size) tasks, and the sweep has \(last + 1) points: make several sweeps of it"
        )
    }

    func text(_ points: [Int], _ folder: SweepFolder, _ program: [String]) throws(SweepError) -> String {
        let name = URL(fileURLWithPath: folder.manifest.script).deletingPathExtension().lastPathComponent
        let plain = name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        var lines = [
            "#!/bin/sh",
            "#SBATCH --job-name=eoss-\(plain)",
            "#SBATCH --array=\(Self.ranges(points))" + (arrayLimit.map { "%\($0)" } ?? ""),
            "#SBATCH --cpus-per-task=\(threads)",
            "#SBATCH --requeue",
            "#SBATCH --open-mode=append",
        ]
        if let partition { lines.append("#SBATCH --partition=\(try Self.word(partition, "--partition"))") }
        if let time { lines.append("#SBATCH --time=\(try Self.word(time, "--time"))") }
        let command = program.map(Self.quoted).joined(separator: " ")
        lines.append("exec \(command) \"$SLURM_ARRAY_TASK_ID\"")
        return lines.joined(separator: "\n") + "\n"
    }

    /// `0-3,7`.
    static func ranges(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers.sorted() {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    private static func word(_ text: String, _ option: String) throws(SweepError) -> String {
        let isWord =
            !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-:,".contains($0)) }
        guard isWord else { throw SweepError("\(option) '\(text.printable)' is nothing that Slurm takes") }
        return text
    }

    /// For a shell.
    private static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
