import Foundation
import Reports

/// As what figures are shown where standard output leads: a picture in a terminal that says that it shows such, characters in its width
/// in any other, and 80 columns of them elsewhere.
enum TerminalPicture {
    static func format(environment: [String: String] = ProcessInfo.processInfo.environment) -> FigureFormat {
        guard isatty(STDOUT_FILENO) == 1 else { return .text(columns: 80, rows: 20) }
        var size = winsize()
        let knows = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0
        let columns = knows && size.ws_col > 0 ? Int(size.ws_col) : 80
        let rows = knows && size.ws_row > 0 ? Int(size.ws_row) : 24
        // https://no-color.org: whatever its value, if it has one.
        let isPlain = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
        if !isPlain, size.ws_xpixel > 0, showsPictures {
            let width = min(900, max(300, Int(size.ws_xpixel) * 9 / 10))
            return .sixel(width: width, height: width * 6 / 10)
        }
        return .text(columns: min(columns, 160), rows: max(10, min(22, rows - 6)), colour: !isPlain)
    }

    /// Whether the terminal has said that it shows sixels, asked once.
    private static let showsPictures: Bool = {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return false }
        return answer(to: "\u{1B}[c", until: UInt8(ascii: "c")).map(hasSixels) ?? false
    }()

    /// Of the answer to a primary device attributes request, `ESC [ ? 62 ; 4 ; … c`: 4 stands for sixel graphics (VT330/VT340
    /// programmer reference).
    static func hasSixels(_ answer: [UInt8]) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        guard let start = text.range(of: "\u{1B}[?"), let end = text.lastIndex(of: "c"), start.upperBound <= end else {
            return false
        }
        return text[start.upperBound..<end].split(separator: ";").dropFirst().contains("4")
    }

    /// What the terminal sends within a fifth of a second; nil where something was typed ahead, which is not ours to read.
    private static func answer(to question: String, until last: UInt8) -> [UInt8]? {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 0) == 0 else { return nil }
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return nil }
        var raw = mode
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { return nil }
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &mode) }
        Console.write(question, to: STDOUT_FILENO)
        var answer: [UInt8] = []
        let end = DispatchTime.now() + 0.2
        while answer.last != last, answer.count < 100 {
            let left = Int32((Double(end.uptimeNanoseconds) - Double(DispatchTime.now().uptimeNanoseconds)) / 1e6)
            guard left > 0, poll(&waiting, 1, left) == 1 else { break }
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { break }
            answer.append(byte)
        }
        return answer
    }
}
