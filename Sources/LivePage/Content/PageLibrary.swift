import Experiments
import Foundation
import RunFiles

/// What the page shows of a folder: its runs, and nothing that is not in it.
final class PageLibrary: @unchecked Sendable {
    // @unchecked: the watches are used under the lock.

    /// Runs that are kept open for those who come back.
    private static let watchLimit = 16
    /// Points of a stretch of a curve.
    private static let stretches = 600

    let folder: URL
    let list: FolderWatch
    private let thread: ReadingThread
    private let lock = NSLock()
    private var watches: [RunWatch] = []

    init(_ folder: URL, on thread: ReadingThread) {
        (self.folder, self.thread) = (folder, thread)
        list = FolderWatch(folder, on: thread)
    }

    /// Whether the file that this path below the folder means, links followed, stands where the path says: a link to a folder, on the
    /// way to it, leads elsewhere.
    static func isInside(_ file: URL, _ folder: URL) -> Bool {
        let (path, root) = (file.deletingLastPathComponent().standardizedFileURL.path, folder.standardizedFileURL.path)
        guard path == root || path.hasPrefix(root == "/" ? root : root + "/") else { return false }
        return file.resolvingSymlinksInPath().deletingLastPathComponent().path
            == folder.resolvingSymlinksInPath().path + path.dropFirst(root.count)
    }

    /// The run file of a name, as the list has it: `net`, `sweep/lr=0.1/net`; nil where the folder has none.
    func file(of name: String) -> URL? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= RunFolder.depth + 1, !name.contains("\0"), parts[parts.count - 1].utf8.count <= 250,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 255 }),
            parts.dropLast().allSatisfy({ !$0.hasPrefix(".") })
        else { return nil }
        let file = folder.appendingPathComponent(name + ".eoss", isDirectory: false)
        guard FileStamp(file.path) != nil, Self.isInside(file, folder) else { return nil }
        return file
    }

    func watch(of name: String) -> RunWatch? {
        guard let file = file(of: name) else { return nil }
        return lock.withLock {
            let watch = watches.first { $0.file == file } ?? RunWatch(file, on: thread)
            watches.removeAll { $0 === watch }
            watches.append(watch)
            if watches.count > Self.watchLimit { watches.removeFirst() }
            return watch
        }
    }

    /// Bytes of a run file with their media type, or why there are none.
    typealias Answer = Result<(mime: String, bytes: Data), RunFileError>

    /// The values of a series between two steps, as JSON.
    func series(_ file: URL, _ name: String, _ steps: ClosedRange<Int>) async -> Answer {
        await reading { () throws(RunFileError) in
            let values = try RunFileReader(file, patience: 1)
                .values(of: name, from: steps.lowerBound, to: steps.upperBound)
            var curve = CurveEnvelope(capacity: Self.stretches)
            for place in values.values.indices { curve.add(values.stepList[place], values.values[place]) }
            return ("application/json", Data("{\"count\":\(values.count),\(curve.points.members)}".utf8))
        }
    }

    func script(_ file: URL, _ number: Int) async -> Answer {
        await reading { () throws(RunFileError) in
            let scripts = try RunFileReader(file, patience: 1).scripts()
            guard number < scripts.count else { throw .missing(path: file.path, what: "script \(number)") }
            return ("text/plain; charset=utf-8", Data(String(decoding: scripts[number].source, as: UTF8.self).utf8))
        }
    }

    func figure(_ file: URL, _ name: String) async -> Answer {
        await reading { () throws(RunFileError) in
            let reader = try RunFileReader(file, patience: 1)
            guard let figure = try reader.figures().first(where: { $0.name == name }),
                let type = ServedFigure.type(of: figure.mime), figure.size <= ServedFigure.largest
            else { throw .missing(path: file.path, what: "figure '\(name.label())' that can be shown") }
            return (type, try reader.figure(name).bytes)
        }
    }

    private func reading(
        _ body: @escaping @Sendable () throws(RunFileError) -> (mime: String, bytes: Data)
    ) async -> Answer {
        await thread.run { Answer { () throws(RunFileError) in try body() } }
    }
}
