import Experiments
import Foundation
import Testing

@testable import eoss

/// Whole experiments from the command line: a small network on Chebyshev polynomials, which need no data set.
@Suite struct CommandLineRunTests {
    private struct Folder: ~Copyable {
        let url: URL

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
    }

    private static let script = """
        local p = eoss.params{ lr = 0.1, steps = 20, seed = 1, name = "cheb" }
        local data = eoss.data.chebyshev{ degree = 3, n = 20 }
        local net = eoss.nn.mlp{ inputs = data.inputs, hidden = {8}, outputs = data.outputs, activation = "tanh",
                                 seed = p.seed, dtype = "f64" }
        run = eoss.run{ name = p.name, model = net, data = data, loss = "mse", optimizer = eoss.optim.sgd{ lr = p.lr },
                        batch_size = 4, seed = p.seed }
        run:track({ "loss", "edge" }, { every = 1 })
        run:at(5, function() print("begin") end)
        run:train{ to = p.steps }
        print(run.step, run.lr)
        """

    @Test func aRunLeavesOneFileWithEverythingInIt() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let out = folder.url.appendingPathComponent("runs")
        let result = try EossProgram.run(["run", script, "--out", out.path, "--set", "lr=0.2", "--set", "name=other"])
        #expect(result.status == 0 && result.output == "begin\n20\t0.2\n", "\(result.errors)")
        #expect(result.errors.contains("other.eoss"), "the file taken is said")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out.path) == ["other.eoss"])
        let read = try RunFile.open(out.appendingPathComponent("other.eoss"))
        #expect(read.closed != nil)
        #expect(try read.series("loss").map(\.step) == Array(0...20))
        #expect(try read.series("edge").allSatisfy { $0.value == 10 })
        #expect(try read.parameters() == ["lr": 0.2, "steps": 20, "seed": 1, "name": "other"])
        #expect(try read.scripts().map(\.source) == [Data(Self.script.utf8)])
        #expect(try read.environment()["threads"] != nil)
    }

    @Test func theSameScriptGivesTheSameValuesWithAnyNumberOfThreads() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        for threads in ["1", "2", "3"] {
            let result = try EossProgram.run(["run", script, "--out", folder.url.path, "--threads", threads])
            #expect(result.status == 0, "\(result.errors)")
        }
        let runs = try ["cheb", "cheb-2", "cheb-3"].map { name in
            try RunFile.open(folder.url.appendingPathComponent(name + ".eoss")).series("loss").map(\.value.bitPattern)
        }
        #expect(runs[0] == runs[1] && runs[0] == runs[2])
        #expect(Set(runs[0]).count > 1)
    }

    @Test func aScriptShowsItsOwnParametersAndNothingElse() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let result = try EossProgram.run(["run", script, "--help", "--out", folder.url.path])
        #expect(result.status == 0 && result.errors.isEmpty)
        let rows = result.output.split(separator: "\n").dropFirst().map { $0.filter { $0 != " " } }
        #expect(rows == ["lr=0.1", "steps=20", "seed=1", "name=\"cheb\""])
        #expect(!result.output.contains("begin"))
    }

    @Test func aParameterThatTheScriptDoesNotHaveIsAnErrorWithTheNearestName() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let result = try EossProgram.run(["run", script, "--set", "step=3"])
        #expect(result.status == 1 && result.errors.contains("'steps'"), "\(result.errors)")
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func aTrainingThatIsStoppedKeepsWhatItMeasured(signal: Int32) throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let result = try EossProgram.run(
            ["run", script, "--out", folder.url.path, "--set", "steps=100000000"], signal: signal)
        #expect(result.status == 130 && result.errors.contains("eoss: interrupted"), "\(result.errors)")
        let read = try RunFile.open(folder.url.appendingPathComponent("cheb.eoss"))
        let steps = try read.series("loss").map(\.step)
        #expect(steps == Array(0..<steps.count) && read.closed != nil)
        #expect(try read.events().last?.kind == "stop")
        #expect(try read.lastCheckpointStep() == read.status()?.step, "it can go on where it was stopped")
    }

    @Test func aFolderThatCannotBeWrittenIsOneMessage() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let result = try EossProgram.run(["run", script, "--out", "/dev/null/runs"])
        #expect(result.status == 1 && result.errors.contains("/dev/null/runs"), "\(result.errors)")
        #expect(!result.errors.contains("Fatal error"))
    }

    @Test func thePromptFindsTheRunThatTheScriptLeft() throws {
        let folder = try Folder()
        let script = try folder.write(Self.script, to: "cheb.lua")
        let result = try EossProgram.run(
            ["run", "-i", script, "--out", folder.url.path],
            input: "local why = run:train{ steps = 5 }\nprint(run.step)\n")
        #expect(result.output == "begin\n20\t0.1\n25\n" && result.status == 0, "\(result.errors)")
        let read = try RunFile.open(folder.url.appendingPathComponent("cheb.eoss"))
        #expect(try read.series("loss").last?.step == 25)
    }

    /// Lua's library makes the order of keys from the clock and from addresses.
    @Test func theSameScriptGoesThroughItsTablesInTheSameOrderInEveryProcess() throws {
        let folder = try Folder()
        let script = try folder.write(
            """
            local rules = { sgd = 1, adam = 2, momentum = 3, nesterov = 4, rmsprop = 5, adagrad = 6, adamw = 7, sam = 8 }
            local line = ""
            for name in pairs(rules) do line = line .. " " .. name end
            local objects = { [{}] = "table", [function() end] = "function", [eoss.data.chebyshev{ degree = 2, n = 4 }] = "data" }
            for i = 1, 8 do objects[{}] = "table " .. i end
            for _, name in pairs(objects) do line = line .. " " .. name end
            for name in pairs(eoss) do line = line .. " " .. name end
            print(line)
            """, to: "order.lua")
        var orders: Set<String> = []
        for _ in 1...20 {
            let result = try EossProgram.run(["run", script])
            #expect(result.status == 0, "\(result.errors)")
            orders.insert(result.output)
        }
        #expect(orders.count == 1, "\(orders)")
    }

    @Test func aModelThatDoesNotFitIntoTheMemoryIsAnError() throws {
        let folder = try Folder()
        let script = try folder.write(
            """
            eoss.nn.mlp{ inputs = {1000}, hidden = {1000}, outputs = 10, activation = "relu", seed = 1 }
            """, to: "large.lua")
        let result = try EossProgram.run(["run", script, "--memory", "1M"])
        #expect(result.status == 1 && result.errors.contains("large.lua:1:"), "\(result.errors)")
    }

    /// Vectors of 4.4 MB, each garbage when the next one is made: a refusal collects and tries again. With them kept, it is an error.
    @Test func garbageIsNeverTheReasonOfARefusal() throws {
        let folder = try Folder()
        let script = """
            local net = eoss.nn.mlp{ inputs = {1000}, hidden = {550}, outputs = 4, activation = "relu", seed = 1 }
            local kept = {}
            for i = 1, 200 do
              local v = 2 * net.params
              local w = eoss.vector(v)
              if i > KEEP then kept[#kept + 1] = v end
            end
            print("done", #kept)
            """
        let drops = try folder.write(script.replacingOccurrences(of: "KEEP", with: "200"), to: "drops.lua")
        let keeps = try folder.write(script.replacingOccurrences(of: "KEEP", with: "100"), to: "keeps.lua")
        let dropping = try EossProgram.run(["run", drops, "--memory", "80M"])
        #expect(dropping.status == 0 && dropping.output.contains("done\t0"), "\(dropping.errors)")
        let keeping = try EossProgram.run(["run", keeps, "--memory", "80M"])
        #expect(keeping.status == 1 && keeping.errors.contains("keeps.lua:4:"), "\(keeping.errors)")
        #expect(keeping.errors.contains("--memory"), "\(keeping.errors)")
    }
}
