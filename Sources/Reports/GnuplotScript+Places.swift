extension GnuplotScript {
    /// Margins, titles, labels and legend, each at its pixel.
    mutating func place(_ panel: PanelLayout, _ layout: FigureLayout, number: Int) {
        let unit = layout.fontSize
        let content = panel.content.panel
        emit("unset key")
        emit("set lmargin at screen \(layout.screenX(panel.left))")
        emit("set rmargin at screen \(layout.screenX(panel.right))")
        emit("set tmargin at screen \(layout.screenY(panel.top))")
        emit("set bmargin at screen \(layout.screenY(panel.bottom))")
        let middle = (panel.top + panel.bottom) / 2
        let axes = (width: panel.right - panel.left, height: panel.bottom - panel.top)
        if let surface = content.surface {
            let origin = layout.screen(panel.right + 1.2 * unit, panel.bottom)
            let size = "\(layout.screenX(1.1 * unit)), screen \(1 - layout.screenY(axes.height))"
            emit("set colorbox user origin \(origin) size screen \(size)")
            let text = Legend.cut(surface.label, to: axes.height, fontSize: unit)
            label(text, layout.screen(panel.right + 7.6 * unit, middle), "center rotate by 90")
        }
        if number == 0 { head(layout, left: panel.left) }
        label(
            Legend.cut(content.title, to: axes.width, fontSize: 1.08 * unit),
            layout.screen(panel.left, panel.titleTop + 0.95 * unit), "left font ',\(1.08 * unit)'")
        label(
            Legend.cut(content.xLabel, to: axes.width, fontSize: unit),
            layout.screen((panel.left + panel.right) / 2, panel.bottom + 2.85 * unit), "center")
        label(
            Legend.cut(content.yLabel, to: axes.height, fontSize: unit), layout.screen(panel.labelPlace, middle),
            "center rotate by 90")
        for change in panel.changes {
            let place = layout.screen(change.left, panel.top - (0.6 + 1.15 * Double(change.row)) * unit)
            let ink = change.colour.map(SeriesPens.colour) ?? Self.faint
            label(change.name, place, "left font ',\(0.85 * unit)'", ink: ink)
        }
        for entry in panel.legend.entries { draw(entry, panel, layout) }
    }

    private static let faint = "#666666"

    /// The figure's title, and the sentences at its foot.
    private mutating func head(_ layout: FigureLayout, left: Double) {
        let unit = layout.fontSize
        label(layout.title, layout.screen(left, 1.7 * unit), "left font ',\(1.23 * unit)'")
        for (line, note) in layout.notes.reversed().enumerated() {
            let y = layout.height - (Double(line) * FigureLayout.noteHeight + 0.9) * unit
            label(note, layout.screen(unit, y), "left font ',\(0.85 * unit)'", ink: Self.faint)
        }
    }

    private mutating func label(_ text: String, _ place: String, _ how: String, ink: String = Self.ink) {
        guard !text.isEmpty else { return }
        emit("set label \(GnuplotText.quoted(text)) at \(place) \(how) noenhanced textcolor rgb '\(ink)'")
    }

    private mutating func draw(_ entry: Legend.Entry, _ panel: PanelLayout, _ layout: FigureLayout) {
        let unit = layout.fontSize
        let x = panel.left + entry.x
        let y = panel.legendTop + (Double(entry.row) * Legend.rowHeight + 0.77) * unit
        let width = Legend.sampleWidth * unit
        if let dashes = entry.sample.dashes {
            let pen = "nohead lt 1 lc rgb '\(entry.colour)' lw \(entry.sample.isThin ? 1.2 : 1.8)"
            let pattern = dashes == 1 ? "" : " dt \(dashes)"
            emit("set arrow from \(layout.screen(x, y)) to \(layout.screen(x + width, y)) \(pen)\(pattern)")
        }
        if let point = entry.sample.point {
            emit("set label '' at \(layout.screen(x + width / 2, y)) point pt \(point) ps 0.6 lc rgb '\(entry.colour)'")
        }
        label(entry.name, layout.screen(x + width + 0.54 * unit, y), "left")
    }
}

extension FigureLayout {
    /// gnuplot's measure of a page, from 0 at the left and at the bottom to 1.
    func screenX(_ pixel: Double) -> Double { pixel / width }
    func screenY(_ pixel: Double) -> Double { 1 - pixel / height }
    func screen(_ x: Double, _ y: Double) -> String { "screen \(screenX(x)), screen \(screenY(y))" }
}
