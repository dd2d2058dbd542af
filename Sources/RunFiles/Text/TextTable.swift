/// A table as people read it: columns that are aligned, cut to a width where there is one.
package struct TextTable {
    package struct Column {
        package enum Alignment { case left, right }

        var title: String
        var alignment: Alignment
        /// To how many characters it may be cut; nil where it may not.
        var leastWidth: Int?
        /// Whether it may be left out where there is no room.
        var isOptional: Bool

        package init(_ title: String, _ alignment: Alignment = .right, least: Int? = nil, isOptional: Bool = false) {
            (self.title, self.alignment) = (title, alignment)
            (leastWidth, self.isOptional) = (least, isOptional)
        }
    }

    package var columns: [Column]
    /// Each has a cell for each column, or fewer, of which the last one takes all the room that is left.
    package private(set) var rows: [[String]] = []
    /// Between two columns.
    private static let gap = 2

    package init(_ columns: [Column]) { self.columns = columns }

    package mutating func add(_ cells: [String]) {
        precondition((1...columns.count).contains(cells.count), "a row has no more cells than there are columns")
        rows.append(cells)
    }

    /// The title and the rows.
    /// - Parameters:
    ///   - width: of the longest line; nil for any. Columns that are optional are left out, the last ones first, and others cut, until
    ///     they fit; where even that does not do, lines are longer.
    ///   - styled: makes of a cell with its spaces what is written, by its row (nil for the title) and its column.
    package func lines(
        width limit: Int? = nil, hasTitle: Bool = true, styled: (String, Int?, Int) -> String = { cell, _, _ in cell }
    ) -> [String] {
        let (kept, widths) = fitting(limit)
        func line(_ cells: [String], _ row: Int?) -> String {
            var line = ""
            for (place, (column, width)) in zip(kept, widths).enumerated() where column < cells.count {
                if cells.count < columns.count, column == cells.count - 1 {
                    let room = max(width, (limit ?? .max) - line.count - Self.gap)
                    line += (place == 0 ? "" : String(repeating: " ", count: Self.gap))
                    line += styled(cells[column].cut(to: room), row, column)
                    break
                }
                let cell = cells[column].cut(to: width)
                let space = String(repeating: " ", count: width - cell.count)
                let isLast = place == kept.count - 1
                let text =
                    columns[column].alignment == .right ? space + cell : isLast ? cell : cell + space
                line += (place == 0 ? "" : String(repeating: " ", count: Self.gap)) + styled(text, row, column)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
        return (hasTitle ? [line(columns.map(\.title), nil)] : []) + rows.enumerated().map { line($1, $0) }
    }

    /// Whether all of it has room.
    package func fits(_ width: Int?) -> Bool {
        guard let width else { return true }
        return Self.total(naturalWidths) <= width
    }

    private var naturalWidths: [Int] {
        columns.indices.map { column in
            rows.reduce(columns[column].title.count) { widest, cells in
                let isItsOwn = column < cells.count - (cells.count < columns.count ? 1 : 0)
                return isItsOwn ? max(widest, cells[column].count) : widest
            }
        }
    }

    private static func total(_ widths: some Collection<Int>) -> Int {
        widths.reduce(0, +) + gap * max(0, widths.count - 1)
    }

    private func fitting(_ width: Int?) -> (kept: [Int], widths: [Int]) {
        var kept = Array(columns.indices)
        let natural = naturalWidths
        guard let width else { return (kept, natural) }
        func least(_ column: Int) -> Int { min(columns[column].leastWidth ?? .max, natural[column]) }
        while Self.total(kept.map(least)) > width, let last = kept.last(where: { columns[$0].isOptional }) {
            kept.removeAll { $0 == last }
        }
        var widths = kept.map { natural[$0] }
        while Self.total(widths) > width {
            // The widest of those that may still be cut.
            guard let place = kept.indices.filter({ widths[$0] > least(kept[$0]) }).max(by: { widths[$0] < widths[$1] })
            else { break }
            widths[place] -= min(Self.total(widths) - width, widths[place] - least(kept[place]))
        }
        return (kept, widths)
    }
}
