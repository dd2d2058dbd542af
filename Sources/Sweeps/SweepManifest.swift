import Experiments
import Foundation

/// What a sweep is, as the file `sweep.json` of its folder says it: enough to go on with it, on any machine that sees the folder.
///
/// What a script may do (`--trust`, `--allow-read`) is not in it: a folder may come from a stranger.
public struct SweepManifest: Codable, Sendable, Equatable {
    static let currentFormat = 1

    /// The version of this format.
    private(set) var format = currentFormat
    /// The version of eoss that made it.
    public var eoss = RunEnvironment.eossVersion
    public var created: Date
    /// The script's absolute path, and its SHA-256 in hexadecimal.
    public var script: String
    public var sha256: String
    public var axes: [SweepPlan.Axis]
    /// Seeds of each combination.
    public var repeats: Int?
    public var options = Options()
    /// What was submitted to Slurm, in order.
    public var submissions: [Submission] = []

    /// What each point may use, where that was said.
    public struct Options: Codable, Sendable, Equatable {
        public var threads: Int?
        /// In bytes.
        public var memory: Int?

        public init(threads: Int? = nil, memory: Int? = nil) { (self.threads, self.memory) = (threads, memory) }

        fileprivate var isSane: Bool { (1...64).contains(threads ?? 1) && memory ?? 1 > 0 }
    }

    /// A job array of Slurm: its tasks are numbers of points.
    public struct Submission: Codable, Sendable, Equatable {
        public var job: String
        public var submitted: Date

        public init(job: String, submitted: Date) { (self.job, self.submitted) = (job, submitted) }
    }

    public init(
        script: String, sha256: String, axes: [SweepPlan.Axis], repeats: Int? = nil, options: Options = Options(),
        created: Date = Date()
    ) {
        (self.script, self.sha256, self.axes, self.repeats) = (script, sha256, axes, repeats)
        (self.options, self.created) = (options, created)
    }

    public func plan() throws(SweepError) -> SweepPlan { try SweepPlan(axes, repeats: repeats) }

    func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// - Throws: ``SweepError`` for what is not the manifest of a sweep, or is one of a newer eoss.
    init(json: Data, path: String) throws(SweepError) {
        struct Version: Decodable {
            let format: Int
            let eoss: String
        }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let version = try? decoder.decode(Version.self, from: json) else {
            throw SweepError("'\(path)' does not describe a sweep: it is damaged, or another program's")
        }
        guard version.format == Self.currentFormat else {
            throw SweepError(
                "'\(path)' was written by eoss \(version.eoss.printable): update this one (\(RunEnvironment.eossVersion))"
            )
        }
        guard let manifest = try? decoder.decode(SweepManifest.self, from: json), manifest.options.isSane else {
            throw SweepError("'\(path)' does not describe a sweep: it is damaged")
        }
        self = manifest
    }
}
