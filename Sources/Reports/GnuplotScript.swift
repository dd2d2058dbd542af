/// The gnuplot script of a figure. Data go in as data blocks; the figure goes to standard output.
struct GnuplotScript {
    private var lines = GnuplotLines()
    let figure: Figure
    let format: FigureFormat
    var text: String { lines.text }

    static let ink = "#333333"
    static let gridInk = "#E4E4E4"

    var isVector: Bool {
        if case .svg = format { return true }
        return false
    }

    init(_ figure: Figure, _ format: FigureFormat) throws(ReportError) {
        (self.figure, self.format) = (figure, format)
        try figure.check()
        let layout = try FigureLayout(figure) { SeriesPens($0).legend }
        emit(terminal(layout))
        emit("set encoding utf8")
        emit("set multiplot")
        for (number, panel) in layout.panels.enumerated() {
            emit("reset")
            emit("set encoding utf8")
            place(panel, layout, number: number)
            draw(panel)
        }
        emit("unset multiplot")
    }

    mutating func emit(_ line: String) { lines.emit(line) }

    private func terminal(_ layout: FigureLayout) -> String {
        let (width, height) = (Int(layout.width), Int(layout.height))
        let size = figure.fontSize
        switch format {
        case .svg:
            return "set terminal svg size \(width),\(height) dynamic font 'Helvetica,\(size)' background '#ffffff'"
        case .png:  // twice as fine
            return
                "set terminal pngcairo size \(2 * width),\(2 * height) font 'Helvetica,\(size)' fontscale 1.5 linewidth 2 pointscale 2"
        case .pdf:  // a pixel is 1/96 inch, a point 1/72
            return
                "set terminal pdfcairo size \(Double(width) / 96)in,\(Double(height) / 96)in font 'Helvetica,\(size)' fontscale 0.57 linewidth 0.8"
        case .sixel, .text:
            return "set terminal sixelgd size \(width),\(height) truecolor font 'sans,\(size)' fontscale 0.75"
        }
    }

    // MARK: - A panel

    private mutating func draw(_ layout: PanelLayout) {
        let content = layout.content
        let panel = content.panel
        let (x, y) = (content.xRange, content.yRange)
        emit("set border 3 lw 0.8 lc rgb '\(Self.ink)'")
        emit("set tics nomirror out scale 0.6,0.3 textcolor rgb '\(Self.ink)'")
        emit("set grid back lt 1 lw 0.6 lc rgb '\(Self.gridInk)'")
        emit("set style fill transparent solid 0.2 noborder")
        // Lines that leave the axes are drawn up to their border.
        emit("set clip two")
        for command in layout.x.commands("x", x.scale, enhanced: true) + layout.y.commands("y", y.scale, enhanced: true)
        {
            emit(command)
        }
        emit("set xrange \(x.text)")
        emit("set yrange \(y.text)")
        for mark in panel.marks where mark.x.isFinite && mark.x >= x.low && mark.x <= x.high {
            let at = GnuplotText.number(mark.x)
            let ink = mark.colour.map(SeriesPens.colour) ?? "#999999"
            emit("set arrow from first \(at), graph 0 to first \(at), graph 1 nohead lw 0.8 lc rgb '\(ink)' back")
        }
        if content.isEmpty {
            emit("set label 'no values to show' at graph 0.5, graph 0.5 center textcolor rgb '\(Self.ink)'")
        }
        let pens = SeriesPens(content)
        var parts: [String] = panel.surface.map { elements($0) } ?? []
        // Bands lie below all lines.
        for (series, curve, pen) in zip3(panel.series, content.curves, pens.series) where curve.hasErrors {
            parts += bars(series, curve, pen)
        }
        for (reference, steps, pen) in zip3(panel.references, content.staircases, pens.references) where !steps.isEmpty
        {
            parts += elements(reference, steps, pen)
        }
        for (vertical, pen) in zip(content.verticals, pens.verticals) {
            let block = addBlock([[y.low, y.high].map { [vertical.x, $0] }])
            parts.append("\(block) using 1:2 with lines \(pen.stroke)")
        }
        for (index, (series, curve, pen)) in zip3(panel.series, content.curves, pens.series).enumerated() {
            parts += elements(series, curve, pen, content, number: index)
        }
        parts += marks(content, pens)
        emit("plot " + (parts.isEmpty ? "NaN notitle" : parts.joined(separator: " notitle, \\\n  ") + " notitle"))
    }

    private mutating func bars(_ series: PlottedSeries, _ curve: Curve, _ pen: SeriesPens.Pen) -> [String] {
        let block = addBlock(curve.runs.map { $0.map { [$0.x, $0.low, $0.high] } })
        switch series.style {
        case .line: return ["\(block) using 1:2:3 with filledcurves lc rgb '\(pen.colour)'"]
        // Plain strokes: gnuplot's own error bars leave a white ring about the point.
        case .points: return ["\(block) using 1:2:(0):($3-$2) with vectors nohead lt 1 lc rgb '\(pen.colour)' lw 0.8"]
        case .stems, .path: return []
        }
    }

