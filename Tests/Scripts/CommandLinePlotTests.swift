import Experiments
import Foundation
import Testing

@testable import eoss

/// `eoss plot`, and figures at a terminal.
@Suite struct CommandLinePlotTests {
    private struct Folder: ~Copyable {
        let url: URL
        var runs: URL { url.appendingPathComponent("runs") }

        /// With the files slow.eoss and fast.eoss.
        init() throws {
            url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            try Self.script.write(to: url.appendingPathComponent("s.lua"), atomically: true, encoding: .utf8)
            for (name, lr, seed) in [("slow", 0.02, 1), ("fast", 0.04, 1), ("again", 0.04, 2)] {
                let result = try EossProgram.run([
                    "run", url.appendingPathComponent("s.lua").path, "--out", runs.path, "--set", "name=\(name)",
                    "--set",
                    "lr=\(lr)", "--set", "seed=\(seed)",
                ])
                #expect(result.status == 0, "\(result.errors)")
            }
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func file(_ name: String) -> String { runs.appendingPathComponent(name).path }

        static let script = """
            local p = eoss.params{ name = "slow", lr = 0.02, seed = 1 }
            local data = eoss.data.chebyshev{ degree = 3, n = 20 }
            local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", seed = p.seed, dtype = "f64" }
            run = eoss.run{ name = p.name, model = net, data = data, loss = "mse", batch_size = 4, seed = p.seed,
                            optimizer = eoss.optim.sgd{ lr = p.lr } }
            run:track({ "loss", "lambda_max" }, { every = 2 })
            run:at(10, function(r) r.lr = 2 * r.lr end)
            run:train{ to = 20 }
            print("rea" .. "dy")
            """
    }

    @Test func seriesOfFilesAreDrawnIntoAFileOrPrinted() throws {
        let folder = try Folder()
        let svg = folder.url.appendingPathComponent("x.svg").path
        let (slow, fast) = (folder.file("slow.eoss"), folder.file("fast.eoss"))
        let made = try EossProgram.run(["plot", slow, fast, "loss", "lambda_max", "-o", svg, "--x", "epoch"])
        #expect(made.status == 0 && made.output.isEmpty && made.errors.isEmpty, "\(made.errors)")
        let drawn = try String(contentsOfFile: svg, encoding: .utf8)
        for word in ["loss, slow", "lambda_max, fast", "2/lr, slow", "lr 0.02 to 0.04", "epoch"] {
            #expect(drawn.contains(word), "\(word)")
        }
        // Whoever names a file on the command line means it.
        #expect(try EossProgram.run(["plot", slow, "-o", svg]).status == 0)
        #expect(try !String(contentsOfFile: svg, encoding: .utf8).contains("fast"))
        let printed = try EossProgram.run(["plot", slow])
        #expect(printed.status == 0 && printed.errors.isEmpty && !printed.output.contains("\u{1B}"))
        #expect(printed.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        for word in ["slow", "loss", "lambda_max", "2/lr", "lr 0.02 to 0.04 at 10"] {
            #expect(printed.output.contains(word), "\(word) in\n\(printed.output)")
        }
    }

