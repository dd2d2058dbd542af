import Foundation

/// What waits to be written to a run file.
struct RunFileBatch: Sendable {
    struct Sample: Sendable {
        var series: Int
        var measurement: Measurement
    }

    /// Everything that is rare.
    enum Row: Sendable {
        case parameters(json: String)
        case script(RunScript)
        case event(RunEvent, time: String)
        case checkpoint(StoredCheckpoint, created: String)
        case note(created: String, text: String)
        case figure(RunFigure, created: String)
    }

    /// A checkpoint, and how many are kept beside those that were asked for by their steps.
    struct StoredCheckpoint: Sendable {
        var step: Int
        var bytes: Data
        var isPinned: Bool
        var keep: Int
    }

    var newSeries: [(id: Int, name: String)] = []
    var samples: ContiguousArray<Sample> = []
    var rows: [Row] = []
    /// Bytes of the rows, and of the samples' arrays and extras.
    var byteCount = 0

    var isEmpty: Bool { samples.isEmpty && rows.isEmpty && newSeries.isEmpty }

    mutating func append(_ later: RunFileBatch) {
        newSeries += later.newSeries
        samples += later.samples
        rows += later.rows
        byteCount += later.byteCount
    }
}
