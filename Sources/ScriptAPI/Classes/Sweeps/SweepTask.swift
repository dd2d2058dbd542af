import Experiments
import Foundation
import LuaBridge
import Sweeps

/// What has come of a point at which `eoss.sweep` has called its function.
enum PointResult: Codable {
    /// What the function has returned.
    case done([String: ColumnValue])
    /// What the run said.
    case diverged(String)
    case failed(Failure)

    /// An error of the script, by its parts.
    struct Failure: Codable {
        var message: String
        var position: String?
        var traceback = ""
        /// Whether it was one of Lua, and not of a check by the host.
        var isOfLua = true

        init(_ error: any Error) {
            let ofLua = error as? LuaError
            message = ofLua?.message ?? words(for: error)
            (position, traceback, isOfLua) = (ofLua?.position, ofLua?.traceback ?? "", ofLua != nil)
        }

        init(words: String) { (message, isOfLua) = (words, false) }

        var error: any Error {
            isOfLua
                ? LuaError(.script, message, position: position, traceback: traceback) : ArgumentError(message)
        }
    }
}

/// A value that comes back from another process with all its bits.
struct ColumnValue: Codable {
    let value: LuaValue

    init(_ value: LuaValue) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            value = .boolean(flag)
        } else if let integer = try? container.decode(Int.self) {
            value = .integer(integer)
        } else if let bits = try? container.decode([String].self),
            let bits = bits.first.flatMap({ UInt64($0, radix: 16) })
        {
            value = .number(Double(bitPattern: bits))
        } else {
            value = .string(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch value {
        case .boolean(let flag): try container.encode(flag)
        case .integer(let integer): try container.encode(integer)
        case .number(let number): try container.encode([String(number.bitPattern, radix: 16)])
        case .string(let text): try container.encode(text)
        default: try container.encodeNil()
        }
    }
}

/// What a worker says of its point.
struct PointNews: Codable {
    var result: PointResult
    /// The files beside run files that it has written, by their paths on the disk.
    var filesWritten: [String] = []
}

/// The point that a process is to work at, which executes the script up to there.
struct SweepTask: Codable {
    struct Script: Codable, Equatable {
        var path: String
        var sha256: String
    }

    /// Names the execution of which it is a part.
    var session: UUID
    /// The number of the call of `eoss.sweep`, from 1, and of the point, from 0.
    var sweep: Int
    var point: Int
    /// The names of all points of this sweep are one by one those of the process that has given the task.
    var names: String
    /// What has come of the sweeps before.
    var before: [[PointResult]]
    /// What that process has read up to the sweep.
    var scripts: [Script]
    /// Where `math.random` stood there.
    var random: [UInt64]?
}

/// A process that works at one point of a sweep.
public final class SweepWorker {
    let task: SweepTask
    private let channel: WorkerChannel
    /// Whether the script has come to the point: what it prints and says on the way, the first process has printed and said.
    public internal(set) var isAtPoint = false
    /// How its runs end.
    var end: RunStatus.State?

    /// - Throws: `SweepError`, `DecodingError` for a task that is none.
    public init(_ channel: WorkerChannel) throws {
        task = try JSONDecoder().decode(SweepTask.self, from: channel.task)
        self.channel = channel
    }

    /// Takes a line of the script's `print`.
    public func print(_ line: LuaBytes) throws {
        guard isAtPoint else { return }
        let failure = channel.print(line.bytes)
        if failure != 0 { throw OutputError(code: failure) }
    }

    /// Whether it has told what has come of its point.
    public var hasTold: Bool { channel.hasTold }

    func tell(_ news: PointNews) throws { channel.tell(try JSONEncoder().encode(news)) }

    /// Tells that the script has failed before it came to its point, or has not come there.
    public func tell(failure: String) {
        let said = "in the process of this point: \(failure)"
        try? tell(PointNews(result: .failed(.init(words: said))))
    }
}

/// How a host has processes started that work at the points of a sweep.
public struct SweepProcesses {
    /// The program, and what it is called with for so many at a time.
    public var program: String
    public var arguments: (_ jobs: Int) -> [String]

    public init(program: String, arguments: @escaping (_ jobs: Int) -> [String]) {
        (self.program, self.arguments) = (program, arguments)
    }
}
