import Experiments
import Foundation
import Testing

@testable import eoss

/// `eoss.sweep` with several jobs: points in processes of their own.
@Suite struct DividedSweepTests {
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        let script: String

        init(_ text: String = DividedSweepTests.script) throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            script = url.appendingPathComponent("sweep.lua").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: script))
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        /// Lets slow runs be quick from now on.
        func hurry() throws { try Hurry.write(to: url) }

        func output(_ name: String) -> URL { url.appendingPathComponent(name) }

        func run(_ output: String, _ settings: [String] = [], _ more: [String] = []) throws -> EossProgram.Result {
            try EossProgram.run(
                ["run", script, "--out", self.output(output).path] + settings.flatMap { ["--set", $0] } + more)
        }

        func start(_ output: String, _ settings: [String]) throws -> (process: Process, errors: Pipe) {
            let process = Process()
            process.executableURL = EossProgram.executable
            process.arguments =
                ["run", script, "--out", self.output(output).path] + settings.flatMap { ["--set", $0] }
            let errors = Pipe()
            (process.standardInput, process.standardOutput, process.standardError) =
                (FileHandle.nullDevice, FileHandle.nullDevice, errors)
            try process.run()
            return (process, errors)
        }

        func names(_ output: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: self.output(output).path).sorted()
        }

        func file(_ output: String, _ name: String) throws -> RunFileReader {
            try RunFile.open(self.output(output).appendingPathComponent(name))
        }

        /// What is measured in each run file, bit for bit.
        func series(_ output: String) throws -> [String: [UInt64]] {
            let names = try names(output).filter { $0.hasSuffix(".eoss") }
            return Dictionary(
                uniqueKeysWithValues: try names.map {
                    ($0, try file(output, $0).series("loss").map(\.value.bitPattern))
                })
        }

        /// Waits until so many runs have a checkpoint.
        func awaitCheckpoints(_ output: String, _ count: Int) throws -> [RunFileReader] {
            let end = Date().addingTimeInterval(120)
            while Date() < end {
                let files = ((try? names(output)) ?? []).filter { $0.hasSuffix(".eoss") }
                    .compactMap { try? file(output, $0) }
                    .filter { (try? $0.lastCheckpointStep()) ?? nil != nil && (try? $0.status())??.isAlive == true }
                if files.count >= count { return files }
                Thread.sleep(forTimeInterval: 0.01)
            }
            throw CocoaError(.fileNoSuchFile)
        }
    }

    private static let script = """
        local p = eoss.params{ jobs = 1, steps = 60, fail = "", slow = false }
        print("before the sweep")
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local function sweep(grid)
          return eoss.sweep{ grid = grid, repeats = 2, jobs = p.jobs, run = function(q, name)
            if name == p.fail then error("no luck") end
            local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", seed = q.seed, dtype = "f64" }
            local run = eoss.run{ name = "net", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = q.lr },
                                  batch_size = 4, seed = q.seed, checkpoint = { every = 20 } }
            run:track("loss", { every = 1 })
            run:every(10, function(r)
              r.lr = q.lr * (1 - 0.1 * math.random())
              if not p.slow or pcall(eoss.arrays.load, "hurry.npy") then return end
              local moment = eoss.clock() + 0.1
              while eoss.clock() < moment do end
            end)
            print("at", name, math.random())
            run:train{ to = p.steps }
            return { loss = run.loss, zero = -0.0, none = 0/0, whole = 2.0, count = 2, text = "λ " .. name, good = run.loss < 1 }
          end }
        end
        local function show(sweep)
          for _, r in ipairs(sweep.rows) do
            print(r.name, r.lr, r.seed, r.diverged, r.message, r.loss and string.format("%a", r.loss), r.zero, r.none, r.whole, r.count,
                  r.text, r.good)
          end
          print(sweep:table())
        end
        show(sweep{ lr = { 0.05, 1e4, 0.1 } })
        print("between", math.random())
        show(sweep{ lr = { 0.02, 0.05 } })
        """

    @Test func severalJobsGiveTheRowsFilesAndWordsOfOneBitForBit() throws {
        let folder = try Folder()
        let (one, three) = (try folder.run("one"), try folder.run("three", ["jobs=3"]))
        #expect(one.status == 0 && three.status == 0, "\(one.errors)\n\(three.errors)")
        #expect(one.output == three.output && one.output.contains("diverged"), "\(three.output)")
        #expect(one.output.split(separator: "\n").count { $0.hasPrefix("before") } == 1)
        let (files, others) = (try folder.series("one"), try folder.series("three"))
        #expect(files == others && files.count == 10)
        for name in files.keys {
            let (a, b) = (try folder.file("one", name), try folder.file("three", name))
            #expect(try a.status()?.state == b.status()?.state && a.status()?.step == b.status()?.step, "\(name)")
        }
        for point in 1...6 { #expect(three.errors.contains("sweep: point \(point) of 6, ")) }
        let session = try folder.file("three", "net-lr=0.05-seed=1.eoss").session
        #expect(try session != nil && folder.file("three", "net-lr=0.1-seed=2.eoss").session == session)
        #expect(try folder.run("two", ["jobs=2"], ["--threads", "4", "--quiet"]).output == one.output)
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aStopReachesThePointsAtWorkAndTheSweepGoesOn(_ signal: Int32) throws {
        let folder = try Folder()
        let settings = ["jobs=2", "steps=300", "slow=true"]
        let (process, errors) = try folder.start("out", settings)
        let file = try folder.awaitCheckpoints("out", 2)[0].url.lastPathComponent
        kill(process.processIdentifier, signal)
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(
            process.terminationStatus == 130 && said.contains("each point at work writes its checkpoint"), "\(said)")
        let stopped = try folder.file("out", file)
        let (status, step) = (try #require(try stopped.status()), try #require(try stopped.lastCheckpointStep()))
        #expect(status.state == .stopped && step >= status.step - 20, "\(status), \(step)")
        #expect(try folder.names("out").count == 2)

        try folder.hurry()
        let resumed = try folder.run(
            "out", settings, ["--resume", folder.output("out").appendingPathComponent(file).path])
        #expect(resumed.status == 0 && resumed.errors.contains("resumed: run 'net-"), "\(resumed.errors)")
        let whole = try folder.run("whole", ["steps=300"])
        #expect(
            resumed.output.split(separator: "\n").filter { !$0.hasPrefix("at") }
                == whole.output.split(separator: "\n").filter { !$0.hasPrefix("at") })
        #expect(try folder.series("out") == folder.series("whole"))
    }

    @Test func anErrorAtAPointIsThatOfOneJobAndTheFirstInTheirOrder() throws {
        let folder = try Folder()
        let fail = "fail=lr=10000.0-seed=2"
        let (one, three) = (try folder.run("one", [fail]), try folder.run("three", [fail, "jobs=3"]))
        func error(_ result: EossProgram.Result) -> Substring? {
            result.errors.firstRange(of: "eoss: ").map { result.errors[$0.lowerBound...] }
        }
        #expect(
            one.status == 1 && three.status == 1
                && error(one)?.contains("sweep.lua:6: point lr=10000.0-seed=2: no luck") == true)
        #expect(error(one) == error(three), "\(three.errors)")
        #expect(one.output == three.output)
        #expect(try Set(folder.names("one")).isSubset(of: folder.names("three")))
    }

    /// A sweep that ends at another point may stop a worker before it has read its task.
    @Test(arguments: [SIGINT, SIGTERM])
    func aWorkerThatIsStoppedSaysNothingOfIt(_ signal: Int32) throws {
        let process = Process()
        process.executableURL = EossProgram.executable
        process.arguments = [SweepWorkerCommand.name, "--", "sweep.lua"]
        let (task, errors) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (task, FileHandle.nullDevice, errors)
        try process.run()
        let start = Date()
        while try !catches(signal, process.processIdentifier) {
            try #require(Date().timeIntervalSince(start) < 60)
            Thread.sleep(forTimeInterval: 0.005)
        }
        kill(process.processIdentifier, signal)
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == ExitStatus.interrupted.rawValue && said.isEmpty, "\(said)")
    }

    /// Whether the process has come to where it answers the signal.
    private func catches(_ signal: Int32, _ process: pid_t) throws -> Bool {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let mask = try #require(status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }).split(separator: "\t")
            .last
        return try #require(mask.flatMap { UInt64($0, radix: 16) }) & (1 << UInt64(signal - 1)) != 0
    }

    @Test func aKilledProcessIsOnePointAndTheRestAreWorkedAt() throws {
        let folder = try Folder()
        let settings = ["jobs=2", "steps=300", "slow=true"]
        let (process, errors) = try folder.start("out", settings)
        let file = try folder.awaitCheckpoints("out", 1)[0]
        kill(try #require(try file.status()).process.number, SIGKILL)
        try folder.hurry()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let point = file.name.dropFirst("net-".count)
        #expect(process.terminationStatus == 1)
        #expect(said.contains("point \(point): its process was ended by signal 9"), "\(said)")
        #expect(said.contains("5 of 6 points are over") && said.contains("--resume"), "\(said)")
        let names = try folder.names("out").filter { $0.hasSuffix(".eoss") }
        #expect(names.count == 6)
        for name in names where name != file.url.lastPathComponent {
            #expect(try folder.file("out", name).status()?.state != .stopped)
        }
        let resumed = try folder.run("out", settings, ["--resume", file.url.path])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(try folder.run("whole", ["steps=300"]).status == 0)
        #expect(try folder.series("out") == folder.series("whole"))
    }

    @Test func processesEndWithTheOneThatHasStartedThem() throws {
        let folder = try Folder()
        let (process, _) = try folder.start("out", ["jobs=2", "steps=100000", "slow=true"])
        let files = try folder.awaitCheckpoints("out", 2)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        let end = Date().addingTimeInterval(60)
        while Date() < end, try files.contains(where: { try $0.status()?.isAlive == true }) {
            Thread.sleep(forTimeInterval: 0.02)
        }
        for file in files { #expect(try file.status()?.state == .stopped) }
    }

    private static let run = """
        local function make(name)
          local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", seed = 1, dtype = "f64" }
          return eoss.run{ name = name, model = net, data = eoss.data.chebyshev{ degree = 3, n = 20 }, loss = "mse",
                           optimizer = eoss.optim.sgd{ lr = 0.02 } }
        end

        """

    @Test(arguments: [
        ("make('a'):train{ steps = 2 }", "return {}", "run 'a' was trained or measured before the sweep"),
        ("local a = make('a')", "a:train{ steps = 2 }", "run 'a' was made outside of the sweep's function"),
        ("", "eoss.sweep{ grid = { b = { 1 } }, jobs = 2, run = print }", "inside of another sweep's point"),
        (
            "local n = 0 eoss.sweep{ grid = { b = { 1 } }, run = function() n = n + 1 end } local a = make('a' .. n) a:track('loss')",
            "a:train{ steps = 2 }", "made outside"
        ),
        ("local t = eoss.clock()", "return { b = function() end }", "a function as 'b'"),
        ("", "os.exit()", "os"),
    ])
    func whatOtherProcessesCannotDoIsSaid(before: String, function: String, message: String) throws {
        let folder = try Folder(
            Self.run
                + "\(before)\nprint(pcall(eoss.sweep, { grid = { a = { 1, 2 } }, jobs = 2, run = function() \(function) end }))"
        )
        let result = try folder.run("out")
        #expect(result.status == 0 && result.output.contains("false\t") && result.output.contains(message), "\(result)")
    }

    @Test func aScriptThatIsNoFileIsRefused() throws {
        let sweep = "eoss.sweep{ grid = { a = { 1, 2 } }, jobs = 2, run = function(p) return { b = p.a } end }"
        let (piped, typed) = (
            try EossProgram.run(["run", "-"], input: sweep), try EossProgram.run(["repl"], input: sweep)
        )
        #expect(piped.status == 1 && piped.errors.contains("is no file that other processes can read again"))
        #expect(typed.status == 1 && typed.errors.contains("know no typed lines"))
    }

    @Test func aScriptThatComesToAnotherSweepIsSaid() throws {
        let folder = try Folder("eoss.sweep{ grid = { a = { eoss.clock(), 1 } }, jobs = 2, run = function() end }")
        let result = try folder.run("out")
        #expect(result.status == 1 && result.errors.contains("came to a sweep over other values"), "\(result.errors)")
    }

    @Test func aRunFileWithASweepIsRunAndVerified() throws {
        let folder = try Folder()
        #expect(try folder.run("out", ["jobs=2"]).status == 0)
        let file = folder.output("out").appendingPathComponent("net-lr=0.1-seed=2.eoss").path
        let verified = try EossProgram.run(["verify", file])
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
        let again = try EossProgram.run(["run", file, "--out", folder.output("again").path])
        #expect(again.status == 0, "\(again.errors)")
        #expect(try folder.series("again") == folder.series("out"))
    }
}
