/// The gnuplot script of a figure. Data go in as data blocks; the figure goes to standard output.
struct GnuplotScript {
    private(set) var text = ""
    private let figure: Figure
    private let format: FigureFormat
    private var blocks = 0

    /// Okabe & Ito's colours, which people with colour-blindness can tell apart, without the yellow that is lost on white.
    static let palette = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F4FA0", "#8C6D31"]
    private static let ink = "#333333"
    private static let referenceInk = "#222222"
    private static let gridInk = "#E4E4E4"

    /// In pixels of the svg.
    private static let fontSize = 13

    var isText: Bool {
        if case .text = format { return true }
        return false
    }

    var isVector: Bool {
        if case .svg = format { return true }
        return false
    }

    init(_ figure: Figure, _ format: FigureFormat) throws(ReportError) {
        (self.figure, self.format) = (figure, format)
        guard !figure.panels.isEmpty, figure.columns > 0 else { throw ReportError("a figure needs at least one panel") }
        let (width, height) = figure.pixels
        guard (100...10_000).contains(width), (100...10_000).contains(height) else {
            throw ReportError("a figure of \(width)×\(height) pixels cannot be drawn: each side has 100 to 10,000")
        }
        let content = try figure.panels.map { panel throws(ReportError) in try PanelContent(panel) }
        guard content.contains(where: { !$0.isEmpty }) else {
            let names = figure.panels.flatMap(\.series).map { "'\($0.name)'" }.joined(separator: ", ")
            throw ReportError(
                names.isEmpty
                    ? "there is nothing to draw: the figure has no series"
                    : "there is nothing to draw: \(names): no values in range that are finite and at most 1e250 in size"
            )
        }
        emit(terminal())
        emit("set encoding utf8")
        emit("set multiplot")
        for (number, panel) in content.enumerated() { draw(panel, number: number) }
        emit("unset multiplot")
    }

    mutating func emit(_ line: String) { text += line + "\n" }

    private func terminal() -> String {
        let (width, height) = figure.pixels
        switch format {
        case .svg:
            return
                "set terminal svg size \(width),\(height) dynamic font 'Helvetica,\(Self.fontSize)' background '#ffffff'"
        case .png:  // twice as fine
            return
                "set terminal pngcairo size \(2 * width),\(2 * height) font 'Helvetica,\(Self.fontSize)' fontscale 1.5 linewidth 2 pointscale 2"
        case .pdf:  // a pixel is 1/96 inch, a point 1/72
            return
                "set terminal pdfcairo size \(Double(width) / 96)in,\(Double(height) / 96)in font 'Helvetica,\(Self.fontSize)' fontscale 0.57 linewidth 0.8"
        case .text(let columns, let rows):
            return "set terminal dumb size \(max(40, columns) - 1),\(max(10, rows)) noenhanced"
        }
    }

    // MARK: - A panel

    private mutating func draw(_ content: PanelContent, number: Int) {
        let panel = content.panel
        emit("reset")
        emit("set encoding utf8")
        if isText { placeText(panel, number: number) } else { place(content, number: number) }
        style()
        let (x, y) = (content.xRange, content.yRange)
        for command in x.tics("x", enhanced: !isText) + y.tics("y", enhanced: !isText) { emit(command) }
        emit("set xrange \(x.text)")
        emit("set yrange \(y.text)")
        for mark in panel.marks where mark.isFinite && mark >= x.low && mark <= x.high {
            let at = GnuplotText.number(mark)
            emit("set arrow from first \(at), graph 0 to first \(at), graph 1 nohead lw 0.8 lc rgb '#AAAAAA' back")
        }
        if content.isEmpty { emit("set label 2 'no values to show' at graph 0.5, graph 0.5 center") }
        var parts: [String] = panel.surface.map { elements($0) } ?? []
        for (index, (series, curve)) in zip(panel.series, content.curves).enumerated() {
            parts += elements(series, curve, index: series.colour ?? index)
        }
        for (index, (reference, steps)) in zip(panel.references, content.staircases).enumerated() where !steps.isEmpty {
            let block = addBlock([steps.map { [$0.x, $0.y, $0.upper] }])
            let pen = "lt \(panel.series.count + index + 1) lw 1.2 dt \(dashes(index)) lc rgb '\(Self.referenceInk)'"
            if steps.contains(where: { $0.y != $0.upper }) {
                if !isText {
                    parts.append(
                        "\(block) using 1:2:3 with filledcurves lc rgb '\(Self.referenceInk)' fs transparent solid 0.08 notitle"
                    )
                }
                parts.append("\(block) using 1:3 with lines \(pen) notitle")
            }
            parts.append("\(block) using 1:2 with lines \(pen) \(title(reference.name))")
        }
        for (index, vertical) in content.verticals.enumerated() {
            let block = addBlock([[y.low, y.high].map { [vertical.x, $0] }])
            let number = panel.references.count + index
            let pen = "lt \(panel.series.count + number + 1) lw 1.2 dt \(dashes(number)) lc rgb '\(Self.referenceInk)'"
            parts.append("\(block) using 1:2 with lines \(pen) \(title(vertical.name))")
        }
        emit("plot " + (parts.isEmpty ? "NaN notitle" : parts.joined(separator: ", \\\n  ")))
    }

