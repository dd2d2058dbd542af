import Experiments
import Foundation
import RunFiles

enum FuzzedFile {
    private static let folder = (ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp") + "/eoss-fuzz-\(getpid())"

    static func test(_ bytes: UnsafeRawBufferPointer) {
        mkdir(folder, 0o700)
        let path = folder + "/input.eoss"
        // What a test before left: a journal belongs to its own file.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] { unlink(folder + "/" + name) }
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
            fatalError("cannot write \(path)")
        }
        do {
            try readAll(RunFile.open(URL(fileURLWithPath: path)))
        } catch {
            switch error {
            case is RunFileError, is ExportError, is ExperimentError: break
            default:
                // Of arrays in checkpoints; what else comes here was not foreseen.
                guard "\(type(of: error))" == "DatasetError" else { fatalError("\(type(of: error)): \(error)") }
            }
        }
    }

    private static func readAll(_ reader: RunFileReader) throws {
        _ = try reader.status()
        _ = try (
            reader.environment(), reader.parameters(), reader.events(), reader.notes(), reader.times(), reader.costs()
        )
        for name in try reader.figureNames() { _ = try reader.figure(name) }
        for name in try reader.seriesNames() { _ = try reader.values(of: name) }
        let export = try Export(reader)
        for format in ExportFormat.allCases { try export.write(format, to: Nowhere()) }
        try export.write(.csv, isLong: true, to: Nowhere())
        for step in try reader.checkpointSteps() { try export.writeCheckpoint(step: step, to: Nowhere()) }
        let archive = try ScriptArchive(reader)
        _ = try ScriptFolder(URL(fileURLWithPath: folder), replacing: true).write(archive)
        var sharing = Sharing()
        sharing.checkpoints = .all
        sharing.isReplacing = true
        _ = try sharing.share(reader, to: folder + "/shared.eoss")
        _ = try Verification().outcome(reader, among: [reader])
    }

    private final class Nowhere: ByteSink {
        func write(_ bytes: [UInt8]) {}
    }

    /// One small file with something in every table, and one that was never closed.
    static func writeSeeds(to folder: URL) throws {
        for name in ["closed", "open"] {
            let file = try RunFile.create(name: name, in: folder)
            try file.addScript(path: "a.lua", source: "print('x')")
            try file.addScript(path: "b/c.lua", source: "return 1")
            try file.setParameters(["lr": 0.05, "hidden": [200, 200]])
            for step in 0..<20 {
                try file.record("loss", step: step, value: 1 / Double(step + 1))
                try file.record("sharpness", step: step * step, value: .nan, standardError: 0.5, samples: 64)
            }
            try file.record("sketch", Measurement(step: 3, value: 1, arrays: ["numbers": [1, 2, 3]], interval: 0...2))
            try file.addEvent(step: 3, kind: "lr", message: "0.1", data: ["digest": "0"])
            try file.addCheckpoint(
                step: 5, bytes: Data(#"@       {"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  0000"#.utf8))
            try file.addNote("a note")
            try file.addFigure(name: "edge.svg", mime: "image/svg+xml", bytes: Data("<svg/>".utf8))
            if name == "closed" { try file.close() } else { try file.commit() }
        }
    }
}
