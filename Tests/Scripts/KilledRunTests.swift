import Experiments
import Foundation
import Testing

/// A script whose process is killed at any moment, again and again, and resumed until it is done, has measured what one that was left alone
/// has, to the bit: several runs under rules with state, forks, also of actions, trainings side by side and in lockstep, loops, events,
/// values at every step.
///
/// `EOSS_KILLS=100 swift test --filter killedAtAnyMoment` kills so many, each at a moment of its own.
@Suite struct KilledRunTests {
    private static let script = """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local function make(name, optimizer)
          local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
          local run = eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = optimizer, batch_size = 4, seed = 1,
            checkpoint = { every = 150 } }
          run:track({ "loss", "lambda_max" }, { every = 100 })
          run:track("step_sharpness", { average = 50 })
          run:track("rate", { every = 1, fn = function(r) return r.lr / (1 + r.step) end })
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

    /// Everything measured, by run and series, with what it cost.
    private func measured(_ folder: URL) throws -> [String: [String]] {
        var all: [String: [String]] = [:]
        for file in try files(folder) {
            // A process killed when it had made no more than a name leaves that taken.
            for series in try file.seriesNames() {
                all["\(file.givenName) \(series)"] = try Self.measured(file, series)
            }
            all["\(file.givenName) state"] = [try file.status()?.words ?? ""]
        }
        return all
    }

    /// Starts the program and kills it after some time.
    /// - Returns: false where it had come to its end before.
    private func kill(_ arguments: [String], after seconds: Double) throws -> Bool {
        let process = Process()
        process.executableURL = EossProgram.executable
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        Thread.sleep(forTimeInterval: seconds)
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal { return true }
        #expect(process.terminationStatus == 0, "\(arguments)")
        return false
    }

    /// The files that were committed once; a process that is killed before that leaves an empty one.
    private func files(_ folder: URL) throws -> [RunFileReader] {
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().compactMap { name in
            // Opening a file takes a journal away that stood in the list.
            guard name.hasSuffix(".eoss") else { return nil }
            let url = folder.appendingPathComponent(name)
            let bytes = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
            // What has a header opens: an error is one of the test.
            return bytes > 0 ? try Self.opened(url) : nil
        }
    }

    /// A file whose first commit was cut off is none yet.
    private static func opened(_ url: URL) throws -> RunFileReader? {
        do { return try RunFile.open(url) } catch RunFileError.notARunFile { return nil }
    }

    /// Files of a killed process: each has a beginning of what is to be measured, to the bit, and all of it up to its last checkpoint.
    private func check(_ folder: URL, _ expected: [String: [String]]) throws {
        for file in try files(folder) {
            let checkpoint = try file.lastCheckpointStep() ?? -1
            for series in try file.seriesNames() {
                let all = try #require(expected["\(file.givenName) \(series)"])
                let found = try Self.measured(file, series)
                #expect(Array(all.prefix(found.count)) == found, "\(file.url.path) \(series)")
                let due = all.prefix { Int($0.prefix { $0 != " " }).map { $0 <= checkpoint } ?? false }
                #expect(found.count >= due.count, "\(file.url.path) \(series)")
            }
        }
    }

    private static func measured(_ file: RunFileReader, _ series: String) throws -> [String] {
        try file.series(series).map {
            "\($0.step) \($0.value.bitPattern) \($0.standardError?.bitPattern ?? 0) \($0.operations ?? 0)"
        }
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
        #expect(expected.count == 6 * 6 + 2)
        let wanted = ProcessInfo.processInfo.environment["EOSS_KILLS"].flatMap(Int.init) ?? 10
        // Moments spread over six tenths of an execution; one that comes to its end is compared, and another begun.
        var (share, kills, lives) = (0.37, 0, 0)
        while kills < wanted {
            let isNew = try files(killed).isEmpty
            share = (share + 0.618_034).truncatingRemainder(dividingBy: 1)
            if isNew { try? FileManager.default.removeItem(at: killed) }
            let arguments =
                try isNew
                ? ["run", script.path, "--out", killed.path] : ["run", "--resume", files(killed)[0].url.path]
            if try kill(arguments, after: 0.6 * share * seconds) {
                kills += 1
                try check(killed, expected)
            } else {
                lives += 1
                #expect(try measured(killed) == expected)
                try FileManager.default.removeItem(at: killed)
            }
        }
        if let first = try files(killed).first {
            let last = try EossProgram.run(["run", "--resume", first.url.path])
            #expect(last.status == 0, "\(last.errors)")
            #expect(last.output == full.output)
            let found = try measured(killed)
            for (series, values) in expected { #expect(found[series] == values, "\(series)") }
            #expect(found.count == expected.count, "\(found.keys.sorted())")
        }
        print("killed \(kills) times in \(lives + 1) lives of \(seconds) s")
    }

    /// A fork goes on where it was when its process is killed, though its run rests since before it was made.
    @Test(arguments: [SIGKILL, SIGTERM])
    func aForkIsNotTrainedTwice(_ signal: Int32) throws {
        let folder = try Folder()
        let script = folder.url.appendingPathComponent("forked.lua")
        let text = """
            local p = eoss.params{ last = 1000000000 }
            local data = eoss.data.chebyshev{ degree = 3, n = 20 }
            local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
            local run = eoss.run{ name = "run", model = net, data = data, loss = "mse", optimizer = eoss.optim.adam{ lr = 0.001 },
              batch_size = 4, seed = 1, checkpoint = { every = 150 } }
            run:train{ to = 200 }
            print(math.random())
            run:every(7, function(r) r.state.sum = (r.state.sum or 0) + math.random() end)
            local fork = run:fork{ name = "fork", lr = run.lr / (2 + math.random()) }
            fork.state.count = (fork.state.count or 0) + 1
            fork.lr = fork.lr * math.random()
            local first
            fork:every(1, function(r) first = first or r.step end)
            local twig = fork:fork{ name = "twig", lr = run.lr / (3 + math.random()) }
            run.state.count = (run.state.count or 0) + 1
            twig:every(1, function(r) first = first or r.step end)
            twig:train{ to = p.last }
            print(first, fork.step, twig.loss, twig.state.sum, fork.state.count, run.state.count, math.random())
            """
        try text.write(to: script, atomically: true, encoding: .utf8)
        let runs = folder.url.appendingPathComponent("runs")
        let process = Process()
        process.executableURL = EossProgram.executable
        process.arguments = ["run", script.path, "--out", runs.path]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
        try process.run()
        func last() throws -> Int {
            try files(runs).first { $0.givenName == "twig" }?.lastCheckpointStep() ?? 0
        }
        while try last() < 600, process.isRunning { Thread.sleep(forTimeInterval: 0.01) }
        Foundation.kill(process.processIdentifier, signal)
        process.waitUntilExit()
        let reached = try last()
        #expect(reached >= 600)
        let goal = "last=\(reached + 50)"
        let resumed = try EossProgram.run(["run", "--resume", runs.path + "/run.eoss", "--set", goal])
        #expect(resumed.status == 0, "\(resumed.errors)")
        let whole = try EossProgram.run([
            "run", script.path, "--out", folder.url.appendingPathComponent("whole").path, "--set", goal,
        ])
        #expect(whole.status == 0, "\(whole.errors)")
        let (found, expected) = (resumed.output.split(separator: "\n"), whole.output.split(separator: "\n"))
        try #require(found.count == 2 && expected.count == 2, "\(resumed)")
        #expect(found[1].hasPrefix("\(reached)\t") || found[1].hasPrefix("\(reached + 1)\t"), "\(found) \(reached)")
        #expect(found[0] == expected[0])
        let parts = (found[1].split(separator: "\t").dropFirst(), expected[1].split(separator: "\t").dropFirst())
        #expect(parts.0 == parts.1)
        #expect(try files(runs).count == 3)
    }
}
