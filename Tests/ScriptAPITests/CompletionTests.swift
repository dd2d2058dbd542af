import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What Tab offers at a prompt.
@Suite struct CompletionTests {
    /// A host whose script has left some variables.
    private func host(_ more: String = "") throws -> ScriptHost {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let script = folder.appendingPathComponent("script.lua")
        let text =
            Examples.setting + "\nlocal hidden_unit = 3\nmine = { alpha = { beta = 1, bell = 2 }, [1] = 5 }\n" + more
        try text.write(to: script, atomically: true, encoding: .utf8)
        var options = ScriptOptions()
        options.outputFolder = folder.appendingPathComponent("runs")
        options.print = { _ in }
        options.pause = { _ in .stop }
        let host = try ScriptHost(options)
        try host.run(file: script)
        return host
    }

    @Test(
        arguments: [
            ("eos", ["eoss"]), ("x = eoss.opt", ["optim"]), ("eoss.optim.ad", ["adagrad", "adam", "adamw"]),
            ("hidden_", ["hidden_unit"]), ("print(mine.alpha.be", ["bell", "beta"]), ("run:mea", ["measure("]),
            ("run.batch_", ["batch_loss", "batch_size"]), ("run.model.la", ["layers"]),
            ("math.ma", ["max", "maxinteger"]),
            ("run.data.in", ["inputs"]), ("ret", ["return"]),
            ("eoss.run{ na", ["name = "]), ("eoss.run{ name = \"x\", mo", ["model = "]),
            ("run:train{ st", ["steps = ", "stop_accuracy = ", "stop_loss = "]),
            ("run:track(\"loss\", { ev", ["every = "]),
            ("run:track(\"batch_sharpness_", ["batch_sharpness_gn", "batch_sharpness_ratio"]),
            ("run:track({ \"loss\", \"lambda_mi", ["lambda_min"]),
            ("eoss.nn.mlp{ inputs = 1, activation = \"sof", ["softplus", "softsign"]),
            ("eoss.run{ loss = \"half", ["half_mse"]), ("run:measure('ntk", ["ntk_max"]),
            ("run:series(\"lo", ["loss"]), ("for i = 1, 3 do\n  run:tra", ["track(", "train("]),
            ("eoss.arrays.load(\"scri", ["script.lua"]), ("-- run:me", []), ("\"run:me", []), ("nothing.at.all", []),
            ("run:", nil), ("x = \"a\" .. hidden_", ["hidden_unit"]),
        ] as [(String, [String]?)])
    func whatIsOffered(_ text: String, _ expected: [String]?) throws {
        let host = try host("run:track('loss'); run:train{ steps = 1 }")
        let found = host.complete(text).candidates
        if let expected { #expect(found == expected) } else { #expect(found.count > 20) }
    }

    /// Options that are there are not offered again, and a text that ends nowhere harms nobody.
    @Test func oddTexts() throws {
        let host = try host()
        #expect(!host.complete("eoss.run{ name = \"a\", n").candidates.contains("name = "))
        for text in [
            "", "((((", "}}}}", "eoss..", "eoss.:x", "'\\", "[[", "--[[ run:", "run:track{{{{", "ünï.cö",
            "a.b.c:d(e{f=", "\u{0}\u{7}",
        ] {
            _ = host.complete(text)
        }
    }

    /// Looking at values calls nothing of the script's: no metamethod, no getter that computes.
    @Test func nothingIsCalled() throws {
        let host = try host(
            """
            called = 0
            trap = setmetatable({ real = 1 }, { __index = function() called = called + 1 return {} end,
              __pairs = function() called = called + 1 return next, {} end, __len = function() called = called + 1 return 0 end })
            """)
        #expect(host.complete("trap.re").candidates == ["real"])
        _ = host.complete("trap.other.th")
        _ = host.complete("run.loss.x")
        guard case .done("0") = host.evaluate("called") else {
            Issue.record("a metamethod was called")
            return
        }
    }
}
