import Foundation
import Testing

@testable import eoss

/// The examples of `docs/sweeps.md`.
@Suite struct SweepPageTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs/sweeps.md")

    /// The blocks of a language, in their order.
    private static func blocks(_ language: String) throws -> [String] {
        let parts = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```")
        return stride(from: 1, to: parts.count, by: 2).map { parts[$0] }
            .filter { $0.hasPrefix(language + "\n") }.map { String($0.dropFirst(language.count + 1)) }
    }

    @Test func theExamplesDoWhatThePageSays() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (scripts, commands) = (try Self.blocks("lua"), try Self.blocks("sh"))
        let script = folder.appendingPathComponent("sharpness.lua")
        try Data(scripts[0].utf8).write(to: script)
        let out = folder.appendingPathComponent("runs/sharpness-sweep")
        /// The first command of a block, of files in this folder.
        func run(_ block: Int) throws -> EossProgram.Result {
            let words = commands[block].split(separator: "\n")[0].split(separator: " ").dropFirst().map(String.init)
            let paths = words.map { $0 == "sharpness.lua" ? script.path : $0 == "runs/sharpness-sweep" ? out.path : $0 }
            return try EossProgram.run(paths + (block == 0 ? ["--out", out.path] : []))
        }
        let first = try run(0)
        #expect(first.status == 0 && first.output.split(separator: "\n").count == 7, "\(first.errors)")
        let point = out.appendingPathComponent("lr=0.05-batch=4-seed=1")
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: point.path)) == [
                "sharpness.eoss", "log.txt", "outcome.json",
            ])
        let resumed = try run(1)
        #expect(resumed.status == 0 && resumed.output == first.output)
        #expect(try run(2).output.contains("18 points, 18 done"))

        try Data((scripts[1] + "print(eoss.open_sweep('sharpness-sweep'))").utf8).write(to: script)
        let result = try EossProgram.run(["run", script.path, "--out", folder.appendingPathComponent("runs").path])
        let lines = result.output.split(separator: "\n")
        try #require(result.status == 0 && lines.count == 10, "\(result.output)\(result.errors)")
        #expect(
            lines[0].split(separator: " ") == [
                "batch", "lr", "n", "diverged", "batch_sharpness", "median", "loss", "median",
            ])
        #expect(lines[7].hasPrefix("batch=4-lr=0.05-seed=1\t") && lines[7].hasSuffix("\tfalse"))
        #expect(lines[9] == "sweep over lr, batch, seed: 18 points")
        #expect(
            FileManager.default.fileExists(atPath: folder.appendingPathComponent("runs/batch_sharpness-batch.svg").path)
        )
    }
}
