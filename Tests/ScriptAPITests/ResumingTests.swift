import Experiments
import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// Scripts whose runs go on from a checkpoint, among them the examples of `docs/resuming.md`.
@Suite struct Resuming {
    /// A script and what became of it.
    private struct Outcome {
        var failure: String?
        var printed: [String] = []
        var said: [String] = []
    }

    private func execute(
        _ script: URL, in folder: URL, stopping stop: Int? = nil, resuming file: String? = nil, forced: Bool = false,
        settings: [ScriptOptions.Setting] = [], trusted: Bool = false
    ) throws -> Outcome {
        var outcome = Outcome()
        var options = ScriptOptions()
        options.outputFolder = folder
        options.settings = settings
        options.isTrusted = trusted
        if let file { options.resumption = try Resumption(folder.appendingPathComponent(file), forced: forced) }
        let printed = Lines()
        let said = Lines()
        options.print = { printed.lines.append($0.description) }
        options.message = { said.lines.append($0) }
        let host = try ScriptHost(options)
        var steps = 0
        host.afterStep = { [unowned host] _ in
            steps += 1
            if steps == stop { host.interrupt.requestStop() }
        }
        do { try host.run(file: script) } catch { outcome.failure = "\(error)" }
        (outcome.printed, outcome.said) = (printed.lines, said.lines)
        return outcome
    }

    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private final class Lines {
        var lines: [String] = []
    }

    /// All that a folder's files have measured, in order.
    private func measured(_ folder: URL) throws -> [String: [String]] {
        var all: [String: [String]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".eoss") {
            let file = try RunFile.open(folder.appendingPathComponent(name))
            for series in try file.seriesNames() {
                all["\(name) \(series)"] = try file.series(series).map {
                    "\($0.step) \($0.value.bitPattern) \($0.standardError?.bitPattern ?? 0) \($0.operations ?? 0)"
                }
            }
            all["\(name) state"] = ["\(try file.status()?.state.rawValue ?? "") \(try file.status()?.step ?? 0)"]
        }
        return all
    }

    /// The Lua examples of the page: the first is what all others begin with.
    private func examples() throws -> [(text: String, refusal: String?)] {
        let page = try String(contentsOfFile: root + "/docs/resuming.md", encoding: .utf8)
        let blocks = page.split(separator: "```lua").dropFirst().map { $0.split(separator: "```")[0] }
        return blocks.dropFirst().map { block in
            let lines = block.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            let refusal = lines[0].hasPrefix(" refused: ") ? String(lines[0].dropFirst(10)) : nil
            return ("\(blocks[0])\n\(lines[1])", refusal)
        }
    }

