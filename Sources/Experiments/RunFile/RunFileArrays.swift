import Foundation
import GRDB

/// The lists of numbers that belong to measurements: sketches, quadrature nodes.
extension RunFileReader {
    /// The list of this name that belongs to each measurement of a series between two steps (both included), in the order of
    /// ``series(_:from:to:)``; measurements without one are left out.
    public func arrays(
        _ name: String, of series: String, from: Int = .min, to: Int = .max
    ) throws(RunFileError) -> [(step: Int, numbers: [Double])] {
        try lists(of: series, from: from, to: to, name: name).map { ($0.step, $0.numbers) }
    }

    /// Every list of the measurements of a series, by the measurement's row.
    func arrays(of series: String, from: Int, to: Int) throws(RunFileError) -> [Int64: [String: [Double]]] {
        var found: [Int64: [String: [Double]]] = [:]
        for list in try lists(of: series, from: from, to: to, name: nil) {
            found[list.measurement, default: [:]][list.name] = list.numbers
        }
        return found
    }

    private struct List {
        var measurement: Int64
        var step: Int
        var name: String
        var numbers: [Double]
    }

    private func lists(of series: String, from: Int, to: Int, name: String?) throws(RunFileError) -> [List] {
        if version < 2 { return [] }
        let path = url.path
        return try rows(
            """
            SELECT measurement.id, measurement.step, array.name, array.numbers
            FROM measurement JOIN array ON array.measurement = measurement.id
            WHERE measurement.series = ? AND measurement.step BETWEEN ? AND ? AND (? IS NULL OR array.name = ?)
            ORDER BY measurement.step, measurement.id, array.name
            """, [try seriesID(series), from, to, name, name]
        ) { row in
            let name = try row.decode(String.self, atIndex: 2)
            let bytes = try row.decode(Data.self, atIndex: 3)
            guard let numbers = [Double](littleEndian: bytes) else {
                throw RunFileError.damaged(
                    path: path,
                    reason:
                        "the list '\(name)' of the series '\(series)' has \(bytes.count) bytes, no whole number of numbers"
                )
            }
            return List(
                measurement: try row.decode(Int64.self, atIndex: 0), step: try row.decode(Int.self, atIndex: 1),
                name: name, numbers: numbers)
        }
    }
}

extension Data {
    /// The doubles one after the other, the low byte of each first.
    init(littleEndian numbers: [Double]) {
        self = numbers.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
    }
}

extension [Double] {
    /// The doubles of these bytes, the low byte of each first; nil where the bytes are not a whole number of them.
    init?(littleEndian bytes: Data) {
        guard bytes.count % 8 == 0 else { return nil }
        self = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { i in
                Double(bitPattern: UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)))
            }
        }
    }
}