    private func colour(_ index: Int) -> String {
        let count = Self.palette.count
        return Self.palette[((index % count) + count) % count]
    }

    private func dashes(_ index: Int) -> Int { [2, 4, 3, 5][index % 4] }

    /// A few points get a dot each.
    private func isSparse(_ curve: Curve) -> Bool { curve.points.count <= 40 }

    private func name(of series: PlottedSeries, _ curve: Curve) -> String {
        series.name.isEmpty || !curve.isEmpty ? series.name : series.name + " (no values)"
    }

    /// For the text terminal's key; the other formats have a ``Legend``.
    private func title(_ name: String) -> String {
        name.isEmpty || !isText ? "notitle" : "title \(GnuplotText.quoted(name))"
    }

    private mutating func style() {
        guard !isText else { return }
        emit("set border 3 lw 0.8 lc rgb '\(Self.ink)'")
        emit("set tics nomirror out scale 0.6,0.3 textcolor rgb '\(Self.ink)'")
        emit("set grid back lt 1 lw 0.6 lc rgb '\(Self.gridInk)'")
        emit("set style fill transparent solid 0.2 noborder")
    }

    /// The parts of the plot command that draw a series.
    private mutating func elements(_ series: PlottedSeries, _ curve: Curve, index: Int) -> [String] {
        let pen = "lt \(index + 1) lc rgb '\(colour(index))'"
        guard !curve.isEmpty else { return ["NaN with lines \(pen) \(title(name(of: series, curve)))"] }
        var parts: [String] = []
        let block = addBlock(curve.runs.map { $0.map { [$0.x, $0.y, $0.low, $0.high] } })
        switch series.style {
        case .points:
            // Plain strokes: gnuplot's own error bars leave a white ring about the point.
            if curve.hasErrors {
                parts.append("\(block) using 1:3:(0):($4-$3) with vectors nohead \(pen) lw 0.8 notitle")
            }
            parts.append("\(block) using 1:2 with points \(pen) pt 7 ps 0.5 \(title(series.name))")
        case .path:
            // On a dark line and a light one, so that it is seen on every colour.
            if !isText {
                parts.append("\(block) using 1:2 with lines lt 1 lc rgb '#FFFFFF' lw 3.5 notitle")
                parts.append("\(block) using 1:2 with points lt 1 lc rgb '#FFFFFF' pt 7 ps 0.7 notitle")
            }
            parts.append("\(block) using 1:2 with linespoints \(pen) lw 1.5 pt 7 ps 0.45 \(title(series.name))")
        case .stems:
            if !isText { parts.append("\(block) using 1:2 with impulses \(pen) lw 1.2 notitle") }
            parts.append("\(block) using 1:2 with points \(pen) pt 7 ps 0.5 \(title(series.name))")
        case .line:
            if curve.hasErrors && !isText { parts.append("\(block) using 1:3:4 with filledcurves \(pen) notitle") }
            if isSparse(curve) {
                parts.append("\(block) using 1:2 with linespoints \(pen) lw 1.5 pt 7 ps 0.4 \(title(series.name))")
                break
            }
            parts.append("\(block) using 1:2 with lines \(pen) lw 1.5 \(title(series.name))")
            // A run of one point, which as a line would not be seen.
            let lonely = curve.runs.filter { $0.count == 1 }
            if !lonely.isEmpty {
                let dots = addBlock(lonely.map { $0.map { [$0.x, $0.y] } })
                parts.append("\(dots) using 1:2 with points \(pen) pt 7 ps 0.4 notitle")
            }
        }
        return parts
    }

    /// Writes a data block before the plot command: runs are parted by empty lines, so that lines break there.
    mutating func addBlock(_ runs: [[[Double]]]) -> String {
        let name = "$d\(blocks)"
        blocks += 1
        emit("\(name) << EOD")
        for (number, run) in runs.enumerated() {
            if number > 0 { emit("") }
            for row in run { emit(row.map(GnuplotText.number).joined(separator: " ")) }
        }
        emit("EOD")
        return name
    }

    // MARK: - Places

