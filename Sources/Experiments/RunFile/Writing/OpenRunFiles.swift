import Synchronization

/// The run files that this process has open, and those let go that are still writing, so that an exit can wait for all
/// of them. Holds none alive.
final class OpenRunFiles: Sendable {
    static let shared = OpenRunFiles()

    private struct Entry {
        weak var file: RunFile?
    }

    private struct State {
        var entries: [Entry] = []
        var ending: [RunFileWriter] = []
    }

    private let state = Mutex(State())

    func add(_ file: RunFile) {
        state.withLock { state in
            state.entries.removeAll { $0.file == nil }
            state.entries.append(Entry(file: file))
        }
    }

    /// A file was let go without being closed: its writer ends by itself.
    func add(ending writer: RunFileWriter) {
        state.withLock { state in
            state.ending.removeAll { $0.hasEndedWell }
            state.ending.append(writer)
        }
    }

    /// Waits until everything is written; returns what went wrong.
    func commitAll() -> [RunFileError] {
        let (files, ending) = state.withLock { state in
            defer { state.ending = [] }
            return (state.entries.compactMap(\.file), state.ending)
        }
        var failures: [RunFileError] = []
        for file in files {
            do { try file.commit() } catch { failures.append(RunFileError.writing(file.url.path, error)) }
        }
        for writer in ending {
            do { try writer.waitForEnd() } catch { failures.append(error) }
        }
        return failures
    }
}
