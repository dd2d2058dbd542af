import Experiments

/// Walks along a series of any length, with a few thousand measurements of it in memory.
final class SeriesCursor {
    let name: String
    private let reader: RunFileReader
    private let pageSize: Int
    private var page: ArraySlice<Measurement> = []
    /// Where the next page begins; nil behind the last one.
    private var next: Int? = .min

    init(_ reader: RunFileReader, _ name: String, pageSize: Int = 8192) throws {
        (self.reader, self.name, self.pageSize) = (reader, name, pageSize)
        try fill()
    }

    /// The measurement where it stands; nil behind the last one.
    var current: Measurement? { page.first }

    func advance() throws {
        page.removeFirst()
        if page.isEmpty { try fill() }
    }

    private func fill() throws {
        while page.isEmpty, let start = next {
            let end = try reader.lastStep(ofPageOf: name, from: start, count: pageSize)
            page = try reader.series(name, from: start, to: end ?? .max)[...]
            next = end.flatMap { $0 < .max ? $0 + 1 : nil }
        }
    }
}
