import Foundation

/// What Slurm says of the points of a sweep.
public struct SlurmStatus: Sendable, Equatable {
    /// Of each point that it knows of: `PENDING (Priority)`, `RUNNING on node3`, `FAILED`.
    public var words: [Int: String] = [:]
    /// Points that Slurm has yet to end: their tasks wait or run.
    public var alive: Set<Int> = []

    public init() {}

    /// Asks for the jobs of a sweep. Where there is no Slurm, or it does not answer, nothing is known.
    public init(_ folder: SweepFolder, slurm: SlurmPrograms = SlurmPrograms()) {
        for submission in folder.manifest.submissions where submission.job.allSatisfy(\.isNumber) {
            // A job that is long over is unknown to one of them, or to both.
            let accounts = try? slurm.run(
                "sacct",
                [
                    "--noheader", "--parsable2", "--allocations", "--jobs=\(submission.job)",
                    "--format=JobID,State",
                ])
            readAccounts(accounts ?? "", of: submission.job)
            let queue = try? slurm.run(
                "squeue", ["--noheader", "--array", "--jobs=\(submission.job)", "--format=%K|%T|%R"])
            readQueue(queue ?? "")
        }
    }

    /// Lines `12_3|COMPLETED`; tasks that wait stand together, `12_[4-9]|PENDING`, and each by itself in the queue.
    mutating func readAccounts(_ text: String, of job: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count >= 2, parts[0].hasPrefix(job + "_"), let point = Int(parts[0].dropFirst(job.count + 1))
            else { continue }
            words[point] = String(parts[1])
        }
    }

    /// Lines `3|RUNNING|node1` and `4|PENDING|(Resources)`, which overrule accounts.
    mutating func readQueue(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false)
            guard parts.count >= 3, let point = Int(parts[0]) else { continue }
            let place = parts[2].hasPrefix("(") || parts[2].isEmpty ? "\(parts[2])" : "on \(parts[2])"
            words[point] = "\(parts[1]) \(place)"
            alive.insert(point)
        }
    }
}
