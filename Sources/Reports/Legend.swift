/// The legend above a panel's axes: samples and names, in as many rows as they need.
///
/// gnuplot's own key guesses at widths and gives every entry that of the longest; this one flows like text.
struct Legend {
    /// How a line is drawn, and its points.
    struct Sample: Equatable {
        /// gnuplot's dash type; nil for no line.
        var dashes: Int?
        var isThin = false
        /// gnuplot's point type; nil for none.
        var point: Int?
    }

    struct Entry {
        var name: String
        let colour: String
        let sample: Sample
        var x = 0.0
        var row = 0
    }

    private(set) var entries: [Entry] = []
    private(set) var rows = 0

    /// In units of the letters' size.
    static let sampleWidth = 2.6
    static let rowHeight = 1.46
    private static let gap = 1.6

    /// Sets the entries with a name into rows of this many pixels; a name that is longer than a row is cut.
    init(_ all: [Entry], width: Double, fontSize: Double) {
        let all = Self.few(all)
        var x = 0.0
        let sample = (Self.sampleWidth + 0.5) * fontSize
        for var entry in all {
            entry.name = Self.cut(entry.name, to: width - sample, fontSize: fontSize)
            let entryWidth = sample + Self.textWidth(entry.name, fontSize: fontSize)
            if x > 0, x + entryWidth > width { (x, rows) = (0, rows + 1) }
            (entry.x, entry.row) = (x, rows)
            entries.append(entry)
            x += entryWidth + Self.gap * fontSize
        }
        if !entries.isEmpty { rows += 1 }
    }

    /// Not more entries than anybody can tell apart.
    static func few(_ all: [Entry]) -> [Entry] {
        let named = all.filter { !$0.name.isEmpty }
        guard named.count > most else { return named }
        return named.prefix(most - 1)
            + [Entry(name: "… and \(named.count - most + 1) more", colour: SeriesPens.referenceInk, sample: Sample())]
    }

    private static let most = 24

    /// About how many pixels a text takes in a sans-serif face: a legend is set before the face is known.
    static func textWidth(_ text: String, fontSize: Double) -> Double {
        let ems = text.unicodeScalars.prefix(400).reduce(0.0) { $0 + width(of: $1) }
        return (ems * fontSize).rounded(.up)
    }

    private static func width(of scalar: Unicode.Scalar) -> Double {
        switch scalar {
        case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ", "f", "t", "r", "(", ")", "[", "]", "/", "-":
            0.3
        case "m", "w", "M", "W", "@", "%": 0.88
        case "A"..."Z": 0.69
        case _ where scalar.value >= 0x2E80: 1  // ideographs
        default: 0.56
        }
    }

    /// The text, or as much of it as these pixels have room for.
    static func cut(_ text: String, to width: Double, fontSize: Double) -> String {
        guard textWidth(text, fontSize: fontSize) > width else { return text }
        var short = ""
        for character in text.prefix(400) {
            if textWidth(short + String(character) + "…", fontSize: fontSize) > width { break }
            short.append(character)
        }
        return short + "…"
    }

    /// Words in lines of at most so many pixels.
    static func lines(_ text: String, width: Double, fontSize: Double) -> [String] {
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, textWidth(last + " " + word, fontSize: fontSize) <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(cut(String(word), to: width, fontSize: fontSize))
            }
        }
        return lines
    }
}
