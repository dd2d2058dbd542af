import Foundation
import Objectives
import Testing

@testable import ScriptAPI

/// What is typed at a prompt, and scripts as editors and shells leave them.
@Suite struct PromptTests {
    /// A loop without end costs its own line, not the session.
    @Test func aRunawayLineLeavesThePromptAlive() throws {
        let lab = try Laboratory()
        let impatient: (inout ScriptOptions) -> Void = { $0.patience = 0.1 }
        try lab.host(impatient) { host in
            guard case .failed(let message) = host.evaluate("while true do end") else {
                Issue.record("the loop ended by itself")
                return
            }
            #expect(message.contains("a loop without end?"))
            #expect(host.interrupt.stopReason == nil)
            #expect(host.evaluate("1 + 1") == .done("2"))
        }
    }

    /// A stop that comes while a line ends is not one for the next line.
    @Test func aStopThatComesTooLateIsForgotten() throws {
        let lab = try Laboratory()
        var stop: () -> Void = {}
        let stopping: (inout ScriptOptions) -> Void = { $0.print = { _ in stop() } }
        try lab.host(stopping) { host in
            let interrupt = host.interrupt
            stop = { interrupt.requestStop() }
            _ = host.evaluate("print(1)")
            #expect(host.interrupt.stopReason == nil)
            #expect(host.evaluate("1 + 1") == .done("2"))
        }
    }

    @Test func aByteOrderMarkAndALineForTheShellAreSkipped() throws {
        for start in ["\u{FEFF}", "#!/usr/bin/env eoss\n", "\u{FEFF}#!/usr/bin/env eoss\n"] {
            let lab = try Laboratory()
            try lab.run(start + "print(1)")
            #expect(lab.printed == ["1"])
        }
    }

    @Test func aScriptThatCannotBeReadIsNamedWithTheReason() throws {
        let lab = try Laboratory()
        try lab.host { host in
            for (name, reason) in [("none.lua", "there is no such file"), ("", "it is a folder")] {
                do {
                    try host.run(file: lab.folder.appendingPathComponent(name))
                    Issue.record("it was read")
                } catch {
                    #expect("\(error)".hasPrefix("cannot read the script '"))
                    #expect("\(error)".hasSuffix("': \(reason)"))
                }
            }
        }
    }

    @Test(arguments: [
        ("inputs = {}, labels = {}", "'inputs' holds no numbers"),
        (
            "inputs = { array = eoss.arrays.from{ 1, 2 } }, labels = { 0, 1 }",
            "'inputs': a table of arrays; name one of them, its field 'array', say"
        ),
        (
            "inputs = { 1, 2 }, labels = { 0, 1.5 }",
            "labels: sample 2 has the label 1.5; classes are whole numbers from 0, and -1 leaves a "
                + "sample out"
        ),
    ])
    func dataThatAreNoneSayWhy(options: String, message: String) throws {
        #expect(try Laboratory().failure(of: "eoss.data.arrays{ \(options) }") == "test.lua:1: " + message)
    }
}
