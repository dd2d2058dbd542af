import Experiments
import Foundation
import GRDB

/// A folder of a test's own, removed at the end.
struct TemporaryFolder: ~Copyable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// A run that has ended.
    @discardableResult
    func run(
        _ name: String, _ parameters: [String: JSONValue] = [:], last: [String: Double] = [:], step: Int = 10,
        script: String? = "print(1)\n", _ more: (RunFile) throws -> Void = { _ in }
    ) throws -> URL {
        let file = try RunFile.create(name: name, in: url)
        if let script { try file.addScript(path: "scripts/a.lua", source: script) }
        try file.setParameters(parameters)
        for (series, value) in last.sorted(by: { $0.key < $1.key }) {
            try file.record(series, step: 0, value: 1)
            try file.record(series, step: step, value: value)
        }
        file.note(step: step, state: .done)
        try more(file)
        try file.close()
        return file.url
    }

    func write(_ bytes: Data, _ name: String) throws -> URL {
        let file = url.appendingPathComponent(name)
        try bytes.write(to: file)
        return file
    }
}

/// Changes a file by SQL, as another program could.
func change(_ file: URL, _ sql: String) throws {
    let queue = try DatabaseQueue(path: file.path)
    try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    try queue.close()
}

/// A connection of another program, which has the file for itself until it is let go.
final class ExclusiveLock {
    private let queue: DatabaseQueue

    init(_ file: URL) throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(10)
        queue = try DatabaseQueue(path: file.path, configuration: configuration)
        try queue.inDatabase { try $0.execute(sql: "BEGIN EXCLUSIVE") }
    }

    func letGo() throws { try queue.close() }
}

/// The same numbers each time.
struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}
