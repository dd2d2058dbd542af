import Foundation

/// How results are laid out: for the terminal behind standard output, or for whatever reads a pipe.
struct OutputStyle {
    /// Whether a person reads it.
    let isTerminal: Bool
    let hasColours: Bool
    /// Characters of a line; nil where lines may have any length.
    let width: Int?
    /// Lines of the terminal.
    let height: Int

    static let standard: OutputStyle = {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let variables = ProcessInfo.processInfo.environment
        let wantsColours = (variables["NO_COLOR"] ?? "").isEmpty && variables["TERM"] != "dumb"
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        return OutputStyle(
            isTerminal: isTerminal, hasColours: isTerminal && wantsColours,
            width: isTerminal ? isKnown && size.ws_col > 0 ? Int(size.ws_col) : 80 : nil,
            height: isKnown && size.ws_row > 0 ? Int(size.ws_row) : 24)
    }()

    enum Colour: Int {
        case red = 31
        case green = 32
        case yellow = 33
    }

    func coloured(_ text: String, _ colour: Colour?) -> String {
        guard hasColours, let colour else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }

    /// What a state is drawn in: one looks for what went wrong, and for what goes on.
    static func colour(of state: String) -> Colour? {
        switch state {
        case "running": .green
        case "paused", "stopped": .yellow
        case "failed", "killed": .red
        default: nil
        }
    }
}

extension Console {
    /// Writes lines to standard output.
    static func write(_ lines: [String]) { writeOutput(lines.map { $0 + "\n" }.joined()) }

    /// A line for people, on standard error.
    static func tell(_ text: String) { write("eoss: \(text)\n", to: STDERR_FILENO) }
}
