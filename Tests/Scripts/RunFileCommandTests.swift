import Experiments
import Foundation
import Testing

/// `eoss ls`, `show`, `compare`: the program on run files, good ones and others.
@Suite struct RunFileCommandTests {
    private static let script = """
        local p = eoss.params{ lr = 0.1, steps = 20, seed = 1 }
        local levels = require "levels"
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {6}, outputs = data.outputs, activation = "tanh", seed = p.seed }
        local run = eoss.run{ name = "cheb", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                              batch_size = 4, seed = p.seed }
        run:track({ "loss", "edge" }, { every = 1 })
        run:track("batch_sharpness", { every = 10 })
        run:at(5, function(r) r.lr = r.lr / 2 end)
        run:alert(function(r) return r.step > 10 end, "late")
        run:train{ to = p.steps }
        run:plot("loss.svg", "loss")

        """

    /// Two runs of the script, which differ in the learning rate.
    private static func twoRuns(in folder: borrowing RunsFolder) throws {
        let script = try folder.write(script, to: "s.lua")
        for rate in ["0.1", "0.2"] {
            let made = try EossProgram.run(["run", script, "--out", folder.runs, "--set", "lr=\(rate)"])
            try #require(made.status == 0, "\(made.errors)")
        }
    }

    @Test func runsAreListedShownAndCompared() throws {
        let folder = try RunsFolder()
        try Self.twoRuns(in: folder)
        let (first, second) = (folder.runs + "/cheb.eoss", folder.runs + "/cheb-2.eoss")
        let list = try EossProgram.run(["ls", folder.runs])
        #expect(list.status == 0 && list.errors.isEmpty)
        let rows = list.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        #expect(
            rows.map { $0.prefix(4).joined(separator: " ") } == [
                "NAME SCRIPT STEPS STATE", "cheb s.lua 20 done", "cheb-2 s.lua 20 done",
            ])
        #expect(rows[0].suffix(4) == ["ALERT", "loss", "edge", "batch_sharpness"] && rows[1].contains("late"))
        let chosen = try EossProgram.run([
            "ls", folder.runs, "--where", "lr > 0.1 and state == done and edge * lr > 3.9", "--json",
        ])
        guard case .array(let found) = try JSONValue(json: chosen.output), case .object(let run)? = found.first else {
            throw CocoaError(.coderReadCorrupt)
        }
        let shown = try EossProgram.run([
            "ls", folder.runs, "--show", "lr,parameters.steps", "--sort", "lr", "--reverse",
        ])
        #expect(
            shown.output.contains(/ALERT +lr +parameters.steps +loss.*\n.*late +0.2 +20 .*\n.*late +0.1 +20/),
            "\(shown)")
        #expect(found.count == 1 && run["name"] == "cheb-2" && run["step"] == 20 && run["alert"] == "late")

        let page = try EossProgram.run(["show", first])
        #expect(page.status == 0 && page.errors.isEmpty)
        for part in [
            "cheb  done at step 20", "/s.lua, ", "stdlib/levels.lua", "parameters\n  lr     0.1\n",
            "\n  optimizer   sgd{ lr = 0.1 }\n",
            "\n  threads  ", "\n  loss ", "\nevents  start, data, lr, alert\n", "\n   5  lr     0.1 to 0.05\n",
            "\ncheckpoints  at step 20, ",
            "\nfigures\n  loss.svg  image/svg+xml, ", "alert    late\n",
        ] { #expect(page.output.contains(part), "\(part) in\n\(page.output)") }
        #expect(try EossProgram.run(["show", first, "--script"]).output == Self.script)
        let values = try EossProgram.run(["show", first, "--series", "loss"]).output.split(separator: "\n")
        let measured = try RunFile.open(URL(fileURLWithPath: first)).series("loss")
        #expect(
            values.first == "step\tvalue"
                && values.dropFirst().map(String.init) == measured.map { "\($0.step)\t\($0.value)" })
        let sharpness = try EossProgram.run(["show", first, "--series", "batch_sharpness"]).output
        #expect(sharpness.hasPrefix("step\tvalue\tstderr\tlow\thigh\tsamples\tproducts\n0\t"))
        #expect(
            try EossProgram.run(["show", first, "--events"]).output.contains(/\n +5  \d{4}-.*Z  lr     0.1 to 0.05\n/))
        let figure = folder.url.appendingPathComponent("out.svg")
        #expect(try EossProgram.run(["show", second, "--figure", "loss-2.svg", "-o", figure.path]).status == 0)
        #expect(try Data(contentsOf: figure) == Data(contentsOf: URL(fileURLWithPath: folder.runs + "/loss-2.svg")))
        #expect(try EossProgram.run(["show", first, "--figure", "loss.svg"]).output.hasPrefix("<?xml"))
        #expect(throws: Never.self) { try JSONValue(json: EossProgram.run(["show", first, "--json"]).output) }

        let compared = try EossProgram.run(["compare", first, second])
        #expect(compared.status == 0 && compared.errors.isEmpty)
        for part in [
            "script  the same", "\n  lr        0.1  0.2\n", "\n  optimizer  sgd{ lr = 0.1 }  sgd{ lr = 0.2 }\n",
            "environment  the same",
            "\n  loss             B       21             1 ",
        ] { #expect(compared.output.contains(part), "\(part) in\n\(compared.output)") }
        #expect(try EossProgram.run(["compare", first, first]).output.contains("curves  the same, to the bit"))
        #expect(throws: Never.self) {
            try JSONValue(json: EossProgram.run(["compare", first, second, "--json"]).output)
        }
    }

    /// The commands and the script of `docs/run-files.md`.
    @Test func thePageDoesWhatItSays() throws {
        let folder = try RunsFolder()
        try Self.twoRuns(in: folder)
        for (name, new) in [("cheb", "experiment"), ("cheb-2", "other")] {
            try FileManager.default.moveItem(
                atPath: "\(folder.runs)/\(name).eoss", toPath: "\(folder.runs)/\(new).eoss")
        }
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/run-files.md")
        let whole = try String(contentsOf: page, encoding: .utf8)
        let text = try #require(whole.split(separator: "\n## ").first { $0.hasPrefix("With eoss") })
        func block(_ language: String) throws -> String {
            let blocks = try text.matches(of: Regex("```\(language)\n((?s:.*?))```", as: (Substring, Substring).self))
            try #require(blocks.count == 1)
            return String(blocks[0].output.1)
        }
        let commands = try block("sh").split(separator: "\n").map(String.init)
        #expect(commands.count == 8)
        for command in commands {
            let line = command.replacing(/^eoss/, with: EossProgram.executable.path)
            let result = try EossProgram.shell("cd '\(folder.url.path)' && set -e; \(line)\necho DONE")
            #expect(result.hasSuffix("DONE\n"), "\(command)")
        }
        let again = try String(contentsOf: folder.url.appendingPathComponent("again.lua"), encoding: .utf8)
        #expect(again == Self.script)
        let script = try folder.write(try block("lua"), to: "page.lua")
        let result = try EossProgram.run(["run", script, "--out", folder.runs])
        #expect(result.status == 0 && result.output.contains("0.1\t0.2\t1\n"), "\(result.errors)\(result.output)")
    }

    @Test func aBadFileIsARowOfTheListAndOneMessageElsewhere() throws {
        let folder = try RunsFolder()
        let good = try folder.run("good") { try $0.record("loss", step: 1, value: 0.5) }
        let bytes = try Data(contentsOf: good)
        try bytes.prefix(bytes.count / 2).write(to: good.deletingLastPathComponent().appendingPathComponent("cut.eoss"))
        // SQLite's user_version, at byte 60 of the header.
        var newer = bytes
        newer.replaceSubrange(60..<64, with: [0, 0, 0, 99])
        try newer.write(to: good.deletingLastPathComponent().appendingPathComponent("newer.eoss"))
        let list = try EossProgram.run(["ls", folder.runs])
        #expect(list.status == 0 && list.errors.isEmpty)
        #expect(
            list.output.contains(/cut +damaged: it is cut off/)
                && list.output.contains(/newer +written by a newer eoss/))
        #expect(list.output.contains(/good +0  done/))
        let some = try EossProgram.run(["ls", folder.runs, "--where", "loss < 1"])
        #expect(some.output.split(separator: "\n").count == 2 && some.errors == "eoss: 2 files cannot be read\n")
        for arguments in [["show"], ["follow"], ["compare", good.path]] {
            for (name, words) in [("cut", "is damaged"), ("newer", "newer eoss"), ("none", "No such file")] {
                let result = try EossProgram.run(arguments + ["\(folder.runs)/\(name).eoss"])
                #expect(result.status == 1 && result.output.isEmpty)
                #expect(result.errors.hasPrefix("eoss: ") && result.errors.contains(words), "\(result.errors)")
                #expect(result.errors.split(separator: "\n").count == 1)
            }
        }
    }

    @Test(arguments: [
        (["ls", "--where", "lr >"], "  lr >\n      ^"), (["ls", "--where", "lr > 2", "--sort", "lr >"], "^"),
        (["ls", "--where", "state == dnoe"], "'dnoe' is no state"), (["compare", "a.eoss"], "compare with what?"),
        (["show"], "file"), (["show", "a.eoss", "--script", "--events"], "ask for one of"),
        (["show", "a.eoss", "--script", "--json"], "--json goes with"),
        (["show", "a.eoss", "-o", "x"], "-o belongs to --figure"),
        (["follow"], "file"), (["follow", "a.eoss", "--every", "0"], "--every is 0"),
    ])
    func wrongUsageHasStatusTwo(arguments: [String], message: String) throws {
        let result = try EossProgram.run(arguments)
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test func aNameThatNoRunHasIsWrongUsage() throws {
        let folder = try RunsFolder()
        try folder.run("a") { try $0.setParameters(["lr": 0.1]) }
        let result = try EossProgram.run(["ls", folder.runs, "--where", "step > 0 and lrr > 2"])
        #expect(result.status == 2 && result.output.isEmpty)
        #expect(
            result.errors.contains("did you mean 'lr'?") && result.errors.hasSuffix("\n               ^\n"),
            "\(result.errors)")
        for option in ["--sort", "--show"] {
            let misspelt = try EossProgram.run(["ls", folder.runs, option, "lrr"])
            #expect(misspelt.status == 2 && misspelt.output.isEmpty)
            #expect(
                misspelt.errors.hasPrefix("eoss: \(option): no run here has 'lrr': did you mean 'lr'?"),
                "\(misspelt.errors)")
        }
        let missing = try EossProgram.run(["show", folder.runs + "/a.eoss", "--series", "loss"])
        #expect(missing.status == 1 && missing.errors.contains("no series 'loss'"))
        #expect(try EossProgram.run(["show", folder.runs + "/a.eoss", "--figure", "x"]).errors.contains("it has none"))
        #expect(try EossProgram.run(["show", folder.runs + "/a.eoss", "--script"]).errors.contains("holds no script"))
    }

    @Test func aFolderWithoutRunsIsSaid() throws {
        let folder = try RunsFolder()
        let empty = try EossProgram.run(["ls", folder.url.path])
        #expect(
            empty.status == 0 && empty.output.isEmpty && empty.errors.contains("no run files in '\(folder.url.path)'"))
        #expect(try EossProgram.run(["ls", folder.url.path, "--json"]).output == "[]\n")
        let good = try folder.run("a")
        // What can be read is shown all the same.
        let result = try EossProgram.run(["ls", "/no/such/folder", folder.runs, good.path])
        #expect(result.status == 1 && result.errors == "eoss: there is no folder '/no/such/folder'\n")
        #expect(result.output.split(separator: "\n").count == 3)
    }

    @Test(.enabled(if: geteuid() != 0, "root reads every folder")) func aFolderThatMayNotBeReadIsSaid() throws {
        let folder = try RunsFolder()
        try folder.run("a")
        chmod(folder.runs, 0)
        defer { chmod(folder.runs, 0o700) }
        let result = try EossProgram.run(["ls", folder.runs])
        #expect(
            result.status == 1 && result.output.isEmpty && result.errors.contains("cannot be read"), "\(result.errors)")
    }

    @Test func whatAStrangerHasWrittenActsOnNoTerminal() throws {
        let folder = try RunsFolder()
        let evil = "\u{1B}]0;owned\u{07}\u{9B}2J\r\nx\u{202E}\u{2066}\u{2069}\u{200F}\u{61C}"
        let file = try folder.run("a") { file in
            try file.setParameters([evil: .string(evil), "list": [.string(evil)]])
            try file.record(evil, step: 1, value: 1)
            try file.addScript(path: evil, source: "print(1) -- \u{1B}[31m\u{202E}\n\tx")
            try file.addScript(path: evil + "2", source: "return 1")
            try file.addEvent(step: 1, kind: evil, message: evil, data: [evil: .string(evil)])
            try file.addEvent(step: 1, kind: "start", message: "model: \(evil); loss: \(evil)")
            try file.addFigure(name: evil, mime: evil, bytes: Data())
            try file.addNote(evil)
            file.note(step: 1, alert: evil)
        }
        let other = try folder.run("b") { try $0.addScript(path: "a", source: "print(2)\u{1B}") }
        for arguments in [
            ["ls", folder.runs], ["ls", folder.runs, "--json"], ["show", file.path], ["show", file.path, "--json"],
            ["show", file.path, "--events"], ["show", file.path, "--events", "--json"],
            ["show", file.path, "--series", evil],
            ["compare", file.path, other.path], ["compare", other.path, file.path, "--json"], ["follow", file.path],
            ["ls", folder.runs, "--where", "nothing > 1"], ["show", file.path, "--series", "none"],
            ["show", file.path, "--figure", "none"],
        ] {
            let result = try EossProgram.run(arguments)
            let text = result.output + result.errors
            #expect(
                !text.isEmpty
                    && !text.unicodeScalars.contains {
                        $0.properties.isBidiControl
                            || $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t"
                    },
                "\(arguments): \(text.debugDescription)")
        }
        // A script that goes into a file is as it was; on a terminal it is shown.
        #expect(try EossProgram.run(["show", file.path, "--script"]).output == "print(1) -- \u{1B}[31m\u{202E}\n\tx")
        let terminal = try Terminal(["show", file.path, "--script"])
        try terminal.expect(#"print(1) -- \u{1B}[31m\u{202E}"#)
    }

    @Test func atATerminalNoLineIsLongerThanIt() throws {
        let folder = try RunsFolder()
        for name in ["a", "a-run-whose-name-goes-on-and-on-and-on-for-more-than-eighty-characters-so-that-it-is-cut"] {
            try folder.run(name) { file in
                try file.addScript(path: "a/long/way/to/a_script_with_a_long_name.lua", source: "print(1)")
                for series in 0..<12 { try file.record("series_number_\(series)", step: 1_234_567, value: 1e-7) }
                file.note(step: 1_234_567, state: .failed, alert: String(repeating: "far too late ", count: 20))
                try file.addNote(String(repeating: "note ", count: 100))
            }
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.runs).map { folder.runs + "/" + $0 }
        for arguments in [["ls", folder.runs], ["show", files[0]], ["compare"] + files] {
            // The end of the output shows that all of it has come.
            let marked =
                "\(EossProgram.executable.path) \(arguments.map { "'\($0)'" }.joined(separator: " ")); echo END"
            let terminal = try Terminal(["-c", marked], program: "/bin/sh")
            let text = try terminal.text(before: "END")
            let lines = text.replacing(/\u{1B}\[\d*m/, with: "").split(separator: "\r\n")
            // A path is shown whole where it is what one looks for.
            #expect(lines.filter { $0.count > 80 }.isEmpty, "\(arguments): \(lines)")
            #expect(text.contains("\u{1B}[31mfailed") == (arguments[0] != "compare"), "\(text.debugDescription)")
        }
        let plain = try Terminal(
            ["-c", "NO_COLOR=1 \(EossProgram.executable.path) ls \(folder.runs); echo END"], program: "/bin/sh")
        #expect(try !plain.text(before: "END").contains("\u{1B}"))
    }

    @Test func withoutAFolderThatOfRunsIsListed() throws {
        let folder = try RunsFolder()
        try folder.run("inner")
        let list = try EossProgram.shell("cd '\(folder.url.path)' && \(EossProgram.executable.path) ls")
        #expect(list.contains("inner"))
        #expect(try EossProgram.shell("cd '\(folder.runs)' && \(EossProgram.executable.path) ls") == list)
    }
}

/// A folder of a test's own with run files in `runs`, removed at the end.
struct RunsFolder: ~Copyable {
    let url: URL
    var runs: String { url.appendingPathComponent("runs").path }

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func write(_ text: String, to name: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    /// A run file of this process, which has ended.
    @discardableResult
    func run(_ name: String, _ fill: (RunFile) throws -> Void = { _ in }) throws -> URL {
        let file = try RunFile.create(name: name, in: URL(fileURLWithPath: runs))
        try fill(file)
        try file.close()
        return file.url
    }
}

extension EossProgram {
    /// What a line of the shell prints.
    static func shell(_ line: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
