/// What differs between two texts, line by line.
public struct LineDifference: Sendable, Equatable {
    public enum Change: Sendable, Equatable {
        case kept(String)
        case removed(String)
        case added(String)
    }

    /// Lines that belong together: those that differ, with some that do not around them.
    public struct Hunk: Sendable, Equatable {
        /// The number of its first line in either text, from 1.
        public let first: (old: Int, new: Int)
        public let lines: [Change]

        public static func == (a: Hunk, b: Hunk) -> Bool { a.first == b.first && a.lines == b.lines }
    }

    public let hunks: [Hunk]

    /// Texts that differ in more lines than this are said to differ in all that lies between: memory goes with the square.
    static let mostLines = 4000

    /// - Parameter context: how many lines that are the same stand around those that differ.
    public init(_ old: String, _ new: String, context: Int = 2) {
        let (a, b) = (Self.lines(old), Self.lines(new))
        var start = 0
        while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
        var end = 0
        while end < min(a.count, b.count) - start, a[a.count - 1 - end] == b[b.count - 1 - end] { end += 1 }
        let (removed, added) = Self.changes(Array(a[start..<a.count - end]), Array(b[start..<b.count - end]))
        let (isRemoved, isAdded) = (Set(removed.map { $0 + start }), Set(added.map { $0 + start }))

        var hunks: [Hunk] = []
        var (i, j) = (0, 0)
        // Lines of the hunk, where it began, how many of its last lines are the same in both.
        var open: (lines: [Change], first: (old: Int, new: Int), kept: Int)?
        func close() {
            guard let hunk = open else { return }
            let surplus = max(0, hunk.kept - context)
            hunks.append(Hunk(first: hunk.first, lines: hunk.lines.dropLast(surplus)))
            open = nil
        }
        while i < a.count || j < b.count {
            let change: Change
            if isRemoved.contains(i) {
                change = .removed(a[i])
            } else if isAdded.contains(j) {
                change = .added(b[j])
            } else {
                if open != nil {
                    open?.lines.append(.kept(a[i]))
                    open?.kept += 1
                    if open?.kept == 2 * context + 1 { close() }
                }
                (i, j) = (i + 1, j + 1)
                continue
            }
            if open == nil {
                let before = min(context, i, j)
                open = (a[(i - before)..<i].map { .kept($0) }, (i - before + 1, j - before + 1), 0)
            }
            open?.lines.append(change)
            open?.kept = 0
            if case .removed = change { i += 1 } else { j += 1 }
        }
        close()
        self.hunks = hunks
    }

    /// What ends with a line's end has no empty line after it.
    private static func lines(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return lines.last == "" ? lines.dropLast() : lines
    }

    private static func changes(_ a: [String], _ b: [String]) -> (removed: [Int], added: [Int]) {
        guard a.count + b.count <= mostLines else { return (Array(a.indices), Array(b.indices)) }
        let difference = b.difference(from: a)
        func offset(_ change: CollectionDifference<String>.Change) -> Int {
            switch change {
            case .insert(let offset, _, _), .remove(let offset, _, _): offset
            }
        }
        return (difference.removals.map(offset), difference.insertions.map(offset))
    }
}
