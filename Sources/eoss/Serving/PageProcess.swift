import ArgumentParser
import Foundation
import LivePage
import Reports

/// The live page of a run: another process of this program, which gives way to the training, so that however many look at the page,
/// and however slowly, no step takes longer. It ends with this process.
enum PageProcess {
    /// Milliseconds within which it says where it is.
    private static let patience: Int32 = 10_000
    /// `SCHED_IDLE`: runs where nothing else wants to.
    private static let idlePolicy: Int32 = 5

    /// Starts it and says its address.
    static func start(folder: String, port: UInt16) {
        guard let life = ChildProgram.openPipe(), let address = ChildProgram.openPipe() else {
            Console.tell("no live page: \(String(cString: strerror(errno)))")
            return
        }
        let child = ChildProgram(
            path: "/proc/self/exe", arguments: ["serve", folder, "--port", "\(port)", "--for-run"],
            environment: ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" },
            streams: [life.reading, address.writing, STDERR_FILENO])
        do {
            _ = try child.start()
        } catch {
            Console.tell("no live page: the program cannot be started once more")
        }
        close(life.reading)
        close(address.writing)
        // The other end of `life` stays open as long as this process lives: when it is closed the page ends.
        if let line = firstLine(of: address.reading) {
            Console.tell("live page: \(line)")
        } else {
            Console.tell("no live page: it has not begun")
        }
        close(address.reading)
    }

    private static func firstLine(of descriptor: Int32) -> String? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var bytes = [UInt8](repeating: 0, count: 256)
        guard poll(&waiting, 1, patience) == 1 else { return nil }
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    /// From now on this thread, and those that it starts, get what a training leaves of the processor.
    static func giveWay() {
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
        var none = sched_param()
        // Where it is refused, the lowest priority has to do.
        _ = sched_setscheduler(0, idlePolicy, &none)
    }

    /// Ends this process when its standard input does: a pipe that the run holds as long as it lives.
    static func endWithParent() {
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || count < 0 && errno != EINTR { _exit(0) }
            }
        }
    }
}

/// `--serve`, or `--serve 8080`.
struct PagePort: ExpressibleByArgument, Sendable {
    let number: UInt16

    init?(argument: String) {
        if argument == Self.standard {
            number = LivePage.standardPort
        } else {
            guard let number = UInt16(argument) else { return nil }
            self.number = number
        }
    }

    private static let standard = "standard"

    /// A port may be left out, and what follows is then not one: `--serve script.lua`.
    static func spelledOut(_ arguments: [String]) -> [String] {
        arguments.enumerated().map { place, word in
            guard word == "--serve" else { return word }
            let next = place + 1 < arguments.count ? arguments[place + 1] : ""
            return !next.isEmpty && next.allSatisfy(\.isNumber) ? word : "--serve=\(standard)"
        }
    }
}
