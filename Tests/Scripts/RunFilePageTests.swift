import Experiments
import Foundation
import Testing

/// The Python programs of `docs/run-files.md`, executed on a run file, read what eoss reads.
@Suite struct RunFilePageTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/run-files.md")

    /// A program of the page, and the packages that it needs.
    private struct Program {
        var needs: [String]
        var text: String
    }

    private static func programs() throws -> [Program] {
        let text = try String(contentsOf: page, encoding: .utf8)
        return text.matches(of: /```python(?<needs>[^\n]*)\n(?<text>(?s:.*?))```/).map { match in
            let needs = match.output.needs.replacing("needs", with: "").split(separator: ",")
            return Program(
                needs: needs.map { $0.trimmingCharacters(in: .whitespaces) }, text: String(match.output.text))
        }
    }

    /// `PEERS_PYTHON`, or the machine's own.
    private static func python(_ program: String, in folder: URL) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [ProcessInfo.processInfo.environment["PEERS_PYTHON"] ?? "python3", "-c", program]
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private static func has(_ packages: [String]) -> Bool {
        let program =
            packages.map { "import \($0)\n" }.joined() + "import sqlite3\nassert sqlite3.sqlite_version_info >= (3, 37)"
        return (try? python(program, in: FileManager.default.temporaryDirectory).status == 0) ?? false
    }

    @Test(.enabled(if: has([]), "no python3 with SQLite 3.37")) func everyProgramReadsWhatIsThere() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try """
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh", seed = 1 }
        local run = eoss.run{ name = "experiment", model = net, data = data, loss = "mse", optimizer = eoss.optim.momentum{ lr = 0.01 } }
        run:track({ "loss", "lambda_max" }, { every = 30 })
        run:track("third", { every = 1, fn = function(r) return r.step / 3 end })
        run:track("odd", { at = { 1, 2, 40, 41 }, fn = function(r) return r.step == 2 and 0 / 0 or -r.step end })
        run:train{ to = 2500 }
        """.write(to: folder.appendingPathComponent("s.lua"), atomically: true, encoding: .utf8)
        let made = try EossProgram.run(
            ["run", folder.appendingPathComponent("s.lua").path, "--out", folder.appendingPathComponent("runs").path])
        try #require(made.status == 0, "\(made.errors)")
        let reader = try RunFile.open(folder.appendingPathComponent("runs/experiment.eoss"))
        func lines(_ name: String) throws -> [String] {
            try reader.series(name).map { "\(name) \($0.step) \($0.value.isNaN ? 0 : $0.value.bitPattern)" }
        }
        let names = try reader.seriesNames()
        let all = try names.sorted().flatMap(lines)
        #expect(names.count == 4 && all.count == 84 + 84 + 2501 + 4)
        // What each program is asked for at its end.
        let word = "\nbits = lambda x: 0 if x != x else struct.unpack('<Q', struct.pack('<d', x))[0]\n"
        let questions: [(needs: [String], question: String, answer: [String])] = [
            ([], "\(word)for n in sorted(values): [print(n, s, bits(v)) for s, v in values[n]]", all),
            (
                ["numpy", "pandas"],
                """
                import struct\(word)assert table.shape == (2501, 4) and (events.kind == "start").any()
                for row in everything.itertuples(): print(row.name, row.step, bits(row.value))
                """, all
            ),
            (
                ["numpy", "safetensors"],
                "for n in sorted(parameters): print(n, list(parameters[n].shape), parameters[n].dtype)",
                [
                    "layers.0.bias [8] float32", "layers.0.weight [8, 1] float32", "layers.1.bias [1] float32",
                    "layers.1.weight [1, 8] float32",
                ]
            ),
            (
                [],
                """
                assert state["clock.step"] == 2500 and len(numbers("layers.0.weight")) == 8
                for n in sorted(shapes): print(n, shapes[n])
                """,
                ["layers.0.bias [8]", "layers.0.weight [8, 1]", "layers.1.bias [1]", "layers.1.weight [1, 8]"]
            ),
        ]
        let programs = try Self.programs()
        try #require(programs.map(\.needs) == questions.map(\.needs))
        for (program, question) in zip(programs, questions) {
            guard Self.has(program.needs) else {
                print("left out, for python3 lacks one of \(program.needs): a program of docs/run-files.md")
                continue
            }
            let (status, output) = try Self.python(program.text + question.question, in: folder)
            #expect(status == 0, "\(program.text)")
            #expect(output.split(separator: "\n").map(String.init) == question.answer)
        }
    }
}
