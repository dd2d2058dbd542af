/// Where the parts of each panel stand, in pixels from the figure's upper left corner: nothing lies on anything else, and panels are
/// aligned.
struct PanelLayout {
    /// Of the axes.
    var left = 0.0, right = 0.0, top = 0.0, bottom = 0.0
    var content: PanelContent
    var x: Tics
    var y: Tics
    var legend: Legend
    /// Where the panel's title and its legend begin, and the middle of its y axis' label stands.
    var titleTop = 0.0, legendTop = 0.0, labelPlace = 0.0
    var cellHeight = 0.0
    /// What was changed, named above the axes where there is room for the name.
    var changes: [Change]
    var changeRows: Int

    /// What a panel needs beside its axes that not every panel has.
    func extraHeight(_ unit: Double) -> Double {
        (Double(max(0, legend.rows - 1)) * Legend.rowHeight + Double(changeRows) * 1.15) * unit
            + (content.panel.title.isEmpty ? 0 : 1.9 * unit)
    }

    struct Change {
        let name: String
        let left: Double
        let row: Int
        let colour: Int?
    }

    /// Names of changes, each beginning at its place, in as few rows as keep them apart; one that no row has room for has none, and of
    /// one that has no place in the row left of the axes' end, the end is there.
    static func changes(
        _ marks: [PanelMark], _ range: AxisRange, left: Double, right: Double, fontSize: Double
    ) -> (changes: [Change], rows: Int) {
        let most = 2
        var (ends, changes) = ([Double](repeating: -.infinity, count: most), [Change]())
        for mark in marks.filter({ !$0.name.isEmpty && range.share($0.x) >= 0 && range.share($0.x) <= 1 })
            .sorted(by: { $0.x < $1.x })
        {
            let width = Legend.textWidth(mark.name, fontSize: fontSize)
            let place = min(left + range.share(mark.x) * (right - left), right - width)
            guard place >= left - 1, let row = ends.firstIndex(where: { place > $0 + fontSize }) else { continue }
            ends[row] = place + width
            changes.append(Change(name: mark.name, left: place, row: row, colour: mark.colour))
        }
        return (changes, (changes.map(\.row).max() ?? -1) + 1)
    }
}

/// The whole page.
struct FigureLayout {
    let width: Double
    let height: Double
    let fontSize: Double
    private(set) var panels: [PanelLayout] = []
    /// Sentences at the foot, in lines.
    private(set) var notes: [String] = []
    let title: String

    static let noteHeight = 1.25

    init(_ figure: Figure, entries: (PanelContent) -> [Legend.Entry]) throws(ReportError) {
        let (pixelWidth, pixelHeight) = figure.pixels
        let unit = figure.fontSize
        (width, fontSize) = (Double(pixelWidth), unit)
        title = Legend.cut(figure.title, to: Double(pixelWidth) - 4 * unit, fontSize: 1.23 * unit)
        let cellWidth = width / Double(figure.columns)
        let contents = try figure.panels.map { panel throws(ReportError) in
            try PanelContent(panel, columns: Int(max(50, cellWidth - 6 * unit)), rows: 400)
        }
        let written = Self.notes(figure, contents)
        notes = written.flatMap { Legend.lines($0, width: Double(pixelWidth) - 2 * unit, fontSize: 0.85 * unit) }
        if notes.count > 6 { notes = notes.prefix(5) + ["… and \(notes.count - 5) more lines"] }
        // The panels have the height that was asked for, and notes stand below.
        let footer = notes.isEmpty ? 0 : (Double(notes.count) * Self.noteHeight + 0.5) * unit
        let header = figure.title.isEmpty ? 0.6 * unit : 3.1 * unit
        let cellHeight = (Double(pixelHeight) - header) / Double(figure.rows)
        var top = header
        for row in 0..<figure.rows {
            let own = contents.indices.filter { $0 / figure.columns == row }
            // A legend of several rows, names of changes and titles make a row higher, not its axes lower.
            func placed(_ number: Int, _ height: Double) -> PanelLayout {
                let left = Double(number % figure.columns) * cellWidth
                return Self.place(contents[number], (left, top), (cellWidth, height), unit, entries(contents[number]))
            }
            let extra = own.map { placed($0, cellHeight).extraHeight(unit) }.max() ?? 0
            panels += own.map { placed($0, cellHeight + extra) }
            top += cellHeight + extra
        }
        height = top + footer
        // The axes of one column begin at one place, whatever their tics.
        for column in 0..<figure.columns {
            let own = panels.indices.filter { $0 % figure.columns == column }
            guard let left = own.map({ panels[$0].left }).max() else { continue }
            for i in own {
                panels[i] = Self.place(
                    contents[i], (Double(column) * cellWidth, panels[i].titleTop), (cellWidth, panels[i].cellHeight),
                    unit,
                    entries(contents[i]), left: left)
            }
        }
    }

