import Foundation
import GRDB

/// Reading a long series piece by piece, and when the run was where.
extension RunFileReader {
    /// The step up to which about `count` measurements of a series stand behind another step; nil where no more follow than that.
    /// With ``series(_:from:to:)`` a series of any length is read in pieces: the next one begins behind this step.
    public func lastStep(
        ofPageOf series: String, from step: Int, count: Int
    ) throws(RunFileError) -> Int? {
        let id = try seriesID(series)
        func end(_ sql: String, _ place: Int) throws(RunFileError) -> Int? {
            try rows(sql, [id, step, max(place, 1) - 1]) { try $0.decode(Int.self, atIndex: 0) }.first
        }
        let row = try end(
            "SELECT step FROM measurement WHERE series = ? AND step >= ? ORDER BY step LIMIT 1 OFFSET ?", count)
        guard version >= 3 else { return row }
        let chunk = try end(
            "SELECT last FROM chunk WHERE series = ? AND last >= ? ORDER BY last LIMIT 1 OFFSET ?",
            count / MeasurementChunk.capacity)
        return [row, chunk].compactMap { $0 }.min()
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
