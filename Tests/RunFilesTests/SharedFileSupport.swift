import Experiments
import Foundation
import GRDB
import RunFiles

/// A folder of a test's own, with run files in it; removed at the end.
struct Workplace: ~Copyable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
    }

    /// A run file with something of everything. `body` adds more.
    func runFile(
        _ name: String = "edge", environment: [String: String] = [:], _ body: (RunFile) throws -> Void = { _ in }
    ) throws -> RunFileReader {
        let file = try RunFile.create(name: name, in: url, header: RunHeader(environment: environment))
        try file.addScript(path: "/home/alice/secret plans/edge.lua", source: "local m = require 'm'\nprint('hello')\n")
        try file.addScript(path: "m.lua", source: "return 1\n")
        try file.setParameters(["lr": 0.05, "tag": "it's"])
        for step in 0...4 { try file.record("loss", step: step, value: 1 / Double(step + 1)) }
        try file.record("sharpness", step: 2, value: 40, standardError: 0.5, samples: 64)
        try file.record("sharpness", step: 4, value: .nan)
        try file.addEvent(
            step: 0, kind: "data", message: "arrays", data: ["name": "arrays", "digest": "0123456789abcdef"])
        try file.addFigure(
            name: "a.svg", mime: "image/svg+xml", bytes: Data("<svg><script>alert(1)</script></svg>".utf8))
        try body(file)
        file.note(step: 4, state: .done)
        try file.close()
        return try RunFile.open(file.url)
    }

    /// Changes a run file as no program of ours would.
    func tamper(_ reader: RunFileReader, _ sql: String, _ arguments: StatementArguments = []) throws -> RunFileReader {
        let queue = try DatabaseQueue(path: reader.url.path)
        try queue.write { db in try db.execute(sql: sql, arguments: arguments) }
        try queue.close()
        return try RunFile.open(reader.url)
    }
}

/// Bytes in memory.
final class Bytes: ByteSink {
    private(set) var bytes: [UInt8] = []
    func write(_ more: [UInt8]) { bytes += more }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
