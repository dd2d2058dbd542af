import Experiments
import Foundation
import Testing

@testable import eoss

/// Sweeps from the command line, of a small network on Chebyshev polynomials.
@Suite struct SweepTests {
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        let script: String
        var sweep: String { url.appendingPathComponent("sweep").path }

        /// - Parameter isSlow: whether its runs take some seconds, until ``hurry()``.
        init(_ text: String = SweepTests.script, isSlow: Bool = false) throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            script = url.appendingPathComponent("net.lua").path
            try Data(text.utf8).write(to: URL(fileURLWithPath: script))
            if !isSlow { try hurry() }
        }

        /// Lets slow runs be quick from now on.
        func hurry() throws { try Hurry.write(to: url) }

        deinit { try? FileManager.default.removeItem(at: url) }

        func losses(_ point: String) throws -> [UInt64] {
            try RunFile.open(URL(fileURLWithPath: "\(sweep)/\(point)/net.eoss")).series("loss").map(\.value.bitPattern)
        }

        /// The run files in the folders of points.
        var files: [RunFileReader] {
            let points = (try? FileManager.default.contentsOfDirectory(atPath: sweep)) ?? []
            return points.sorted().compactMap {
                try? RunFile.open(URL(fileURLWithPath: "\(sweep)/\($0)/net.eoss"))
            }
        }

        /// Waits until a run has a checkpoint.
        func awaitCheckpoint() throws -> RunFileReader {
            let end = Date().addingTimeInterval(120)
            while Date() < end {
                if let file = files.first(where: { (try? $0.lastCheckpointStep()) ?? nil != nil }) { return file }
                Thread.sleep(forTimeInterval: 0.01)
            }
            throw CocoaError(.fileNoSuchFile)
        }
    }

    private static let script = """
        local p = eoss.params{ lr = 0.1, batch = 4, steps = 20, seed = 1, fail = 0 }
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {6}, outputs = data.outputs, activation = "tanh",
                                 seed = p.seed, dtype = "f64" }
        local run = eoss.run{ name = "net", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                              batch_size = p.batch, seed = p.seed, checkpoint = { every = 100 } }
        run:track("loss", { every = 1 })
        run:every(10, function()
          if pcall(eoss.arrays.load, "hurry.npy") then return end
          local moment = eoss.clock() + 0.05
          while eoss.clock() < moment do end
        end)
        if p.fail == 2 then error("no luck") end
        run:train{ to = p.steps }
        print("end", run.step)
        """
    private static let grid = ["--set", "lr=0.05,0.1", "--set", "batch=4,10", "--repeat", "2"]
    private static let names = ["0.05", "0.1"].flatMap { lr in
        ["4", "10"].flatMap { batch in (1...2).map { "lr=\(lr)-batch=\(batch)-seed=\($0)" } }
    }

    private static func start(_ arguments: [String]) throws -> (process: Process, errors: Pipe) {
        let process = Process()
        process.executableURL = EossProgram.executable
        process.arguments = arguments
        let errors = Pipe()
        (process.standardInput, process.standardOutput, process.standardError) =
            (FileHandle.nullDevice, FileHandle.nullDevice, errors)
        try process.run()
        return (process, errors)
    }

    @Test func eachPointHasAFileWithWhatARunOfItsOwnGives() throws {
        let folder = try Folder()
        let result = try EossProgram.run(["sweep", folder.script, "--out", folder.sweep, "--jobs", "3"] + Self.grid)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.output.split(separator: "\n").count == 5 && result.output.hasPrefix("lr    batch  n "),
            "\(result.output)")
        #expect(result.errors.contains("lr=0.1-batch=10-seed=2  done  step 20  loss "))
        for name in Self.names {
            let run = try RunFile.open(URL(fileURLWithPath: "\(folder.sweep)/\(name)/net.eoss"))
            #expect(try run.status()?.state == .done && run.status()?.step == 20)
            #expect(
                try String(contentsOfFile: "\(folder.sweep)/\(name)/log.txt", encoding: .utf8).contains("end\t20\n"))
        }
        let list = try EossProgram.run(["ls", folder.sweep])
        #expect(Self.names.allSatisfy { list.output.contains("\n\($0)/net ") }, "\(list.output)")
        let alone = folder.url.appendingPathComponent("alone")
        let run = try EossProgram.run([
            "run", folder.script, "-o", alone.path, "--set", "lr=0.05", "--set", "batch=10", "--set", "seed=2",
            "--threads", "2",
        ])
        #expect(run.status == 0, "\(run.errors)")
        let losses = try RunFile.open(alone.appendingPathComponent("net.eoss")).series("loss").map(\.value.bitPattern)
        #expect(
            try losses == folder.losses("lr=0.05-batch=10-seed=2") && losses != folder.losses("lr=0.05-batch=10-seed=1")
        )

        let again = try EossProgram.run(["sweep", folder.script, "--out", folder.sweep] + Self.grid)
        #expect(again.status == 1 && again.errors.contains("--resume goes on with it"), "\(again.errors)")
        let resumed = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep])
        #expect(resumed.status == 0 && resumed.output == result.output, "what is done is not done again")
        let other = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep, "--set", "lr=1,2"])
        #expect(other.status == 1 && other.errors.contains("goes through other values"), "\(other.errors)")
        let status = try EossProgram.run(["sweep", "--status", folder.sweep])
        #expect(
            status.status == 0 && status.output.contains("8 points, 8 done\n") && status.output.contains(result.output))
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aSweepThatIsInterruptedGoesOnWhereItWas(_ signal: Int32) throws {
        let folder = try Folder(isSlow: true)
        let steps = ["--set", "steps=1500"]
        let (process, errors) = try Self.start(
            ["sweep", folder.script, "--out", folder.sweep, "--jobs", "1"] + Self.grid + steps)
        let first = try folder.awaitCheckpoint().url
        kill(process.processIdentifier, signal)
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 130)
        #expect(said.contains("go on with the rest: eoss sweep --resume --out \(folder.sweep) --jobs 1"), "\(said)")
        let stopped = try RunFile.open(first)
        let step = try #require(try stopped.lastCheckpointStep())
        #expect(try stopped.status()?.state == .stopped && step < 1500)
        #expect(folder.files.count < 8)

        try folder.hurry()
        let resumed = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(folder.files.count == 8 && folder.files.allSatisfy { (try? $0.status()?.step) == 1500 })
        let name = first.deletingLastPathComponent().lastPathComponent
        let log = try String(contentsOfFile: "\(folder.sweep)/\(name)/log.txt", encoding: .utf8)
        #expect(log.contains("resumed: run 'net'") && log.contains("at step \(step)\n"), "\(log)")
        let whole = try Folder()
        #expect(try EossProgram.run(["sweep", whole.script, "--out", whole.sweep] + Self.grid + steps).status == 0)
        for name in Self.names { #expect(try folder.losses(name) == whole.losses(name), "\(name)") }
    }

    @Test func aPointWhoseProcessIsKilledGoesOnAtItsLastCheckpoint() throws {
        let folder = try Folder(isSlow: true)
        let (process, errors) = try Self.start(
            [
                "sweep", folder.script, "--out", folder.sweep, "--jobs", "1", "--set", "steps=1500", "--set",
                "lr=0.05,0.1",
            ])
        let file = try folder.awaitCheckpoint()
        kill(try #require(try file.status()).process.number, SIGKILL)
        try folder.hurry()
        let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1 && said.contains("ended by signal 9"), "\(said)")
        #expect(said.contains("1 of 2 points are over"), "the others are worked at all the same")
        let status = try EossProgram.run(["sweep", "--status", folder.sweep])
        #expect(status.output.contains("1 done, 1 stopped"), "\(status.output)")
        let resumed = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep])
        #expect(
            resumed.status == 0 && folder.files.allSatisfy { (try? $0.status()?.step) == 1500 }, "\(resumed.errors)")
    }

    @Test func aPointThatDivergesIsAResult() throws {
        let folder = try Folder()
        let result = try EossProgram.run(
            ["sweep", folder.script, "--out", folder.sweep, "--set", "lr=0.1,1e4", "--set", "steps=200"])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("lr=1e4  diverged  step "), "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[2].hasPrefix("1e4") && lines[2].hasSuffix(" –"), "\(result.output)")
        let again = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep])
        #expect(again.status == 0 && !again.errors.contains("lr=1e4"))
    }

    @Test func aPointWhoseScriptFailsIsSaidAndMakesTheStatusOne() throws {
        let folder = try Folder()
        let arguments = ["sweep", folder.script, "--out", folder.sweep, "--set", "fail=1,2,3"]
        let result = try EossProgram.run(arguments)
        #expect(
            result.status == 1 && result.errors.contains("fail=2  failed") && result.errors.contains("no luck"),
            "\(result.errors)")
        #expect(result.errors.contains("2 of 3 points are over"))
        let mended = Self.script.replacingOccurrences(of: "error(\"no luck\")", with: "print(\"luck\")")
        try Data(mended.utf8).write(to: URL(fileURLWithPath: folder.script))
        let refused = try EossProgram.run(["sweep", "--resume", "--out", folder.sweep])
        #expect(
            refused.status == 1 && refused.errors.contains("has changed since the sweep began"), "\(refused.errors)")
        let forced = try EossProgram.run(["sweep", "--resume", "--force", "--out", folder.sweep])
        #expect(forced.status == 0 && folder.files.count == 3, "\(forced.errors)")
    }

    @Test(arguments: [
        (["--set", "lr=1,,2"], 2, "a value is empty"), (["--set", "lr=1,1"], 2, "1 twice"), ([], 2, "nothing to sweep"),
        (["--repeat", "100000"], 2, "may have 10000"), (["--set", "lr=1", "--jobs", "0"], 2, "--jobs is 0"),
        (["--set", "lr=1", "--slurm", "--jobs", "2"], 2, "--array-limit"),
        (["--set", "lr=1", "--time", "1"], 2, "belong to --slurm"),
        (["--set", "lr=1", "--slurm"], 1, "--jobs n"), (["--set", "rl=1"], 1, "did you mean 'lr'?"),
        (["--set", "lr=fast"], 1, "expected a number"),
        (["--set", "lr=1", "--out", "/dev/null/x"], 1, "choose another with --out"),
        (["--set", "lr=1", "--force"], 2, "--force belongs to --resume"), (["--resume"], 1, "there is no sweep in"),
    ])
    func whatIsWrongIsOneMessageBeforeAnythingRuns(arguments: [String], status: Int32, message: String) throws {
        let folder = try Folder()
        let target = arguments.contains("--out") ? [] : ["--out", folder.sweep]
        let result = try EossProgram.run(
            ["sweep", folder.script] + target + arguments, environment: ["PATH": "/nonexistent"])
        #expect(result.status == status && result.errors.contains(message), "\(result.errors)")
        #expect(!FileManager.default.fileExists(atPath: folder.sweep))
    }

    @Test func seedsNeedAParameterOfTheScript() throws {
        let folder = try Folder("local p = eoss.params{ lr = 1 }")
        let result = try EossProgram.run(["sweep", folder.script, "--out", folder.sweep, "--repeat", "2"])
        #expect(result.status == 1 && result.errors.contains("seed = 1"), "\(result.errors)")
        let bare = try Folder(Self.script.replacingOccurrences(of: "eoss.params", with: "(function(t) return t end)"))
        let none = try EossProgram.run(["sweep", bare.script, "--out", bare.sweep, "--repeat", "2"])
        #expect(
            none.status == 1 && none.errors.contains("seed = 1"),
            "a script without parameters is not run for them: \(none.errors)")
    }

    @Test func aPointIsWorkedAtByOneProcessOnly() throws {
        let folder = try Folder(isSlow: true)
        let (process, errors) = try Self.start(
            ["sweep", folder.script, "--out", folder.sweep, "--set", "steps=1500", "--set", "lr=0.1", "--jobs", "1"])
        _ = try folder.awaitCheckpoint()
        let other = try EossProgram.run(["sweep-point", folder.sweep, "0"])
        try folder.hurry()
        _ = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(other.status == 1 && other.errors.contains("another process works at"), "\(other.errors)")
        #expect(process.terminationStatus == 0 && folder.files.count == 1)
    }

    @Test func aTerminalShowsThePointsAtWork() throws {
        let folder = try Folder()
        let terminal = try Terminal([
            "sweep", folder.script, "--out", folder.sweep, "--set", "lr=0.1,0.2", "--set", "steps=1000000", "--jobs",
            "2",
        ])
        try terminal.expect("lr=0.1  step ")
        try terminal.expect("lr=0.2  step ")
        try terminal.expect("2 running, of 2 points")
        try terminal.type("\u{3}")
        try terminal.expect("each point at work writes its checkpoint")
        try terminal.expect("go on with the rest: eoss sweep --resume")
        #expect(try terminal.end() == 130)
        #expect(folder.files.count == 2 && folder.files.allSatisfy { (try? $0.status()?.state) == .stopped })
    }
}
