import Foundation
import ScriptAPI
import Testing

@testable import eoss

/// The program itself, as its user calls it.
struct EossProgram {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// It is built beside the tests.
    static let executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("eoss")

    /// Runs it to its end. With `signal`, that signal is sent as soon as the program has written something.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], signal: Int32? = nil,
        directory: URL? = nil
    ) throws -> Result {
        let process = Process()
        process.executableURL = executable
        if let directory { process.currentDirectoryURL = directory }
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        var output = Data()
        if let signal {
            output = stdout.fileHandleForReading.availableData
            kill(process.processIdentifier, signal)
        }
        output += stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    /// Runs a script given as text.
    static func run(script: String, _ arguments: [String] = [], signal: Int32? = nil) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("script.lua")
        try Data(script.utf8).write(to: file)
        return try run(
            ["run", file.path, "--out", folder.appendingPathComponent("runs").path] + arguments, signal: signal)
    }
}

@Suite struct CommandLineTests {
    @Test func theVersionAndTheHelpGoToStandardOutput() throws {
        let version = try EossProgram.run(["--version"])
        #expect(version.status == 0 && version.errors.isEmpty)
        #expect(version.output.contains(/^\d+\.\d+\.\d+\n$/))
        for arguments in [["--help"], ["run", "--help"], ["help", "run"], ["repl", "-h"]] {
            let help = try EossProgram.run(arguments)
            #expect(help.status == 0 && help.errors.isEmpty && help.output.contains("USAGE: eoss"), "\(arguments)")
        }
    }

    @Test(arguments: [
        (["rnu", "a.lua"], "did you mean 'eoss run'?"),
        (["a.lua"], "did you mean 'eoss run a.lua'?"),
        (["run"], "which script?"),
        (["run", "a.lua", "b.lua"], "Unexpected argument 'b.lua'"),
        (["run", "a.lua", "--threds", "2"], "Did you mean '--threads'?"),
        (["run", "a.lua", "--threads", "0"], "--threads is 0"),
        (["run", "a.lua", "--threads", "two"], "two"),
        (["run", "a.lua", "--memory", "4Q"], "4Q"),
        (["run", "a.lua", "--set", "lr"], "name=value"),
        (["run", "a.lua", "--set", "2lr=1"], "name=value"),
        (["run", "a.lua", "--allow-read", "/no/such/folder"], "/no/such/folder"),
    ])
    func wrongUsageIsSaidOnStandardErrorWithStatusTwo(arguments: [String], message: String) throws {
        let result = try EossProgram.run(arguments)
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test func aScriptThatIsNotThereIsOneMessageAndStatusOne() throws {
        let result = try EossProgram.run(["run", "/no/such/script.lua"])
        #expect(result.status == 1 && result.output.isEmpty)
        #expect(
            result.errors.hasPrefix("eoss: ") && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }

    @Test func whatAScriptPrintsGoesToStandardOutput() throws {
        let result = try EossProgram.run(script: "print('λ', 1, 0.5)\nprint()\nprint(nil)")
        #expect(result.output == "λ\t1\t0.5\n\nnil\n")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    }

    @Test func aScriptThatFailsIsSaidWithItsLineOnStandardErrorWithStatusOne() throws {
        let result = try EossProgram.run(script: "print('before')\nlocal x\nprint(x.y)")
        #expect(result.output == "before\n")
        #expect(result.status == 1 && result.errors.contains("script.lua:3:"), "\(result.errors)")
        let syntax = try EossProgram.run(script: "print('before'")
        #expect(
            syntax.output.isEmpty && syntax.status == 1 && syntax.errors.contains("script.lua:1:"), "\(syntax.errors)")
    }

    /// The second script catches whatever it can, and goes on.
    @Test(
        arguments: [SIGINT, SIGTERM, SIGHUP],
        ["print('x') while true do end", "print('x') while true do pcall(function() while true do end end) end"])
    func aSignalEndsAScriptWithStatus130(signal: Int32, script: String) throws {
        let result = try EossProgram.run(script: script, signal: signal)
        #expect(result.status == 130 && result.output == "x\n")
        #expect(result.errors == "eoss: interrupted\n")
    }

    @Test func thePromptReadsPlainLinesWhereStandardInputIsNoTerminal() throws {
        let result = try EossProgram.run(
            ["repl"], input: "x = 20\nfor i = 1, 2 do\n  x = x + i\nend\n\nprint(x)\nerror('no good')\nprint(x + 1)\n")
        #expect(result.output == "23\n24\n", "neither prompts nor echoes")
        #expect(result.errors.contains("no good") && result.status == 1, "\(result.errors)")
        let fine = try EossProgram.run(["repl"], input: "print(1)")
        #expect(fine.output == "1\n" && fine.errors.isEmpty && fine.status == 0)
    }

    @Test func theSandboxIsLiftedByTrustAlone() throws {
        let script = "print(io ~= nil)"
        #expect(try EossProgram.run(script: script).output == "false\n")
        #expect(try EossProgram.run(script: script, ["--trust"]).output == "true\n")
    }

    @Test func memoryIsGivenInBytesOrPowersOf1024() {
        #expect(MemorySize(argument: "4096")?.bytes == 4096)
        #expect(MemorySize(argument: "4k")?.bytes == 4096)
        #expect(MemorySize(argument: "1.5G")?.bytes == 3 << 29)
        #expect(MemorySize(argument: "2GiB")?.bytes == 2 << 30)
        for text in ["", "-1G", "0", "G", "1e30", "nan", "inf", "4Q", "4 G"] {
            #expect(MemorySize(argument: text) == nil)
        }
    }

    @Test func aSettingIsSplitAtItsFirstEqualsSign() {
        let setting = ScriptOptions.Setting(argument: "name=a=b")
        #expect(setting?.name == "name" && setting?.text == "a=b")
        #expect(ScriptOptions.Setting(argument: "note=")?.text == "")
        for text in ["", "=", "=1", "lr", "l r=1", "é=1", "1x=2"] {
            #expect(ScriptOptions.Setting(argument: text) == nil, "\(text)")
        }
    }
}
