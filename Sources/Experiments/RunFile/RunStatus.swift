import Foundation

/// How a run stands, as its file says.
public struct RunStatus: Sendable, Hashable {
    public enum State: String, Sendable, CaseIterable {
        /// Its process trains, or did when it was killed.
        case running
        /// It waits at a prompt.
        case paused
        /// Its program has come to its end.
        case done
        /// It was stopped, by a person or by the system, and can go on.
        case stopped
        /// Its program ended with an error, or the loss is no number any more.
        case failed
    }

    public var state: State
    /// Steps taken.
    public var step: Int
    /// What an alert last said.
    public var alert: String?
    /// Who writes the file, or did.
    public var process: RunProcess
    /// When it last wrote.
    public var heartbeat: Date

    /// A run whose process is alive.
    public var isAlive: Bool { (state == .running || state == .paused) && process.isAlive(heartbeat) }

    /// What people read: a run that says it trains, and whose process is gone, was killed.
    public var words: String { (state == .running || state == .paused) && !isAlive ? "killed" : state.rawValue }
}

/// A process of a machine, told from one that later has the same number.
public struct RunProcess: Sendable, Hashable {
    public var host: String
    public var number: Int32
    /// When it started, in the kernel's ticks since that booted; with the machine's boot, where that is known.
    public var start: String

    /// This one.
    public static let current: RunProcess = {
        var machine = utsname()
        uname(&machine)
        let host = withUnsafeBytes(of: machine.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return RunProcess(host: host, number: getpid(), start: startTime(of: getpid()) ?? "")
    }()

    /// As the file has it: `host number start`.
    var text: String { "\(host) \(number) \(start)" }

    init(host: String, number: Int32, start: String) { (self.host, self.number, self.start) = (host, number, start) }

    init?(text: String) {
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let number = Int32(parts[1]) else { return nil }
        self.init(host: String(parts[0]), number: number, start: String(parts[2]))
    }

    /// Seconds after the last sign of life from which on a process of another machine counts as gone: twice the time between two
    /// such signs, and some for clocks that disagree.
    static let silence = 150.0

    /// Of this machine it is known; of another one it is taken for gone where it has not written for long.
    func isAlive(_ heartbeat: Date) -> Bool {
        guard host == Self.current.host else { return Date().timeIntervalSince(heartbeat) < Self.silence }
        return Self.startTime(of: number) == start
    }

    /// Field 22 of `/proc/N/stat`, behind the name in brackets, which may hold anything; with the number of the boot.
    private static func startTime(of process: Int32) -> String? {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let name = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return "\(fields[19]) \(boot.prefix(8))"
    }
}
