import Foundation

/// What waits to be written to a run file.
struct RunFileBatch: Sendable {
    struct Sample: Sendable {
        var series: Int
        var measurement: Measurement
        /// Whether nothing of this step can stand in the file, since its series has come no further yet.
        var isNews: Bool
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
    /// Plain measurements, each series' at its number less one: of steps that ascend, within the batch and from batch to batch.
    var columns: [MeasurementChunk] = []
    /// How many values these are.
    var plainCount = 0
    /// All others.
    var samples: ContiguousArray<Sample> = []
    var rows: [Row] = []
    /// Bytes of the rows, and of the samples' arrays and extras.
    var byteCount = 0

    var isEmpty: Bool { plainCount == 0 && samples.isEmpty && rows.isEmpty && newSeries.isEmpty }

    /// What it holds, in eighths of a measurement.
    var load: Int { plainCount + 8 * (samples.count + rows.count) }

    mutating func append(_ measurement: Measurement, to series: Int) {
        while columns.count < series { columns.append(MeasurementChunk()) }
        columns[series - 1].append(measurement)
        plainCount += 1
    }

    mutating func append(_ later: RunFileBatch) {
        if isEmpty {
            self = later
            return
        }
        while columns.count < later.columns.count { columns.append(MeasurementChunk()) }
        for (index, column) in later.columns.enumerated() { columns[index].append(contentsOf: column) }
        plainCount += later.plainCount
        newSeries += later.newSeries
        samples += later.samples
        rows += later.rows
        byteCount += later.byteCount
    }
}
