import Experiments
import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// Scripts run in a folder of their own, and what they printed.
final class Laboratory {
    let folder: URL
    private(set) var printed: [String] = []
    private(set) var messages: [String] = []

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        // Not while files that a script let go are still written: those who wait for all files would be told.
        _ = RunFile.commitAll()
        try? FileManager.default.removeItem(at: folder)
    }

    var output: URL { folder.appendingPathComponent("runs") }

    func write(_ text: String, to name: String) throws {
        try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    func options(_ change: (inout ScriptOptions) -> Void = { _ in }) -> ScriptOptions {
        var options = ScriptOptions()
        options.outputFolder = output
        options.print = { [unowned self] in printed.append($0.description) }
        options.message = { [unowned self] in messages.append($0) }
        change(&options)
        return options
    }

    /// Calls `body` with a host on a thread that has the stack for it.
    func host<Result>(
        _ change: (inout ScriptOptions) -> Void = { _ in }, _ body: (ScriptHost) throws -> Result
    ) throws -> Result {
        let options = options(change)
        return try LuaThread.run { try body(ScriptHost(options)) }
    }

    /// Runs the text as the script `test.lua`.
    func run(_ source: String, _ change: (inout ScriptOptions) -> Void = { _ in }) throws {
        try write(source, to: "test.lua")
        try host(change) { try $0.run(file: folder.appendingPathComponent("test.lua")) }
    }

    /// What the script fails with, without the folder; nil where it does not.
    func failure(of source: String, _ change: (inout ScriptOptions) -> Void = { _ in }) throws -> String? {
        do {
            try run(source, change)
            return nil
        } catch { return "\(error)".replacingOccurrences(of: folder.path + "/", with: "") }
    }
}

/// A network on a few points of a Chebyshev polynomial, in f64: `run`, quickly made.
let smallRun = """
    local data = eoss.data.chebyshev{ degree = 3, n = 20 }
    local net = eoss.nn.mlp{ inputs = 1, hidden = {6}, outputs = 1, activation = "tanh", init_scale = 1,
                             seed = 1, dtype = "f64" }
    local run = eoss.run{ name = "small", model = net, data = data, loss = "mse",
                          optimizer = eoss.optim.sgd{ lr = 0.02 }, batch_size = 4, seed = 1 }

    """
