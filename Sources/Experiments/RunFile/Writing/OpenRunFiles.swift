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

    /// Waits until everything is on the disk; returns what went wrong.
    func commitAll() -> [RunFileError] {
        let (files, ending) = state.withLock { ($0.entries.compactMap(\.file), $0.ending) }
        var failures: [RunFileError] = []
        for file in files {
            do { try file.commit() } catch { failures.append(RunFileError.writing(file.url.path, error)) }
        }
        for writer in ending {
            do { try writer.waitForLastCommit() } catch { failures.append(error) }
        }
        state.withLock { state in state.ending.removeAll(where: \.hasEnded) }
        return failures
    }

    /// The writers whose file another program has a lock on.
    var locked: [RunFileWriter] {
        // A file that is let go here by its last holder adds itself to those ending: not under the lock.
        let (files, ending) = state.withLock { ($0.entries.compactMap(\.file), $0.ending) }
        return (files.map(\.writer) + ending).filter { $0.spill != nil }
    }
}
