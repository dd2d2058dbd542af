import Foundation
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

    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], in folder: URL? = nil
    ) throws -> Result {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, given in given }
        process.currentDirectoryURL = folder
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
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
        let setting = Setting(argument: "name=a=b")
        #expect(setting?.name == "name" && setting?.text == "a=b")
        #expect(Setting(argument: "note=")?.text == "")
        for text in ["", "=", "=1", "lr", "l r=1", "é=1", "1x=2"] { #expect(Setting(argument: text) == nil, "\(text)") }
    }

    @Test func theNearestNameIsOneThatIsNear() {
        #expect(nearest(to: "rnu", among: ["run", "repl", "help"]) == "run")
        #expect(nearest(to: "repl", among: ["run", "repl"]) == "repl")
        #expect(nearest(to: "replt", among: ["run", "repl"]) == "repl")
        #expect(nearest(to: "quickstart", among: ["run", "repl"]) == nil)
        #expect(nearest(to: "x", among: []) == nil)
    }
}
