import Experiments
import Foundation

@testable import LivePage

/// A folder of a test's own, removed at the end.
struct TemporaryFolder: ~Copyable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// A run that has ended.
    /// - Parameter deeper: whether the name has folders in it.
    @discardableResult
    func run(_ name: String, deeper: Bool = false, _ more: (RunFile) throws -> Void = { _ in }) throws -> URL {
        let place = deeper ? url.appendingPathComponent(name) : url.appendingPathComponent("-")
        let file = try RunFile.create(
            name: deeper ? place.lastPathComponent : name, in: place.deletingLastPathComponent())
        try more(file)
        file.note(step: 10, state: .done)
        try file.close()
        return file.url
    }
}

/// A message's JSON text as a value.
func object(_ text: String?) throws -> [String: JSONValue] {
    guard let text, case .object(let fields) = try JSONValue(json: text) else { throw CocoaError(.coderReadCorrupt) }
    return fields
}

extension JSONValue {
    var list: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

    subscript(_ key: String) -> JSONValue? { if case .object(let fields) = self { fields[key] } else { nil } }
}
