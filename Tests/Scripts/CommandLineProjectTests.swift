import Foundation
import Testing

@testable import eoss

/// `eoss init`, `eoss doc`, `eoss doctor`, and what a batch job's log says.
@Suite struct CommandLineProjectTests {
    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// The first experiment of a new project shows the edge of stability.
    @Test func aNewProjectRuns() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let made = try EossProgram.run(["init", folder.path])
        #expect(made.status == 0, "\(made.errors)")
        for name in ["experiment.lua", ".luarc.json", ".gitignore", ".eoss/eoss.lua"] {
            #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path), "\(name)")
        }
        let script = folder.appendingPathComponent("experiment.lua")
        let run = try EossProgram.run(["run", script.path, "--out", folder.appendingPathComponent("runs").path])
        #expect(run.status == 0, "\(run.errors)")
        let numbers = run.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        try #require(numbers.count == 2, "\(run.output)")
        #expect(numbers[0] > 100 && abs(numbers[1] - 1) < 0.1)
        let chapter = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/tutorial/1-first-run.md")
        let isInTheTutorial = try String(contentsOf: chapter, encoding: .utf8)
            .contains("```lua\n\(String(contentsOf: script, encoding: .utf8))```")
        #expect(isInTheTutorial)
        // What the user has made of it stays.
        try "print('mine')".write(to: script, atomically: true, encoding: .utf8)
        #expect(try EossProgram.run(["init", folder.path]).output.contains("kept experiment.lua"))
        #expect(try String(contentsOf: script, encoding: .utf8) == "print('mine')")
    }

    @Test func docSaysWhatAThingIs() throws {
        let quantity = try EossProgram.run(["doc", "batch_sharpness"])
        #expect(
            quantity.status == 0 && quantity.output.contains("[Andreyev & Beneventano")
                && quantity.output.contains("rel_error"))
        #expect(try EossProgram.run(["doc", "run:track"]).output.contains("Example"))
        #expect(try EossProgram.run(["doc", "--find", "trace"]).output.contains("operator:trace"))
        let unknown = try EossProgram.run(["doc", "lambda_mx"])
        #expect(unknown.status == 1 && unknown.errors.contains("did you mean 'lambda_max'?"))
    }

    @Test func theDoctorSaysWhatIsHere() throws {
        let report = try EossProgram.run(["doctor"])
        #expect(report.status == 0)
        for what in ["kernels", "OpenBLAS", "gnuplot", "Fashion-MNIST", "terminal"] {
            #expect(report.output.contains(what), "\(what)")
        }
    }

    /// A time limit is a stop in order: the run goes on from there.
    @Test func aTimeLimitStopsInOrder() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appendingPathComponent("long.lua")
        try (ProjectScript.text).write(to: script, atomically: true, encoding: .utf8)
        let runs = folder.appendingPathComponent("runs").path
        let stopped = try EossProgram.run(["run", script.path, "--out", runs, "--time-limit", "2s"])
        #expect(stopped.status == 130 && stopped.errors.contains("time limit"), "\(stopped)")
        let resumed = try EossProgram.run(["run", "--resume", runs + "/long.eoss", "--set", "steps=1"])
        #expect(resumed.errors.contains("resumed: run 'long'") && resumed.output.contains("step"), "\(resumed)")
        for wrong in ["0", "x", "-3s"] {
            #expect(try EossProgram.run(["run", script.path, "--time-limit", wrong]).status == 2)
        }
    }

    @Test func luaMemoryIsAnOption() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let script = folder.appendingPathComponent("large.lua")
        try "local t = {} for i = 1, 3000000 do t[i] = { i } end print('done')"
            .write(to: script, atomically: true, encoding: .utf8)
        #expect(try EossProgram.run(["run", script.path, "--lua-memory", "20M"]).status == 1)
        #expect(try EossProgram.run(["run", script.path, "--lua-memory", "1G"]).output == "done\n")
    }
}

private enum ProjectScript {
    static let text = """
        local p = eoss.params{ steps = 100000000 }
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = { 8 }, outputs = data.outputs, seed = 1 }
        local run = eoss.run{ name = "long", model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = 0.01 } }
        run:train{ to = p.steps }
        print("step", run.step)
        """
}
