/// The legend above a panel's axes: samples and names, in as many rows as they need.
///
/// gnuplot's own key guesses at widths and gives every entry that of the longest; this one flows like text.
struct Legend {
    enum Sample {
        case line, dots, lineWithDots
        case dashes(Int)
    }

    struct Entry {
        let name: String
        let colour: String
        let sample: Sample
        var x = 0
        var row = 0
    }

    private(set) var entries: [Entry] = []
    private(set) var rows = 0

    static let sampleWidth = 28
    static let rowHeight = 19
    private static let gap = 22

    /// Sets the entries with a name into rows of this many pixels.
    init(_ all: [Entry], width: Int, fontSize: Int) {
        var x = 0
        for var entry in all where !entry.name.isEmpty {
            let entryWidth = Self.sampleWidth + 7 + Self.textWidth(entry.name, fontSize: fontSize)
            if x > 0, x + entryWidth > width { (x, rows) = (0, rows + 1) }
            (entry.x, entry.row) = (x, rows)
            entries.append(entry)
            x += entryWidth + Self.gap
        }
        if !entries.isEmpty { rows += 1 }
    }

    /// About how many pixels a text takes in a sans-serif face: a legend is set before the face is known.
    static func textWidth(_ text: String, fontSize: Int) -> Int {
        let ems = text.unicodeScalars.prefix(200).reduce(0.0) { width, scalar in
            switch scalar {
            case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ", "f", "t", "r", "(", ")", "[", "]", "/",
                "-":
                width + 0.3
            case "m", "w", "M", "W", "@", "%": width + 0.88
            case "A"..."Z": width + 0.69
            case _ where scalar.value >= 0x2E80: width + 1  // ideographs
            default: width + 0.56
            }
        }
        return Int((ems * Double(fontSize)).rounded(.up))
    }
}
