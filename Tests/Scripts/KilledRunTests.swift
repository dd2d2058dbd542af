import Experiments
import Foundation
import Testing

/// A script whose process is killed at any moment, again and again, and resumed until it is done, has measured what one that was left alone
/// has, to the bit: several runs under rules with state, forks, also of actions, trainings side by
/// side and in lockstep, loops, events.
@Suite struct KilledRunTests {
    private static let script = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local function make(name, optimizer)
          local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
          local run = eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = optimizer, batch_size = 4, seed = 1,
            checkpoint = { every = 150 } }
          run:track({ "loss", "lambda_max" }, { every = 100 })
          run:track("step_sharpness", { average = 50 })
          return run
        end
        local O = eoss.optim
        for _, rule in ipairs{ O.momentum{ lr = 0.01, field = eoss.field.sam{ rho = 0.02 } }, O.adam{ lr = 0.001 } } do
          local run = make(rule.name, rule)
          run:every(70, function(r) r.state.sum = (r.state.sum or 0) + math.random() end)
          local twig
          run:at(650, function(r) if r == run then twig = r:fork{ name = rule.name .. "-twig", lr = r.lr / 2 } end end)
          run:train{ to = 400 }
          if run.loss > 0 then run.lr = eoss.schedule.cosine{ from = run.lr, to = run.lr / 10, steps = 900 } end
          local fork = run:fork{ name = rule.name .. "-fork", batch_size = 5 }
          for step, r in run:steps(500) do r.state.last = step end
          eoss.parallel({ fork, twig }, { to = 900 })
          local pair = eoss.lockstep({ run, fork }, { steps = 200, every = 20,
            each = function(step, runs) for _, r in pairs(runs) do r.state.last = step end end })
          print(run.state.sum, run.state.last, run.loss, fork.loss, twig.loss, twig.state.sum)
          print(pair:series("params", run.name, fork.name):mean())
        end
        """

    private struct Folder: ~Copyable {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    /// Everything measured, by file and series, with what it cost.
    private func measured(_ folder: URL) throws -> [String: [String]] {
        var all: [String: [String]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".eoss") {
            let file = try RunFile.open(folder.appendingPathComponent(name))
            for series in try file.seriesNames() {
                all["\(name) \(series)"] = try file.series(series).map {
                    "\($0.step) \($0.value.bitPattern) \($0.standardError?.bitPattern ?? 0) \($0.operations ?? 0)"
                }
            }
            all["\(name) state"] = [try file.status()?.words ?? ""]
        }
        return all
    }

    /// Starts the program and kills it after some time.
    private func kill(_ arguments: [String], after seconds: Double) throws {
        let process = Process()
        process.executableURL = EossProgram.executable
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: seconds)
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    @Test func killedAtAnyMoment() throws {
        let folder = try Folder()
        let script = folder.url.appendingPathComponent("killed.lua")
        try Self.script.write(to: script, atomically: true, encoding: .utf8)
        let (whole, killed) = (folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("killed"))
        let clock = ContinuousClock()
        var full = EossProgram.Result(status: 1, output: "", errors: "")
        let time = try clock.measure { full = try EossProgram.run(["run", script.path, "--out", whole.path]) }
        #expect(full.status == 0, "\(full.errors)")
        let seconds = max(0.2, Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
        let expected = try measured(whole)
        #expect(expected.count == 6 * 5 + 2)
        // Moments spread over a whole execution.
        var share = 0.37
        try kill(["run", script.path, "--out", killed.path], after: share * seconds)
        for _ in 0..<12 {
            let files = try FileManager.default.contentsOfDirectory(atPath: killed.path).filter {
                $0.hasSuffix(".eoss")
            }
            let resumable = files.sorted().first { (try? RunFile.open(killed.appendingPathComponent($0))) != nil }
            guard let resumable else { break }
            // Every file that has been committed once opens, and loses nothing that was.
            let before = try files.compactMap { name -> (String, Int)? in
                guard let file = try? RunFile.open(killed.appendingPathComponent(name)) else { return nil }
                return (name, try file.seriesNames().reduce(0) { try $0 + file.series($1).count })
            }
            share = (share + 0.618).truncatingRemainder(dividingBy: 1)
            try kill(["run", "--resume", killed.appendingPathComponent(resumable).path], after: share * seconds)
            for (name, count) in before {
                let file = try RunFile.open(killed.appendingPathComponent(name))
                #expect(try file.seriesNames().reduce(0) { try $0 + file.series($1).count } >= count)
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: killed.path).sorted()
        let first = try #require(
            files.first { $0.hasSuffix(".eoss") && (try? RunFile.open(killed.appendingPathComponent($0))) != nil })
        let last = try EossProgram.run(["run", "--resume", killed.appendingPathComponent(first).path])
        #expect(last.status == 0, "\(last.errors)")
        #expect(last.output == full.output)
        let found = try measured(killed)
        for (series, values) in expected { #expect(found[series] == values, "\(series)") }
        #expect(found.count == expected.count, "\(found.keys.sorted())")
    }
}