    private mutating func placeText(_ panel: Panel, number: Int) {
        let (columns, rows) = (Double(figure.columns), Double(figure.rows))
        let (column, row) = (Double(number % figure.columns), Double(number / figure.columns))
        emit("set size \(1 / columns),\(1 / rows)")
        emit("set origin \(column / columns),\(1 - (row + 1) / rows)")
        let titles = [number == 0 ? figure.title : "", panel.title].filter { !$0.isEmpty }
        if !titles.isEmpty { emit("set title \(GnuplotText.quoted(titles.joined(separator: ": ")))") }
        if !panel.xLabel.isEmpty { emit("set xlabel \(GnuplotText.quoted(panel.xLabel))") }
        if !panel.yLabel.isEmpty { emit("set ylabel \(GnuplotText.quoted(panel.yLabel))") }
        emit("set key bmargin left horizontal Left reverse samplen 3")
    }

    /// Margins, titles, labels and legend, each at its pixel: panels are aligned, and the legend above the axes hides nothing.
    private mutating func place(_ content: PanelContent, number: Int) {
        let (width, height) = figure.pixels
        let panel = content.panel
        let header = figure.title.isEmpty ? 8 : 40
        let cell = (width: width / figure.columns, height: (height - header) / figure.rows)
        let (column, row) = (number % figure.columns, number / figure.columns)
        let top = header + row * cell.height
        let titleHeight = panel.title.isEmpty ? 0 : 25
        // Beside a surface stands what its colours mean.
        let colours = panel.surface == nil ? 0 : 92
        let (left, right) = (column * cell.width + 74, (column + 1) * cell.width - 26 - colours)
        let legend = Legend(legendEntries(content), width: right - left, fontSize: Self.fontSize)
        let axesTop = top + titleHeight + legend.rows * Legend.rowHeight + 10
        let axesBottom = max(axesTop + 20, top + cell.height - (panel.xLabel.isEmpty ? 40 : 60))

        func screenX(_ pixel: Int) -> Double { Double(pixel) / Double(width) }
        func screenY(_ pixel: Int) -> Double { 1 - Double(pixel) / Double(height) }
        func at(_ x: Int, _ y: Int) -> String { "screen \(screenX(x)), screen \(screenY(y))" }
        func label(_ text: String, _ x: Int, _ y: Int, _ how: String) {
            guard !text.isEmpty else { return }
            emit("set label \(GnuplotText.quoted(text)) at \(at(x, y)) \(how) noenhanced textcolor rgb '\(Self.ink)'")
        }
        emit("unset key")
        emit("set lmargin at screen \(screenX(left))")
        emit("set rmargin at screen \(screenX(right))")
        emit("set tmargin at screen \(screenY(axesTop))")
        emit("set bmargin at screen \(screenY(axesBottom))")
        if panel.surface != nil {
            emit(
                "set colorbox user origin screen \(screenX(right + 16)), screen \(screenY(axesBottom)) size screen \(screenX(14)), screen \(1 - screenY(axesBottom - axesTop))"
            )
            label(panel.surface?.label ?? "", right + colours + 6, (axesTop + axesBottom) / 2, "center rotate by 90")
        }
        if number == 0 { label(figure.title, left, 22, "left font ',16'") }
        label(panel.title, left, top + 12, "left font ',14'")
        label(panel.xLabel, (left + right) / 2, axesBottom + 46, "center")
        label(panel.yLabel, column * cell.width + 18, (axesTop + axesBottom) / 2, "center rotate by 90")
        for entry in legend.entries {
            let (x, y) = (left + entry.x, top + titleHeight + entry.row * Legend.rowHeight + 10)
            let middle = x + Legend.sampleWidth / 2
            let stroke = "nohead lt 1 lc rgb '\(entry.colour)'"
            switch entry.sample {
            case .line, .lineWithDots:
                emit("set arrow from \(at(x, y)) to \(at(x + Legend.sampleWidth, y)) \(stroke) lw 1.8")
            case .dashes(let pattern):
                emit("set arrow from \(at(x, y)) to \(at(x + Legend.sampleWidth, y)) \(stroke) lw 1.2 dt \(pattern)")
            case .dots: break
            }
            switch entry.sample {
            case .dots, .lineWithDots:
                emit("set label '' at \(at(middle, y)) point pt 7 ps 0.5 lc rgb '\(entry.colour)'")
            default: break
            }
            label(entry.name, x + Legend.sampleWidth + 7, y, "left")
        }
    }

    private func legendEntries(_ content: PanelContent) -> [Legend.Entry] {
        let panel = content.panel
        let series = zip(panel.series, content.curves).enumerated().map { index, pair in
            let (series, curve) = pair
            let sample: Legend.Sample =
                switch series.style {
                case .points, .stems: .dots
                case .path: .lineWithDots
                case .line: isSparse(curve) ? .lineWithDots : .line
                }
            return Legend.Entry(name: name(of: series, curve), colour: colour(series.colour ?? index), sample: sample)
        }
        let names = panel.references.map(\.name) + content.verticals.map(\.name)
        let references = names.enumerated().map { index, name in
            Legend.Entry(name: name, colour: Self.referenceInk, sample: .dashes(dashes(index)))
        }
        return series + references
    }
}
