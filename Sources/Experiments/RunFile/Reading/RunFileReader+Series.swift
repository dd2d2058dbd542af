import Foundation
import GRDB

/// The measurements of a series: rows, and values in chunks, as one.
extension RunFileReader {
    /// The measurements of a series between two steps (both included), in the order of their steps.
    ///
    /// Of a measurement that has nothing beside its value and what it took, `seconds` are the mean of those stored with it. Files of
    /// the first version know no operations, no intervals and no lists: these are nil.
    public func series(_ name: String, from: Int = .min, to: Int = .max) throws(RunFileError) -> [Measurement] {
        let id = try seriesID(name)
        var (measured, chunks): ([(row: Int64, value: Measurement)], [MeasurementChunk]) = ([], [])
        try read { db in
            (measured, chunks) = (try measuredRows(db, id, from, to), try self.chunks(db, id, from, to))
        }
        // Read after the measurements: what was written meanwhile belongs to later ones.
        let arrays = try arrays(of: name, from: from, to: to)
        if !arrays.isEmpty {
            for i in measured.indices { measured[i].value.arrays = arrays[measured[i].row] }
        }
        if chunks.isEmpty { return measured.map(\.value) }
        var merged: [Measurement] = []
        merged.reserveCapacity(measured.count + chunks.reduce(0) { $0 + $1.count })
        var rows = measured[...]
        for chunk in chunks {
            for index in chunk.values.indices where chunk.steps[index] >= from && chunk.steps[index] <= to {
                let step = chunk.steps[index]
                while let row = rows.first, row.value.step < step { merged.append(rows.removeFirst().value) }
                try require(rows.first?.value.step != step, isOnceIn: name, step)
                merged.append(chunk.measurement(at: index))
            }
        }
        return merged + rows.map(\.value)
    }

    /// The same without what the values took: 8 bytes a value where steps go on in equal strides.
    public func values(of name: String, from: Int = .min, to: Int = .max) throws(RunFileError) -> Series {
        let id = try seriesID(name)
        var series = Series(name: name)
        let isPacked = try read { db in
            let chunks = try chunks(db, id, from, to)
            guard !chunks.isEmpty, try measuredRows(db, id, from, to).isEmpty else { return false }
            for chunk in chunks {
                let places = chunk.steps.count(through: from == .min ? .min : from - 1)..<chunk.steps.count(through: to)
                series.append(contentsOf: chunk, places)
            }
            return true
        }
        if isPacked { return series }
        return Series(name: name, measurements: try self.series(name, from: from, to: to))
    }

    func seriesID(_ name: String) throws(RunFileError) -> Int {
        let ids = try rows("SELECT id FROM series WHERE name = ?", [name]) { try $0.decode(Int.self, atIndex: 0) }
        guard let id = ids.first else { throw .missing(path: url.path, what: "series '\(name)'") }
        return id
    }

    private func require(_ condition: Bool, isOnceIn name: String, _ step: Int) throws(RunFileError) {
        if condition { return }
        throw .damaged(path: url.path, reason: "the series '\(name)' has two values at step \(step)")
    }

    /// What ``measurement(_:_:)`` takes.
    private var measuredColumns: String {
        let added = version >= 2 ? "operations, low, high" : "NULL, NULL, NULL"
        return "step, value, standard_error, samples, products, residual, seconds, \(added), nan, extra"
    }

    /// The last rows of a series, in the order of their steps.
    func lastRows(_ db: Database, _ id: Int, _ count: Int) throws -> [Measurement] {
        let sql = "SELECT \(measuredColumns) FROM measurement WHERE series = ? ORDER BY step DESC, id DESC LIMIT ?"
        var found: [Measurement] = []
        try each(db, sql, [id, count]) { found.append(try Self.measurement($0, url.path)) }
        return found.reversed()
    }

    private func measuredRows(
        _ db: Database, _ id: Int, _ from: Int, _ to: Int
    ) throws -> [(row: Int64, value: Measurement)] {
        let sql = """
            SELECT \(measuredColumns), id FROM measurement WHERE series = ? AND step BETWEEN ? AND ? ORDER BY step, id
            """
        let path = url.path
        var found: [(row: Int64, value: Measurement)] = []
        try each(db, sql, [id, from, to]) { row in
            found.append((try row.decode(Int64.self, atIndex: 12), try Self.measurement(row, path)))
        }
        return found
    }

    private static func measurement(_ row: Row, _ path: String) throws -> Measurement {
        let nan = Measurement.NaNColumns(rawValue: try row.decode(Int?.self, atIndex: 10) ?? 0)
        func real(_ index: Int, _ column: Measurement.NaNColumns) throws -> Double? {
            nan.contains(column) ? .nan : try row.decode(Double?.self, atIndex: index)
        }
        var interval: ClosedRange<Double>?
        if let low = try row.decode(Double?.self, atIndex: 8), let high = try row.decode(Double?.self, atIndex: 9) {
            guard low <= high else {
                throw RunFileError.damaged(path: path, reason: "an interval ends before it begins")
            }
            interval = low...high
        }
        var measured = Measurement(
            step: try row.decode(Int.self, atIndex: 0),
            value: nan.contains(.value) ? .nan : try row.decode(Double.self, atIndex: 1),
            standardError: try real(2, .standardError), samples: try row.decode(Int?.self, atIndex: 3),
            products: try row.decode(Int?.self, atIndex: 4), residual: try real(5, .residual),
            seconds: try real(6, .seconds), operations: try real(7, .operations),
            extra: try row.decode(String?.self, atIndex: 11), interval: interval)
        if nan.contains(.negativeZero), measured.value == 0 { measured.value = -0.0 }
        measured.takeStoredExtra()
        return measured
    }

    /// The chunks that have steps from `from` to `to`, in order.
    private func chunks(_ db: Database, _ id: Int, _ from: Int, _ to: Int) throws -> [MeasurementChunk] {
        if version < 3 { return [] }
        let sql = """
            SELECT \(MeasurementChunk.columns) FROM chunk WHERE series = ? AND last >= ? AND first <= ? ORDER BY last
            """
        var chunks: [MeasurementChunk] = []
        var end: Int?
        try each(db, sql, [id, from, to]) { row in
            let chunk = try MeasurementChunk(row)
            guard end.map({ $0 < chunk.steps[0] }) ?? true else {
                throw MeasurementChunk.Damage(
                    reason: "chunks of values overlap at step \(chunk.steps[0])")
            }
            end = chunk.steps[chunk.count - 1]
            chunks.append(chunk)
        }
        return chunks
    }
}
