extension GnuplotScript {
    /// Colours from dark to light, whose lightness grows with the value, so that they are read without colour too.
    private static let lightness = ["#2B1650", "#3B4C8C", "#23808C", "#4DB37A", "#C9D95B", "#FCF3B0"]

    /// The parts of the plot command that draw a surface: its colours, where the terminal has some, and lines of equal value.
    mutating func elements(_ surface: Surface) -> [String] {
        guard let (low, high) = surface.range else { return [] }
        var parts: [String] = []
        // A single value has a range about it; what is not a number shows the ground.
        let flat = !(high > low)
        let (first, last) =
            !flat
            ? (low, high)
            : surface.scale == .log
                ? (low / 2, high * 2) : (low - max(abs(low), 1) / 2, high + max(abs(high), 1) / 2)
        let stops = Self.lightness.enumerated().map { "\($0.offset) '\($0.element)'" }.joined(separator: ", ")
        emit("set palette defined (\(stops))")
        // The colours of the box are filled as areas are.
        emit("set style fill solid 1 noborder")
        emit(surface.scale == .log ? "set logscale cb 10" : "unset logscale cb")
        emit("set format cb '%g'")
        emit("set cbrange [\(GnuplotText.number(first)):\(GnuplotText.number(last))]")
        emit(
            "set object 1 rectangle from graph 0, graph 0 to graph 1, graph 1 behind fc rgb '#D8D8D8' fs solid noborder"
        )
        let rows = surface.y.indices.map { j in
            surface.x.indices.map { i -> [Double] in
                let value = surface.values[i + surface.x.count * j]
                return [surface.x[i], surface.y[j], Curve.canBeDrawn(value, surface.scale) ? value : .nan]
            }
        }
        // Viewers of svg blur a picture in it that is made larger; elsewhere cells that are drawn one by one leave seams.
        parts.append("\(addBlock(rows)) using 1:2:3 with image\(isVector ? " pixels" : "")")
        let pieces = surface.contours()
        if !pieces.isEmpty {
            let lines = addBlock(pieces.map { $0.map { [$0.x, $0.y] } })
            parts.append("\(lines) using 1:2 with lines lt 1 lw 0.6 lc rgb '#80000000'")
        }
        return parts
    }
}