    @Test func filesThatDifferInTheirSeedAreABand() throws {
        let folder = try Folder()
        // "name" is a parameter of this script that tells its files apart.
        for name in ["slow", "fast", "again"] {
            let database = folder.file("\(name).eoss")
            let edit = "UPDATE parameters SET json = json_remove(json, '$.name')"
            #expect(
                try shell(
                    "sqlite3 '\(database)' \"\(edit)\" || python3 -c \"import sqlite3; c = sqlite3.connect('\(database)'); c.execute(\\\"\(edit)\\\"); c.commit()\""
                ) == 0)
        }
        let files = ["slow", "fast", "again"].map { folder.file("\($0).eoss") }
        let printed = try EossProgram.run(["plot"] + files + ["loss", "--band"])
        #expect(printed.status == 0, "\(printed.errors)")
        #expect(
            printed.output.contains("lr = 0.04 (median and quartiles of 2 runs)")
                && printed.output.contains("lr = 0.02"))
    }

    private func shell(_ line: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func limitsAndScalesAreOptions() throws {
        let folder = try Folder()
        let slow = folder.file("slow.eoss")
        let cut = try EossProgram.run([
            "plot", slow, "lambda_max", "--over-edge", "--ylim", "0:2", "--from", "10", "--log-x",
        ])
        #expect(cut.status == 0 && cut.output.contains("over the edge") && cut.output.contains("edge"), "\(cut.errors)")
        let open = try EossProgram.run(["plot", slow, "loss", "--no-log", "--xlim", ":10", "--no-changes"])
        #expect(open.status == 0 && !open.output.contains("lr 0.02"), "\(open.errors)")
    }

    @Test func whatIsWrongIsOneMessage() throws {
        let folder = try Folder()
        let slow = folder.file("slow.eoss")
        for (arguments, status, words) in [
            ([slow, "lss"], 1, "did you mean 'loss'?"), ([folder.file("none.eoss")], 1, "No such file"),
            ([folder.url.appendingPathComponent("s.lua").path], 1, "s.lua"), (["loss"], 2, "which run file?"),
            ([slow, "--ylim", "2:1"], 2, "--ylim"), ([slow, "-o", "x.gif"], 2, "a figure's name ends in"),
            ([slow, "-o", slow + "/x.svg"], 1, "slow.eoss/x.svg"), ([slow, "--width", "wide"], 2, "--width"),
        ] as [([String], Int32, String)] {
            let result = try EossProgram.run(["plot"] + arguments)
            #expect(
                result.status == status && result.output.isEmpty && result.errors.contains(words),
                "\(arguments): \(result.errors)")
        }
    }

    // MARK: - At a terminal

    private func prompt(_ folder: borrowing Folder) -> [String] {
        ["run", folder.url.appendingPathComponent("s.lua").path, "-i", "--quiet", "--out", folder.runs.path]
    }

    @Test func atAPromptAFigureHasTheTerminalsWidthAndColours() throws {
        let folder = try Folder()
        let terminal = try Terminal(prompt(folder), environment: ["NO_COLOR": ""], size: (100, 30, 0))
        try terminal.expect("ready")
        try terminal.enter("run:plot{ 'loss' } print('do' .. 'ne')")
        let shown = try terminal.text(between: "\u{1B}[38;5;", and: "done")
        let frame = shown.split(whereSeparator: \.isNewline).filter { $0.contains("+---") }.map(\.count)
        #expect(frame.count == 2 && frame.allSatisfy { $0 > 90 && $0 <= 100 }, "\(shown)")
    }

    @Test func noColorIsRespected() throws {
        let folder = try Folder()
        let terminal = try Terminal(prompt(folder), environment: ["NO_COLOR": "1"], size: (100, 30, 900))
        try terminal.expect("ready")
        try terminal.enter("print('be' .. 'gin') run:plot{ 'loss' } print('do' .. 'ne')")
        let shown = try terminal.text(between: "begin", and: "done")
        #expect(!shown.contains("\u{1B}[38") && !shown.contains("\u{1B}P") && shown.contains("*** loss"), "\(shown)")
    }

    /// The terminal is asked for its attributes, of which 4 is sixel graphics.
    @Test(arguments: [true, false]) func aTerminalThatShowsPicturesGetsOne(shows: Bool) throws {
        let folder = try Folder()
        let terminal = try Terminal(
            ["plot", folder.file("slow.eoss"), "loss"], environment: ["NO_COLOR": ""], size: (100, 30, 900))
        try terminal.expect("\u{1B}[c")
        try terminal.type(shows ? "\u{1B}[?62;4;6c" : "\u{1B}[?62;6c")
        try terminal.expect(shows ? "\u{1B}P" : "***\u{1B}[0m loss")
        #expect(try terminal.end() == 0)
    }

    @Test func theAnswerOfATerminalIsReadWithCare() {
        func has(_ text: String) -> Bool { TerminalPicture.hasSixels(Array(text.utf8)) }
        #expect(has("\u{1B}[?62;4c") && has("\u{1B}[?64;1;4;22c"))
        for text in ["", "c", "\u{1B}[?4c", "\u{1B}[?62;14;40c", "\u{1B}[?", "4c\u{1B}[?"] {
            #expect(!has(text), "\(text)")
        }
    }
}