    private var root: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }

    @Test func theExamplesOfThePage() throws {
        let examples = try examples()
        #expect(examples.count == 14 && examples.count { $0.refusal != nil } == 5)
        for (text, refusal) in examples {
            let folder = try Folder()
            let script = folder.url.appendingPathComponent("example.lua")
            try text.write(to: script, atomically: true, encoding: .utf8)
            let whole = folder.url.appendingPathComponent("whole")
            let full = try execute(script, in: whole)
            #expect(full.failure == nil, "\(text)")
            for stop in [7, 33, 58] {
                let broken = folder.url.appendingPathComponent("broken-\(stop)")
                #expect(try execute(script, in: broken, stopping: stop).failure == "stopped")
                #expect(try measured(broken)["run.eoss state"]?[0].hasPrefix("stopped") ?? false || stop > 33)
                let resumed = try execute(script, in: broken, resuming: "run.eoss")
                if let refusal, stop > 20 {
                    #expect(resumed.failure?.contains(refusal) == true, "\(text): \(resumed)")
                    #expect(resumed.failure?.contains("--force") == true)
                    #expect(try execute(script, in: broken, resuming: "run.eoss", forced: true).failure == nil)
                } else if refusal == nil {
                    #expect(resumed.failure == nil, "\(text): \(resumed.failure ?? "")")
                    #expect(resumed.printed == full.printed, "\(text)")
                    let (left, right) = (try measured(broken), try measured(whole))
                    for (series, values) in right { #expect(left[series] == values, "\(series) from \(stop): \(text)") }
                    #expect(left.count == right.count)
                }
            }
        }
    }

    private static let plain = """
        local p = eoss.params{ steps = 30, lr = 0.01 }
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
        local run = eoss.run{ model = net, data = data, loss = "mse", optimizer = eoss.optim.adam{ lr = p.lr }, batch_size = 4 }
        run:track("loss", { every = 5 })
        run:train{ to = p.steps }
        print(run.step, run.loss)
        """

    private func write(_ text: String, in folder: Folder) throws -> URL {
        let script = folder.url.appendingPathComponent("simple.lua")
        try text.write(to: script, atomically: true, encoding: .utf8)
        return script
    }

    @Test func aFinishedRunGoesOn() throws {
        let folder = try Folder()
        let script = try write(Self.plain, in: folder)
        let long = folder.url.appendingPathComponent("long")
        let all = try execute(script, in: long, settings: [.init("steps", "50"), .init("lr", "0.02")])
        let short = folder.url.appendingPathComponent("short")
        _ = try execute(script, in: short, settings: [.init("lr", "0.02")])
        // The parameters are those it had, but for what is set now.
        let on = try execute(script, in: short, resuming: "run.eoss", settings: [.init("steps", "50")])
        #expect(on.failure == nil && on.printed == all.printed && on.said.contains { $0.contains("at step 30") })
        #expect(try measured(short) == measured(long))
        // Resumed once more there is nothing to do, and nothing changes.
        let again = try execute(script, in: short, resuming: "run.eoss")
        #expect(again.failure == nil && again.printed == all.printed)
        #expect(try measured(short) == measured(long))
    }

    @Test func whatDiffersIsRefused() throws {
        let folder = try Folder()
        let script = try write(Self.plain, in: folder)
        let runs = folder.url.appendingPathComponent("runs")
        _ = try execute(script, in: runs, stopping: 12)
        func refused(_ text: String) throws -> String {
            let changed = try write(text, in: folder)
            return try execute(changed, in: runs, resuming: "run.eoss").failure ?? ""
        }
        let changed = Self.plain.replacing("every = 5", with: "every = 6")
        #expect(try refused(changed).contains("line 5 was 'run:track(\"loss\", { every = 5 })', now is"))
        let other = Self.plain.replacing("n = 20", with: "n = 24")
        #expect(try refused(other).contains("line 2 was"))
        // The same script, other data: by way of a module that has changed, too.
        let module = "return { degree = 3, n = 20 }"
        try module.write(
            to: folder.url.appendingPathComponent("settings.lua"), atomically: true, encoding: .utf8)
        let modular = Self.plain.replacing("{ degree = 3, n = 20 }", with: "((require 'settings'))")
        let second = folder.url.appendingPathComponent("second")
        #expect(try execute(write(modular, in: folder), in: second, stopping: 12).failure == "stopped")
        try module.replacing("20", with: "21").write(
            to: folder.url.appendingPathComponent("settings.lua"), atomically: true, encoding: .utf8)
        #expect(
            try execute(script, in: second, resuming: "run.eoss").failure?.contains("'settings.lua' has changed")
                == true)
        let forced = try execute(script, in: second, resuming: "run.eoss", forced: true)
        #expect(forced.failure == nil && forced.printed.count == 1)
        // A parameter that decides the data.
        let byParameter = Self.plain.replacing("lr = 0.01 }", with: "lr = 0.01, n = 20 }").replacing(
            "n = 20 }\n        local net", with: "n = p.n }\n        local net")
        let parametric = byParameter.replacing("degree = 3, n = 20", with: "degree = 3, n = p.n")
        let third = folder.url.appendingPathComponent("third")
        _ = try execute(write(parametric, in: folder), in: third, stopping: 12)
        let failure = try execute(script, in: third, resuming: "run.eoss", settings: [.init("n", "24")]).failure
        #expect(failure?.contains("are not those of") == true, "\(failure ?? "")")
    }

    @Test func whatIsNoRunToGoOnWith() throws {
        let folder = try Folder()
        func message(_ name: String) -> String {
            do { _ = try Resumption(folder.url.appendingPathComponent(name), forced: false) } catch {
                return "\(error)"
            }
            return ""
        }
        #expect(message("none.eoss").contains("cannot read"))
        try "text".write(to: folder.url.appendingPathComponent("text.eoss"), atomically: true, encoding: .utf8)
        #expect(message("text.eoss").contains("is not a run file"))
        let file = try RunFile.create(name: "alive", in: folder.url)
        #expect(message("alive.eoss").contains("is still going on, in process \(getpid())"))
        try file.close()
    }

    /// A fork that trains on an expansion of the loss has the point of it in its checkpoints, one that is restricted its directions, too.
    @Test(arguments: [
        ("expansion = \"hessian\"", "expansion = \"linearized\""),
        ("restrict = \"bulk_subspace\", k = 2", "restrict = \"bulk_subspace\", k = 3"),
    ])
    func forksOnOtherObjectives(_ option: String, _ changed: String) throws {
        let folder = try Folder()
        let text = Self.plain.replacing(
            "run:train{ to = p.steps }",
            with: """
                run:train{ to = 10 }
                local fork = run:fork{ name = "expanded", \(option) }
                run:train{ to = 14 }
                fork:train{ to = p.steps }
                print(fork.loss, fork.params:norm())
                """)
        let script = try write(text, in: folder)
        let (whole, runs) = (folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("runs"))
        let expected = try execute(script, in: whole)
        #expect(expected.failure == nil && expected.printed.count == 2)
        // After the fork has taken eleven steps of its own.
        _ = try execute(script, in: runs, stopping: 25)
        let resumed = try execute(script, in: runs, resuming: "run.eoss")
        #expect(resumed.failure == nil && resumed.printed == expected.printed, "\(resumed)")
        #expect(try measured(runs) == measured(whole))
        // It is another program with another one.
        let other = try write(text.replacing(option, with: changed), in: folder)
        let refused = try execute(other, in: runs, resuming: "run.eoss").failure
        #expect(refused?.contains("--force") == true, "\(refused ?? "")")
    }

    /// `math.random` goes on where the last of a script's runs has left it, whichever of them is asked first.
    @Test func theLastRunDecidesWhereRandomNumbersGoOn() throws {
        let folder = try Folder()
        let text = """
            local data = eoss.data.chebyshev{ degree = 3, n = 20 }
            local function make(name)
              local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
              local r = eoss.run{ name = name, model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.01 }, seed = 1 }
              r:every(3, function(r) r.state.sum = (r.state.sum or 0) + math.random() end)
              return r
            end
            local a, b, c, d = make("a"), make("b"), make("c"), make("d")
            a:train{ to = 10 }
            print(a.loss)
            local number = math.random()
            b:train{ to = 20 }
            b.lr = number
            eoss.parallel({ c, d }, { to = 15 })
            print(a.loss, math.random())
            print(c.loss, math.random(), c.state.sum, d.state.sum)
            print(b.loss, math.random(), b.lr)
            """
        let script = try write(text, in: folder)
        let (whole, runs) = (folder.url.appendingPathComponent("whole"), folder.url.appendingPathComponent("runs"))
        let expected = try execute(script, in: whole)
        #expect(expected.failure == nil && expected.printed.count == 4)
        for name in ["a", "b", "c", "d"] {
            let again = try execute(script, in: whole, resuming: "\(name).eoss")
            #expect(again.failure == nil && again.printed == expected.printed, "\(again)")
        }
        for stop in [5, 17, 33, 41, 50, 59] {
            try? FileManager.default.removeItem(at: runs)
            #expect(try execute(script, in: runs, stopping: stop).failure == "stopped")
            let resumed = try execute(script, in: runs, resuming: "a.eoss")
            #expect(resumed.failure == nil && resumed.printed == expected.printed, "\(stop): \(resumed)")
        }
    }

    /// A checkpoint that a fork is asked for stays, also where its run's brings it along.
    @Test func aForksOwnCheckpointStays() throws {
        let folder = try Folder()
        let text = Self.plain.replacing(
            "run:train{ to = p.steps }",
            with: """
                run:train{ to = 10 }
                local fork = run:fork{ name = "fork" }
                fork:checkpoint()
                fork:train{ to = 20 }
                fork:checkpoint()
                fork:train{ to = 30 }
                fork:checkpoint()
                fork:rewind(10)
                print(fork.step)
                """)
        let done = try execute(write(text, in: folder), in: folder.url.appendingPathComponent("runs"))
        #expect(done.failure == nil && done.printed.first == "10", "\(done)")
    }

    /// What scripts keep with a run: of every kind that can be kept, and the message for what cannot.
    @Test func keptValues() throws {
        let folder = try Folder()
        let text = Self.plain.replacing(
            "run:train{ to = p.steps }",
            with: """
                run:at(10, function(r)
                  r.state.list = { 1, 2.5, "three", { deep = { true, false } } }
                  r.state.float, r.state.integer, r.state.infinite = 2.0, 2, 1 / 0
                  r.state["$odd key"] = "value"
                  r.state.mixed = { 7, 8, name = "mixed" }
                end)
                run:train{ to = 20 }
                local fork = run:fork{ name = "fork" }
                fork.state.integer = 3
                run:train{ to = p.steps }
                local s = run.state
                print(s.list[2], s.list[3], s.list[4].deep[1], s.list[4].deep[2], s.float, s.integer, s.infinite, s["$odd key"], #s.mixed, s.mixed.name)
                """)
        let script = try write(text, in: folder)
        let runs = folder.url.appendingPathComponent("runs")
        _ = try execute(script, in: runs, stopping: 25)
        let resumed = try execute(script, in: runs, resuming: "run.eoss")
        #expect(resumed.failure == nil)
        #expect(resumed.printed.first == "2.5\tthree\ttrue\tfalse\t2.0\t2\tinf\tvalue\t2\tmixed", "\(resumed)")
        for (value, what) in [
            ("print", "run.state.bad is a function"), ("run", "run.state.bad is a run"),
            ("{ [1.5] = 1 }", "run.state.bad[1.5]"),
        ] {
            let bad = Self.plain.replacing("run:train{", with: "run.state.bad = \(value)\nrun:checkpoint()\nrun:train{")
            let failure = try execute(write(bad, in: folder), in: folder.url.appendingPathComponent("bad")).failure
            #expect(failure?.contains(what) == true, "\(failure ?? "")")
        }
    }
}
