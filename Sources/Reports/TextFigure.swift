import Foundation

/// A figure in characters: the panels one below the other, each with its title and its legend above it.
struct TextFigure {
    private let figure: Figure
    private let columns: Int
    private let rows: Int
    private let colour: Bool

    init(_ figure: Figure, columns: Int, rows: Int, colour: Bool) throws(ReportError) {
        try figure.check()
        (self.figure, self.columns, self.rows, self.colour) = (figure, max(30, columns), max(8, rows), colour)
    }

    /// gnuplot's characters for lines.
    private static let lines = ["*", "#", "$", "%", "@", "&", "="]

    func drawn(timeout: Double) throws(ReportError) -> Data {
        var lines = wrapped(figure.title)
        var notes = figure.notes
        for panel in figure.panels {
            // Two points for each character, which is as much as a block of dots shows.
            let content = try PanelContent(panel, columns: 2 * columns, rows: 4 * rows)
            lines += wrapped([panel.title, panel.yLabel].filter { !$0.isEmpty }.joined(separator: ": "))
            lines += legend(content)
            let drawn = try Gnuplot.run(script(content), timeout: timeout)
            let page = String(decoding: drawn, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            let signs = colour ? signs(content) : [:]
            lines += page.map { $0.filter { $0 != "\u{C}" } }.map(Self.trimmed).filter { !$0.isEmpty }
                .map { Self.coloured($0, signs) }
            for mark in panel.marks where !mark.name.isEmpty {
                notes.append("\(mark.name) at \(PanelNotes.digits(mark.x))")
            }
            for note in content.notes where !notes.contains(note) { notes.append(note) }
        }
        if notes.count > 8 { notes = notes.prefix(7) + ["… and \(notes.count - 7) more"] }
        lines += notes.flatMap(wrapped)
        return Data((lines.joined(separator: "\n") + "\n").utf8)
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }

    private func wrapped(_ text: String) -> [String] {
        let clean = GnuplotText.cleaned(text)
        var lines: [String] = []
        for word in clean.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= columns {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word.prefix(columns)))
            }
        }
        return lines
    }

    // MARK: - Legend

    /// Names with the characters they are drawn in, in as many lines as they need.
    private func legend(_ content: PanelContent) -> [String] {
        let pens = SeriesPens(content)
        let colours = (pens.series + pens.references + pens.verticals).map(\.colour)
        var (lines, widths) = ([String](), [Int]())
        for (index, entry) in pens.legend.enumerated() where !entry.name.isEmpty {
            let isDots = entry.sample.dashes == nil
            let sign = Self.lines[index % Self.lines.count]
            let sample = isDots ? sign : String(repeating: sign, count: 3)
            let name = String(GnuplotText.cleaned(entry.name).prefix(columns - 5))
            let width = sample.count + 1 + name.count
            let shown = colour ? "\(Self.escape(colours[index]))\(sample)\u{1B}[0m \(name)" : "\(sample) \(name)"
            if let last = lines.last, let used = widths.last, used + 3 + width <= columns {
                (lines[lines.count - 1], widths[widths.count - 1]) = (last + "   " + shown, used + 3 + width)
            } else {
                lines.append(shown)
                widths.append(width)
            }
        }
        return lines
    }

    /// The escape sequence of each character that stands for a line: gnuplot's own colours come with one character for all lines.
    private func signs(_ content: PanelContent) -> [Character: String] {
        let pens = SeriesPens(content)
        let colours = (pens.series + pens.references + pens.verticals).map(\.colour)
        return Dictionary(
            zip(Self.lines.map(Character.init), colours.prefix(Self.lines.count).map(Self.escape)),
            uniquingKeysWith: { a, _ in a })
    }

    /// What is drawn between the borders, in its colours.
    private static func coloured(_ line: String, _ signs: [Character: String]) -> String {
        guard !signs.isEmpty, let left = line.firstIndex(of: "|"), let right = line.lastIndex(of: "|"), left < right
        else {
            return line
        }
        var (shown, current) = (String(line[..<left]), "")
        for character in line[left..<right] {
            let escape = signs[character] ?? ""
            if escape != current { shown += escape.isEmpty ? "\u{1B}[0m" : escape }
            current = escape
            shown.append(character)
        }
        return shown + (current.isEmpty ? "" : "\u{1B}[0m") + line[right...]
    }

    /// One of 256 colours.
    private static func escape(_ colour: String) -> String {
        let number = Int(colour.dropFirst(), radix: 16) ?? 0
        let parts = [number >> 16 & 0xFF, number >> 8 & 0xFF, number & 0xFF].map { ($0 * 5 + 127) / 255 }
        return "\u{1B}[38;5;\(16 + 36 * parts[0] + 6 * parts[1] + parts[2])m"
    }

    // MARK: - Axes

    private func script(_ content: PanelContent) -> String {
        let panel = content.panel
        var script = GnuplotLines()
        script.emit("set terminal dumb size \(columns - 1),\(rows) noenhanced mono")
        script.emit("set encoding utf8")
        script.emit("unset key")
        script.emit("set clip two")
        let x = Tics(content.xRange, length: Double(columns - 12)) { Double(Tics.raised($0).count) + 3 }
        let y = Tics(content.yRange, length: Double(rows - 4)) { _ in 2 }
        let commands =
            x.commands("x", content.xRange.scale, enhanced: false)
            + y.commands("y", content.yRange.scale, enhanced: false)
        for command in commands { script.emit(command) }
        script.emit("set xrange \(content.xRange.text)")
        script.emit("set yrange \(content.yRange.text)")
        script.emit("set tmargin 0")
        if !panel.xLabel.isEmpty {
            script.emit("set xlabel \(GnuplotText.quoted(String(panel.xLabel.prefix(columns - 12))))")
        }
        if content.isEmpty { script.emit("set label 'no values to show' at graph 0.5, graph 0.5 center") }
        script.emit("plot " + parts(content, &script).joined(separator: ", "))
        return script.text
    }

    private func parts(_ content: PanelContent, _ script: inout GnuplotLines) -> [String] {
        let panel = content.panel
        var parts: [String] = []
        func pen(_ index: Int) -> String { "lt \(index % Self.lines.count + 1)" }
        if let pieces = panel.surface?.contours(), !pieces.isEmpty {
            let lines = script.addBlock(pieces.map { $0.map { [$0.x, $0.y] } })
            parts.append("\(lines) using 1:2 with lines lt 0 notitle")
        }
        // What is told apart by characters only lies above what it is compared with.
        for (index, steps) in content.staircases.enumerated() where !steps.isEmpty {
            let number = panel.series.count + index
            let own = pen(number)
            let block = script.addBlock([steps.map { [$0.x, $0.y, $0.upper] }])
            if steps.contains(where: { $0.y != $0.upper }) {
                parts.append("\(block) using 1:3 with lines \(own) notitle")
            }
            parts.append("\(block) using 1:2 with lines \(own) notitle")
        }
        for (index, vertical) in content.verticals.enumerated() {
            let number = panel.series.count + panel.references.count + index
            let block = script.addBlock([[content.yRange.low, content.yRange.high].map { [vertical.x, $0] }])
            parts.append("\(block) using 1:2 with lines \(pen(number)) notitle")
        }
        for (index, (series, curve)) in zip(panel.series, content.curves).enumerated() where !curve.isEmpty {
            let block = script.addBlock(curve.runs.map { $0.map { [$0.x, $0.y] } })
            let own = pen(index)
            let dot = "'\(Self.lines[index % Self.lines.count])'"
            if series.style == .line || series.style == .path {
                parts.append("\(block) using 1:2 with lines \(own) notitle")
            }
            parts.append("\(block) using 1:2 with points \(own) pt \(dot) notitle")
        }
        for clipped in content.clipped + content.clippedReferences where !clipped.isEmpty {
            for isAbove in [true, false] {
                let own = clipped.filter { $0.isAbove == isAbove }
                if own.isEmpty { continue }
                let border = content.yRange.value(at: isAbove ? 1 : 0)
                let block = script.addBlock([own.map { [$0.x, border] }])
                parts.append("\(block) using 1:2 with points pt '\(isAbove ? "^" : "v")' notitle")
            }
        }
        return parts.isEmpty ? ["NaN notitle"] : parts
    }
}

/// Commands and data blocks, one after the other.
struct GnuplotLines {
    private(set) var text = ""
    private var blocks = 0

    mutating func emit(_ line: String) { text += line + "\n" }

    /// Writes a data block: runs are parted by empty lines, so that lines break there.
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
}
