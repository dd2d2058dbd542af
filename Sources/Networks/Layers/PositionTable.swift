import Foundation
import Graph

/// Fixed encodings of positions.
enum PositionTable {
    /// - Throws: `GraphError` for a table of more than 2²⁶ numbers: half a gigabyte.
    static func check(_ places: Int, _ width: Int) throws(GraphError) {
        let (count, overflow) = places.multipliedReportingOverflow(by: width)
        if overflow || count > 1 << 26 {
            throw GraphError("a table of \(places) positions of width \(width) is larger than 2²⁶ numbers")
        }
    }

    /// `[length, width]`: sin and cos of place × 10⁴^(−2i/width) in turn.
    static func sequence(_ length: Int, width: Int) -> [Double] {
        var table: [Double] = []
        for place in 0..<length {
            for column in 0..<width {
                let angle = Double(place) * pow(10_000, -Double(column / 2 * 2) / Double(width))
                table.append(column % 2 == 0 ? sin(angle) : cos(angle))
            }
        }
        return table
    }

    /// `[rows·columns, width]`, width a multiple of 4: sin and cos of the column, then of the row, by width/4 frequencies from 1 to
    /// 10⁻⁴ (Beyer, Zhai & Kolesnikov 2022, as in SimpleViT).
    static func grid(rows: Int, columns: Int, width: Int) -> [Double] {
        let count = width / 4
        let frequencies: [Double] = (0..<count).map { pow(10_000, -Double($0) / Double(max(1, count - 1))) }
        var table: [Double] = []
        for row in 0..<rows {
            for column in 0..<columns {
                for place in [Double(column), Double(row)] {
                    table += frequencies.map { sin(place * $0) }
                    table += frequencies.map { cos(place * $0) }
                }
            }
        }
        return table
    }
}