    private static func notes(_ figure: Figure, _ contents: [PanelContent]) -> [String] {
        var notes = figure.notes
        for note in contents.flatMap(\.notes) where !notes.contains(note) { notes.append(note) }
        return notes
    }

    private static func place(
        _ content: PanelContent, _ cell: (left: Double, top: Double), _ size: (width: Double, height: Double),
        _ unit: Double, _ entries: [Legend.Entry], left given: Double? = nil
    ) -> PanelLayout {
        let panel = content.panel
        // Beside a surface stands what its colours mean.
        let colours = panel.surface == nil ? 0 : 7.1 * unit
        // Half of the last label of the x axis stands beyond its end.
        let lastLabel =
            Tics(content.xRange, length: size.width) { Self.width(of: $0, unit) + 1.4 * unit }.labels
            .map { Self.width(of: $0.text, unit) }.max() ?? 0
        let right = cell.left + size.width - max(1.7 * unit, lastLabel / 2 + 0.5 * unit) - colours
        let labelHeight = 1.15 * unit
        func yTics(_ length: Double) -> Tics {
            Tics(content.yRange, length: length) { _ in 1.7 * unit }
        }
        let ticWidth = yTics(size.height - 6 * unit).labels.map { Self.width(of: $0.text, unit) }.max() ?? unit
        let labelWidth = panel.yLabel.isEmpty ? 0 : 1.5 * unit
        let left = given ?? min(cell.left + 1.1 * unit + labelWidth + ticWidth + 0.6 * unit, right - 40)
        let legend = Legend(entries, width: right - left, fontSize: unit)
        let changes = PanelLayout.changes(panel.marks, content.xRange, left: left, right: right, fontSize: 0.85 * unit)
        let titleHeight = panel.title.isEmpty ? 0 : 1.9 * unit
        let legendTop = cell.top + titleHeight
        let changeTop = legendTop + Double(legend.rows) * Legend.rowHeight * unit
        let top = changeTop + Double(changes.rows) * 1.15 * unit + 0.75 * unit
        let bottom = max(
            top + 20, cell.top + size.height - (panel.xLabel.isEmpty ? 2.5 * unit : 3.6 * unit) - (labelHeight - unit))
        let x = Tics(content.xRange, length: right - left) { Self.width(of: $0, unit) + 1.4 * unit }
        return PanelLayout(
            left: left, right: right, top: top, bottom: bottom, content: content, x: x, y: yTics(bottom - top),
            legend: legend,
            titleTop: cell.top, legendTop: legendTop, labelPlace: cell.left + 1.3 * unit, cellHeight: size.height,
            changes: changes.changes, changeRows: changes.rows)
    }

    /// Of a label, whose raised part is smaller.
    private static func width(of label: String, _ unit: Double) -> Double {
        guard let open = label.firstIndex(of: "^") else { return Legend.textWidth(label, fontSize: unit) }
        let raised = label[open...].filter { !"^{}".contains($0) }
        return Legend.textWidth(String(label[..<open]), fontSize: unit)
            + Legend.textWidth(String(raised), fontSize: 0.8 * unit)
    }
}