    private mutating func elements(
        _ reference: ReferenceLine, _ steps: [(x: Double, y: Double, upper: Double)], _ pen: SeriesPens.Pen
    ) -> [String] {
        // Steps closer than dashes are one line, through where they begin.
        let isFine = steps.count > 120
        let corners = isFine ? steps.indices.filter { $0 % 2 == 0 || $0 == steps.count - 1 }.map { steps[$0] } : steps
        let block = addBlock([corners.map { [$0.x, $0.y, $0.upper] }])
        var parts: [String] = []
        if steps.contains(where: { $0.y != $0.upper }) {
            parts.append("\(block) using 1:2:3 with filledcurves lc rgb '\(pen.colour)' fs transparent solid 0.08")
            parts.append("\(block) using 1:3 with lines \(pen.stroke)")
        }
        parts.append("\(block) using 1:2 with lines \(pen.stroke)")
        return parts
    }

    /// The parts of the plot command that draw a series.
    private mutating func elements(
        _ series: PlottedSeries, _ curve: Curve, _ pen: SeriesPens.Pen, _ content: PanelContent, number: Int
    ) -> [String] {
        guard !curve.isEmpty else { return [] }
        var parts: [String] = []
        let block = addBlock(curve.runs.map { $0.map { [$0.x, $0.y] } })
        let points = "lt 1 lc rgb '\(pen.colour)' pt \(pen.sample.point ?? 7)"
        switch series.style {
        case .points: parts.append("\(block) using 1:2 with points \(points) ps \(curve.count > 300 ? 0.25 : 0.5)")
        case .path:
            // On a dark line and a light one, so that it is seen on every colour.
            parts.append("\(block) using 1:2 with lines lt 1 lc rgb '#FFFFFF' lw 3.5")
            parts.append("\(block) using 1:2 with points lt 1 lc rgb '#FFFFFF' pt 7 ps 0.7")
            parts.append("\(block) using 1:2 with linespoints lt 1 lc rgb '\(pen.colour)' lw 1.5 pt 7 ps 0.45")
        case .stems:
            parts.append("\(block) using 1:2 with impulses lt 1 lc rgb '\(pen.colour)' lw 1.2")
            parts.append("\(block) using 1:2 with points \(points) ps 0.5")
        case .line:
            parts.append("\(block) using 1:2 with lines \(pen.stroke)")
            let dots = pens(curve, pen, content, number)
            if !dots.isEmpty {
                let marked = addBlock([dots.map { [$0.x, $0.y] }])
                parts.append("\(marked) using 1:2 with points \(points) ps \(pen.sample.point == 7 ? 0.6 : 0.75)")
            }
        }
        return parts
    }

    /// The points of a line that are drawn as such: all of a few, lonely ones, and else some, by which lines are told apart.
    private func pens(_ curve: Curve, _ pen: SeriesPens.Pen, _ content: PanelContent, _ number: Int) -> [Curve.Point] {
        if curve.count <= SeriesPens.few { return curve.points }
        let lonely = curve.runs.filter { $0.count == 1 }.flatMap { $0 }
        guard pen.sample.point != nil else { return lonely }
        // At equal distances, those of another line elsewhere.
        let most = 9.0
        var taken = Set<Int>()
        let shift = Double(number) * 0.37
        return lonely
            + curve.points.filter { point in
                let place = content.xRange.share(point.x) * most + shift
                return place - place.rounded(.down) > 0.5 && taken.insert(Int(place.rounded(.down))).inserted
            }
    }

    /// Triangles at the border, for what lies beyond it.
    private mutating func marks(_ content: PanelContent, _ pens: SeriesPens) -> [String] {
        var parts: [String] = []
        let all = zip(content.clipped + content.clippedReferences, pens.series + pens.references)
        for (clipped, pen) in all {
            for isAbove in [true, false] {
                let own = clipped.filter { $0.isAbove == isAbove }
                if own.isEmpty { continue }
                let border = content.yRange.value(at: isAbove ? 0.985 : 0.015)
                let block = addBlock([own.map { [$0.x, border] }])
                parts.append("\(block) using 1:2 with points lt 1 lc rgb '\(pen.colour)' pt \(isAbove ? 9 : 11) ps 0.9")
            }
        }
        return parts
    }

    /// Writes a data block before the plot command.
    mutating func addBlock(_ runs: [[[Double]]]) -> String { lines.addBlock(runs) }
}

func zip3<A, B, C>(_ a: [A], _ b: [B], _ c: [C]) -> [(A, B, C)] { zip(a, zip(b, c)).map { ($0, $1.0, $1.1) } }

extension Figure {
    /// - Throws: `ReportError` for a figure without anything that could be in it.
    func check() throws(ReportError) {
        guard !panels.isEmpty, columns > 0 else { throw ReportError("a figure needs at least one panel") }
        let (width, height) = pixels
        guard (100...10_000).contains(width), (100...10_000).contains(height) else {
            throw ReportError("a figure of \(width)×\(height) pixels cannot be drawn: each side has 100 to 10,000")
        }
        guard panels.contains(where: { !$0.series.isEmpty || !$0.references.isEmpty || $0.surface != nil }) else {
            throw ReportError("there is nothing to draw: the figure has no series")
        }
    }
}
