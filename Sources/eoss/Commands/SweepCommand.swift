import ArgumentParser
import Compute
import Experiments
import Foundation
import ScriptAPI
import Sweeps
import Synchronization

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Run an experiment for every combination of values of its parameters.",
        usage: """
            eoss sweep <file> --set <name=value,value,…> ... [--repeat <n>] [--jobs <n>] [--out <folder>] [<options>]
            eoss sweep --resume --out <folder> [<options>]
            eoss sweep --status <folder>
            """,
        discussion: """
            Each point has a folder of its own with its run file. Interrupted, killed and failed points go on at their last checkpoints \
            with --resume. A list is written {200,200}, a text with a comma "a,b".
            """)

    @Argument(help: ArgumentHelp("The script.", valueName: "file"), completion: .file(extensions: ["lua"]))
    var file: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("The values of a parameter that the script declares.", valueName: "name=value,value,…"))
    var settings: [ScriptOptions.Setting] = []

    @Option(
        name: .customLong("repeat"), help: ArgumentHelp("Repeat each combination with seeds 1 to n.", valueName: "n"))
    var repeats: Int?

    @Option(help: ArgumentHelp("Run so many points at a time (default: one for each core).", valueName: "n"))
    var jobs: Int?

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: ArgumentHelp("The folder of the sweep (default: runs/<name of the script>-sweep).", valueName: "folder"))
    var outputFolder: String?

    @Flag(help: "Go on with the sweep in the folder.") var resume = false

    @Option(help: ArgumentHelp("Show how the sweep in this folder stands.", valueName: "folder"))
    var status: String?

    @Option(help: ArgumentHelp("Show this series in the table; all by default.", valueName: "series"))
    var metric: [String] = []

    @OptionGroup(title: "Limits of each point") var limits: SweepLimits
    @OptionGroup(title: "On a cluster") var cluster: SlurmArguments

    @Flag(help: "Show no progress.") var quiet = false

    func validate() throws {
        if status != nil {
            guard file == nil, !resume, settings.isEmpty, repeats == nil else {
                throw ValidationError(
                    "--status shows how a sweep stands, and starts nothing: 'eoss sweep --status FOLDER'")
            }
            return
        }
        if file == nil, !resume {
            throw ValidationError(
                "which script? Call 'eoss sweep FILE --set name=value,value', or --resume --out FOLDER")
        }
        if file == nil, outputFolder == nil {
            throw ValidationError("which sweep? Call 'eoss sweep --resume --out FOLDER'")
        }
        if limits.force, !resume { throw ValidationError("--force belongs to --resume") }
        if file != nil, !resume {
            // What is wrong with them is wrong whatever the script says.
            do { _ = try SweepPlan(axes, repeats: repeats) } catch { throw ValidationError("\(error)") }
        }
        if let jobs, jobs < 1 || jobs > 1000 {
            throw ValidationError("--jobs is \(jobs), and should be from 1 to 1000")
        }
        if cluster.slurm, jobs != nil {
            throw ValidationError("--jobs is for this machine; with --slurm, --array-limit says how many run at a time")
        }
    }

    func run() throws {
        if let status {
            let folder = try SweepFolder(opening: URL(fileURLWithPath: status))
            Console.writeOutput(try SweepStatusText(folder, columns: columns).text)
            return
        }
        if cluster.slurm { try SlurmPrograms().require() }
        let folder = resume ? try opened() : try begun()
        if cluster.slurm { return try submit(folder) }
        try runHere(folder)
    }

    private var columns: [String]? { metric.isEmpty ? nil : metric }

    private var target: URL {
        if let outputFolder { return URL(fileURLWithPath: outputFolder) }
        let name = URL(fileURLWithPath: file ?? "").deletingPathExtension().lastPathComponent
        return URL(fileURLWithPath: "runs/\(name)-sweep")
    }

    // MARK: - The folder

    private var axes: [SweepPlan.Axis] {
        get throws {
            try settings.map { SweepPlan.Axis($0.name, try SweepValues.split($0.text, of: $0.name)) }
        }
    }

    private func begun() throws -> SweepFolder {
        let axes = try axes
        let plan = try SweepPlan(axes, repeats: repeats)
        try SweepFolder.checkIsFree(target)
        let script = URL(fileURLWithPath: file ?? "").standardizedFileURL.path
        let digest = try SweepFolder.digest(of: script)
        try SweepCheck(limits).check(script, plan, repeats: repeats)
        let manifest = SweepManifest(
            script: script, sha256: digest, axes: axes, repeats: repeats,
            options: SweepManifest.Options(threads: limits.threads, memory: limits.memory?.bytes))
        return try SweepFolder(beginning: manifest, at: target)
    }

    private func opened() throws -> SweepFolder {
        var folder = try SweepFolder(opening: target)
        let path = folder.url.path
        if !settings.isEmpty || repeats != nil {
            guard try SweepPlan(axes, repeats: repeats) == folder.plan else {
                throw SweepError(
                    "the sweep in '\(path)' goes through other values: --resume takes those that it has, and needs no --set; another "
                        + "--out FOLDER begins another sweep")
            }
        }
        if let file, URL(fileURLWithPath: file).standardizedFileURL.path != folder.manifest.script {
            guard limits.force else {
                throw SweepError(
                    "the sweep in '\(path)' is one of '\(folder.manifest.script.printable)': --force goes on with the script '\(file)'"
                )
            }
            let script = URL(fileURLWithPath: file).standardizedFileURL.path
            try folder.change { $0.script = script }
        }
        if limits.force {
            let digest = try SweepFolder.digest(of: folder.manifest.script)
            try folder.change { $0.sha256 = digest }
        } else {
            try folder.checkScript()
        }
        return folder
    }

    /// What is not given goes on as it was.
    private func limits(of folder: SweepFolder) -> SweepLimits {
        var limits = limits
        limits.threads = limits.threads ?? folder.manifest.options.threads
        limits.memory = limits.memory ?? folder.manifest.options.memory.map { MemorySize(bytes: $0) }
        return limits
    }

    // MARK: - Here

    private func runHere(_ folder: SweepFolder) throws {
        let reports = folder.reports()
        let left = reports.indices.filter { !reports[$0].state.isOver }
        let jobs = min(jobs ?? ProcessInfo.processInfo.activeProcessorCount, max(1, left.count))
        var limits = limits(of: folder)
        if jobs > 1, limits.threads == nil { limits.threads = 1 }
        // What one process may take by default all of them share.
        if jobs > 1, limits.memory == nil { limits.memory = MemorySize(bytes: MemoryAccount.shared.limit / jobs) }
        let flags = limits.arguments + (limits.force ? ["--force"] : [])
        var sweep = LocalSweep(
            folder, jobs: jobs, program: Self.thisProgram, arguments: ["sweep-point", folder.url.path] + flags)
        let view = SweepView(folder, reports: reports, quiet: quiet)
        sweep.observe = view.show
        sweep.look = view.look
        let stop = StopRequest()
        Interrupts.shared.attach(stopping: {
            stop.request()
            view.say("stopping: each point at work writes its checkpoint")
        })
        Interrupts.shared.running(true)
        defer { view.clear() }
        try sweep.run(left, stops: { stop.isRequested })
        view.clear()
        try finish(folder, isStopped: stop.isRequested)
    }

    private func finish(_ folder: SweepFolder, isStopped: Bool) throws {
        let reports = folder.reports()
        if reports.contains(where: \.state.isOver) {
            Console.writeOutput(try folder.table(reports, columns: columns).text + "\n")
        }
        let left = reports.count { !$0.state.isOver }
        if left == 0 { return }
        complain(
            "\(reports.count - left) of \(reports.count) points are over; go on with the rest: \(resumption(folder))")
        if reports.contains(where: { $0.state == .failed }) {
            complain("points that failed go on at their last checkpoints; with --force, where the script was mended")
        }
        throw ExitCode((isStopped ? ExitStatus.interrupted : .failed).rawValue)
    }

    /// The command that goes on with the sweep.
    private func resumption(_ folder: SweepFolder) -> String {
        var words = ["eoss", "sweep", "--resume", "--out", target.relativePath]
        if let jobs { words += ["--jobs", "\(jobs)"] }
        words += limits.arguments
        return words.map { $0.contains(" ") ? "'\($0)'" : $0 }.joined(separator: " ")
    }

    private func complain(_ text: String) { Console.write("eoss: \(text)\n", to: STDERR_FILENO) }

    /// This very program, though another be built in its place meanwhile.
    private static let thisProgram = "/proc/self/exe"

    /// Where it is, for other machines.
    private static var program: String { URL(fileURLWithPath: thisProgram).resolvingSymlinksInPath().path }

    // MARK: - On a cluster

    private func submit(_ folder: SweepFolder) throws {
        var folder = folder
        let alive = SlurmStatus(folder).alive
        let reports = folder.reports()
        let left = reports.indices.filter { !reports[$0].state.isOver && !alive.contains($0) }
        guard !left.isEmpty else {
            Console.writeOutput("nothing to submit: no point is left that Slurm does not have already\n")
            return
        }
        var limits = limits(of: folder)
        limits.threads = limits.threads ?? 1
        let flags = limits.arguments + (limits.force ? ["--force"] : [])
        var submission = SlurmSubmission()
        submission.threads = limits.threads ?? 1
        (submission.partition, submission.time) = (cluster.partition, cluster.time)
        submission.arrayLimit = cluster.arrayLimit
        let job = try submission.submit(
            folder, points: left, program: [Self.program, "sweep-point", folder.url.path] + flags)
        try folder.change { $0.submissions.append(.init(job: job, submitted: Date())) }
        Console.writeOutput(
            "submitted job \(job): \(left.count) of \(reports.count) points; how they stand: "
                + "eoss sweep --status \(target.relativePath)\n")
    }
}

/// `--slurm` and what belongs to it.
struct SlurmArguments: ParsableArguments {
    @Flag(help: "Submit the points to Slurm, as a job array.") var slurm = false

    @Option(help: ArgumentHelp("The partition.", valueName: "name")) var partition: String?

    @Option(help: ArgumentHelp("The time limit of a point: 30 (minutes), 2:00:00.", valueName: "time")) var time:
        String?

    @Option(help: ArgumentHelp("Run at most so many points at a time.", valueName: "n")) var arrayLimit: Int?

    func validate() throws {
        if !slurm, partition != nil || time != nil || arrayLimit != nil {
            throw ValidationError("--partition, --time and --array-limit belong to --slurm")
        }
        if let arrayLimit, arrayLimit < 1 {
            throw ValidationError("--array-limit is \(arrayLimit), and should be 1 or more")
        }
    }
}

/// Whether the sweep is to stop.
final class StopRequest: Sendable {
    private let flag = Atomic(false)

    var isRequested: Bool { flag.load(ordering: .relaxed) }

    func request() { flag.store(true, ordering: .relaxed) }
}
