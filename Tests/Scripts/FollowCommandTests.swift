import Experiments
import Foundation
import Testing

/// `eoss follow`, and the other commands, on files that another process is writing.
@Suite struct FollowCommandTests {
    /// A prompt that reads a pipe: a process with a live run, which does what it is told.
    private final class LiveRun {
        let file: String
        private let process = Process()
        private let (input, output) = (Pipe(), Pipe())

        init(in folder: borrowing RunsFolder) throws {
            file = folder.runs + "/live.eoss"
            process.executableURL = EossProgram.executable
            process.arguments = ["repl", "--out", folder.runs]
            process.standardInput = input
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            try tell(
                """
                data = eoss.data.chebyshev{ degree = 3, n = 20 }
                net = eoss.nn.mlp{ inputs = data.inputs, hidden = {4}, outputs = data.outputs, activation = "tanh" }
                run = eoss.run{ name = "live", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.1 } }
                run:track("loss", { every = 1 })
                """)
        }

        deinit { end() }

        func tell(_ lines: String) throws {
            try input.fileHandleForWriting.write(contentsOf: Data((lines + "\n").utf8))
        }

        /// Trains, and waits until that is in the file.
        func train(to step: Int) throws {
            try tell("run:train{ to = \(step) } print('there')")
            #expect(!output.fileHandleForReading.availableData.isEmpty)
            // A commit comes within a second.
            let end = Date().addingTimeInterval(60)
            while (try? RunFile.open(URL(fileURLWithPath: file)).series("loss").last?.step) != step {
                try #require(Date() < end)
                usleep(20_000)
            }
        }

        func end() {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }

        func kill() {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    /// The program in the background, and what it prints.
    private final class Following {
        private let process = Process()
        private let (output, errors) = (Pipe(), Pipe())
        private var seen = ""

        init(_ file: String) throws {
            process.executableURL = EossProgram.executable
            process.arguments = ["follow", file, "--every", "0.1"]
            process.standardOutput = output
            process.standardError = errors
            try process.run()
        }

        /// Waits for a line that begins so.
        func expect(_ beginning: String) throws {
            while !seen.contains("\n" + beginning), !seen.hasPrefix(beginning) {
                let data = output.fileHandleForReading.availableData
                try #require(!data.isEmpty, "it has ended: \(seen)")
                seen += String(decoding: data, as: UTF8.self)
            }
        }

        func interrupt() { kill(process.processIdentifier, SIGINT) }

        func end() -> (status: Int32, errors: String) {
            let text = errors.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: text, as: UTF8.self))
        }
    }

    @Test func aRunIsFollowedToItsEnd() throws {
        let folder = try RunsFolder()
        let live = try LiveRun(in: folder)
        try live.train(to: 5)
        #expect(try EossProgram.run(["ls", folder.runs]).output.contains(/live .* 5  running/))
        #expect(try EossProgram.run(["show", live.file]).output.contains("running at step 5"))
        let following = try Following(live.file)
        try following.expect("step 5  loss 0.")
        for step in [20, 40] {
            try live.train(to: step)
            try following.expect("step \(step)  loss 0.")
        }
        live.end()
        let (status, errors) = following.end()
        #expect(status == 0 && errors == "eoss: run 'live' has ended: done at step 40\n")
    }

    @Test func theRunGoesOnWhereItIsNotFollowedAnyMore() throws {
        let folder = try RunsFolder()
        let live = try LiveRun(in: folder)
        try live.train(to: 5)
        let following = try Following(live.file)
        try following.expect("step 5")
        following.interrupt()
        #expect(following.end().status == 130)
        try live.train(to: 10)
        let killed = try Following(live.file)
        try killed.expect("step 10")
        live.kill()
        let (status, errors) = killed.end()
        #expect(status == 0 && errors.contains("has ended: killed at step 10"), "\(errors)")
        #expect(try EossProgram.run(["ls", folder.runs]).output.contains("killed"))
    }

    @Test func atATerminalTheTableIsDrawnInPlace() throws {
        let folder = try RunsFolder()
        let live = try LiveRun(in: folder)
        try live.train(to: 5)
        let terminal = try Terminal(["follow", live.file, "--every", "0.1"])
        try terminal.expect("live  running at step 5, written")
        try terminal.expect("SERIES")
        try live.train(to: 25)
        try terminal.expect("\u{1B}[3A")
        try terminal.expect("live  running at step 25, written")
        try terminal.type("\u{3}")
        #expect(try terminal.end() == 130)
    }

    /// The locks that SQLite takes for `BEGIN EXCLUSIVE`: bytes behind a gigabyte.
    @Test func aFileThatAnotherProgramHasForItselfIsNoEnd() throws {
        let folder = try RunsFolder()
        let file = try folder.run("a") { try $0.record("loss", step: 1, value: 0.5) }
        try folder.run("b")
        let descriptor = open(file.path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        var lock = flock(
            l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: 0x4000_0000, l_len: 512, l_pid: 0)
        try #require(fcntl(descriptor, F_SETLK, &lock) == 0)
        let list = try EossProgram.run(["ls", folder.runs])
        #expect(list.status == 0 && list.output.contains(/a +cannot be read: another program has locked it/))
        #expect(list.output.contains(/b +0  done/))
        let page = try EossProgram.run(["show", file.path])
        #expect(page.status == 1 && page.errors.contains("another program has locked it"))
    }
}
