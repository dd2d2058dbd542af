import Experiments

/// A column of a table that is written piece by piece.
struct TableColumn {
    enum Kind { case integer, number, text }

    let name: String
    let kind: Kind
    /// Whether a row may have nothing in it.
    var isOptional = false
}

/// Some rows of a table, column by column.
enum ColumnValues {
    case integers([Int?])
    case numbers([Double?])
    case texts([String])

    init(_ kind: TableColumn.Kind) {
        switch kind {
        case .integer: self = .integers([])
        case .number: self = .numbers([])
        case .text: self = .texts([])
        }
    }
}

struct TableRows {
    var count = 0
    var columns: [ColumnValues]
}

/// A table whose rows come in pieces, so that one of any length takes little memory.
protocol TableSource: AnyObject {
    var columns: [TableColumn] { get }
    /// The next rows; nil behind the last.
    func next() throws -> TableRows?
}

/// How many rows a piece has.
private let rowsOfPiece = 8192

/// A row for each step at which anything was measured, a column for each series.
final class StepTable: TableSource {
    let columns: [TableColumn]
    private let cursors: [SeriesCursor]

    /// - Parameter names: of the series and, beside them, of their columns.
    init(_ reader: RunFileReader, _ names: [ExportedName]) throws {
        columns =
            [TableColumn(name: "step", kind: .integer)]
            + names.map { TableColumn(name: $0.written, kind: .number, isOptional: true) }
        // All of them are open at once: the more there are, the less each has in memory.
        let pageSize = max(256, 65_536 / max(1, names.count))
        cursors = try names.map { try SeriesCursor(reader, $0.series, pageSize: pageSize) }
    }

    func next() throws -> TableRows? {
        var steps: [Int?] = []
        var values = cursors.map { _ in [Double?]() }
        while steps.count < rowsOfPiece, let step = cursors.compactMap({ $0.current?.step }).min() {
            steps.append(step)
            for (index, cursor) in cursors.enumerated() {
                guard let measurement = cursor.current, measurement.step == step else {
                    values[index].append(nil)
                    continue
                }
                values[index].append(measurement.value)
                try cursor.advance()
            }
        }
        if steps.isEmpty { return nil }
        return TableRows(count: steps.count, columns: [.integers(steps)] + values.map { .numbers($0) })
    }
}

/// A row for each measurement, with all that is known of it: one series after the other.
final class MeasurementTable: TableSource {
    let columns = [
        TableColumn(name: "series", kind: .text), TableColumn(name: "step", kind: .integer),
        TableColumn(name: "value", kind: .number), TableColumn(name: "stderr", kind: .number, isOptional: true),
        TableColumn(name: "samples", kind: .integer, isOptional: true),
        TableColumn(name: "products", kind: .integer, isOptional: true),
        TableColumn(name: "residual", kind: .number, isOptional: true),
        TableColumn(name: "seconds", kind: .number, isOptional: true),
        TableColumn(name: "operations", kind: .number, isOptional: true),
        TableColumn(name: "low", kind: .number, isOptional: true),
        TableColumn(name: "high", kind: .number, isOptional: true),
    ]
    private let reader: RunFileReader
    private var names: ArraySlice<ExportedName>
    private var cursor: SeriesCursor?

    init(_ reader: RunFileReader, _ names: [ExportedName]) {
        (self.reader, self.names) = (reader, names[...])
    }

    func next() throws -> TableRows? {
        var measured: [Measurement] = []
        while let name = names.first {
            let cursor = try self.cursor ?? SeriesCursor(reader, name.series)
            self.cursor = cursor
            while measured.count < rowsOfPiece, let measurement = cursor.current {
                measured.append(measurement)
                try cursor.advance()
            }
            if cursor.current == nil {
                names.removeFirst()
                self.cursor = nil
            }
            if !measured.isEmpty { return rows(measured, of: name.written) }
        }
        return nil
    }

    private func rows(_ measured: [Measurement], of name: String) -> TableRows {
        TableRows(
            count: measured.count,
            columns: [
                .texts(measured.map { _ in name }), .integers(measured.map(\.step)), .numbers(measured.map(\.value)),
                .numbers(measured.map(\.standardError)), .integers(measured.map(\.samples)),
                .integers(measured.map(\.products)), .numbers(measured.map(\.residual)),
                .numbers(measured.map(\.seconds)), .numbers(measured.map(\.operations)),
                .numbers(measured.map(\.interval?.lowerBound)), .numbers(measured.map(\.interval?.upperBound)),
            ])
    }
}

/// A series, and what it is called in what is written.
struct ExportedName {
    let series: String
    let written: String

    /// Names of series as they are, but for control characters, which are spelled out; no two of them the same, and none that is
    /// taken.
    static func list(_ series: [String], taken: Set<String> = []) -> [ExportedName] {
        var taken = taken
        return series.map { name in
            let plain = name.printable
            var written = plain
            var number = 2
            while !taken.insert(written).inserted {
                written = "\(plain)-\(number)"
                number += 1
            }
            return ExportedName(series: name, written: written)
        }
    }
}
