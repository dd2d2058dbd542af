import Foundation
import Synchronization

/// What a worker and the process that has started it say to each other: a letter, the length in four bytes, the bytes.
struct WorkerFrames {
    enum Frame {
        /// A line that a point has printed.
        case printed([UInt8])
        /// A worker's task, and what has come of it.
        case told(Data)
    }

    private static let (printed, told) = (UInt8(ascii: "p"), UInt8(ascii: "t"))
    private static let headLength = 5

    private var bytes: ArraySlice<UInt8> = []

    mutating func append(_ more: ArraySlice<UInt8>) { bytes = ArraySlice(Array(bytes) + more) }

    /// The next that is there as a whole.
    mutating func next() -> Frame? {
        guard bytes.count >= Self.headLength else { return nil }
        let head = bytes.prefix(Self.headLength)
        let length = head.dropFirst().reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= Self.headLength + length else { return nil }
        let body = bytes.dropFirst(Self.headLength).prefix(length)
        bytes = bytes.dropFirst(Self.headLength + length)
        return head.first == Self.told ? .told(Data(body)) : .printed(Array(body))
    }

    /// Returns 0, or the system's error number.
    @discardableResult
    static func write(_ frame: Frame, to descriptor: Int32) -> Int32 {
        let (letter, body) =
            switch frame {
            case .printed(let line): (printed, line)
            case .told(let data): (told, Array(data))
            }
        let length = UInt32(clamping: body.count)
        let head = [letter] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) }
        return (head + body).withUnsafeBytes { bytes in
            var rest = bytes
            while let base = rest.baseAddress, rest.count > 0 {
                let count = Foundation.write(descriptor, base, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return 0
        }
    }
}

/// A worker's end of what ``WorkerPool`` has opened.
public final class WorkerChannel: Sendable {
    /// What it was told to do.
    public let task: Data
    private let words: Int32
    private let isTold = Mutex(false)

    /// Takes standard input and standard output, which are nobody else's from then on.
    /// - Throws: ``SweepError`` where there is no task.
    public init() throws(SweepError) {
        var frames = WorkerFrames()
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if case .told(let task)? = frames.next() {
                self.task = task
                break
            }
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SweepError("a sweep's worker is started by eoss.sweep alone") }
            frames.append(bytes[..<count])
        }
        words = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(nothing, STDOUT_FILENO)
        close(nothing)
    }

    /// Asks this process to end in order, as a signal from outside would, once the one that has started it is no more.
    public func endWithParent() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                guard count == 0 || count < 0 && errno != EINTR else { continue }
                kill(getpid(), SIGTERM)
                return
            }
        }
    }

    /// Tells a line that the point prints. Returns 0, or the system's error number.
    public func print(_ line: [UInt8]) -> Int32 {
        isTold.withLock { _ in WorkerFrames.write(.printed(line), to: words) }
    }

    /// Tells what has come of the point; what is told first holds.
    public func tell(_ result: Data) {
        isTold.withLock { isTold in
            if !isTold { WorkerFrames.write(.told(result), to: words) }
            isTold = true
        }
    }

    public var hasTold: Bool { isTold.withLock { $0 } }
}
