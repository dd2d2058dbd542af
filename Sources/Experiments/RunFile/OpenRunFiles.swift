import Synchronization

/// The run files that this process has open, so that all of them can be committed before an exit. Holds none alive.
final class OpenRunFiles: Sendable {
    static let shared = OpenRunFiles()

    private struct Entry {
        weak var file: RunFile?
    }

    private let entries = Mutex<[Entry]>([])

    var all: [RunFile] { entries.withLock { $0.compactMap(\.file) } }

    func add(_ file: RunFile) {
        entries.withLock { entries in
            entries.removeAll { $0.file == nil }
            entries.append(Entry(file: file))
        }
    }
}
