import Foundation
import GRDB

/// Reading a long series piece by piece, and when the run was where.
extension RunFileReader {
    /// The step up to which about `count` measurements of a series stand behind another step; nil where no more follow than that.
    /// With ``series(_:from:to:)`` a series of any length is read in pieces: the next one begins behind this step.
    public func lastStep(
        ofPageOf series: String, from first: Int, count: Int
    ) throws(RunFileError) -> Int? {
        let id = try seriesID(series)
        func step(_ sql: String, _ place: Int) throws(RunFileError) -> Int? {
            try rows(sql, [id, first, max(place, 1) - 1]) { try $0.decode(Int.self, atIndex: 0) }.first
        }
        let row = try step(
            "SELECT step FROM measurement WHERE series = ? AND step >= ? ORDER BY step LIMIT 1 OFFSET ?", count)
        let chunk =
            version < 3
            ? nil
            : try step(
                "SELECT last FROM chunk WHERE series = ? AND last >= ? ORDER BY last LIMIT 1 OFFSET ?",
                count / MeasurementChunk.capacity)
        let end = [row, chunk].compactMap { $0 }.min()
        // In a hostile index a search for later steps may find earlier ones: whoever goes on from there never comes to an end.
        if let end, end < first {
            throw .damaged(path: url.path, reason: "the steps of the series '\(series)' are not in order")
        }
        return end
    }

    /// When the run was at which step, as far as its file says: its beginning, every event, its last sign of life. Steps and times
    /// ascend.
    public func times() throws(RunFileError) -> [(step: Int, time: Date)] {
        var known = [(step: 0, time: created)]
        func add(_ step: Int, _ time: Date) {
            guard let last = known.last, step >= last.step, time >= last.time else { return }
            if step == last.step, known.count > 1 { known.removeLast() }
            known.append((step, time))
        }
        if version >= 3 {
            let path = url.path
            let events = try rows("SELECT step, time FROM event ORDER BY id") { row in
                guard let time = Date(runTimestamp: try row.decode(String.self, atIndex: 1)) else {
                    throw RunFileError.damaged(path: path, reason: "the time of an event is none")
                }
                return (try row.decode(Int.self, atIndex: 0), time)
            }
            for (step, time) in events { add(step, time) }
        }
        if let status = try status() { add(status.step, closed ?? status.heartbeat) }
        return known
    }
}
