import Compute
import Foundation

/// What a figure is drawn as.
public enum FigureFormat: Sendable, Hashable {
    case svg, pdf, png
    /// Characters for a terminal, so many rows for each panel; with colours by escape sequences.
    case text(columns: Int, rows: Int, colour: Bool = false)
    /// A picture for a terminal that shows such, in pixels.
    case sixel(width: Int, height: Int)

    /// The format that a file's name asks for.
    /// - Throws: `ReportError` that names the extensions there are.
    public init(path: String) throws(ReportError) {
        switch (path as NSString).pathExtension.lowercased() {
        case "svg": self = .svg
        case "pdf": self = .pdf
        case "png": self = .png
        case "txt": self = .text(columns: 110, rows: 26)
        default: throw ReportError("\(path): a figure's name ends in .svg, .pdf, .png or .txt")
        }
    }

    /// For the figures kept in a run file.
    public var mimeType: String {
        switch self {
        case .svg: "image/svg+xml"
        case .pdf: "application/pdf"
        case .png: "image/png"
        case .text: "text/plain; charset=utf-8"
        case .sixel: "image/x-sixel"
        }
    }
}

extension Figure {
    /// Draws the figure. What of it cannot be drawn, it says itself.
    /// - Throws: `ReportError` when the series' lengths contradict each other, there is no series, or gnuplot is not installed, fails or
    ///   takes longer than `timeout` seconds.
    public func drawn(as format: FigureFormat, timeout: Double = 60) throws(ReportError) -> Data {
        if case .text(let columns, let rows, let colour) = format {
            return try TextFigure(self, columns: columns, rows: rows, colour: colour).drawn(timeout: timeout)
        }
        var figure = self
        if case .sixel(let width, let height) = format, size == nil {
            figure.size = (width, height + 6 * height / 10 * (rows - 1))
        }
        let script = try GnuplotScript(figure, format).text
        return try Gnuplot.run(script, timeout: timeout)
    }

    /// Draws the figure in the format of the file's name and writes the file as a whole.
    /// - Returns: the file's bytes.
    /// - Throws: `ReportError` as ``drawn(as:timeout:)``, `OutputFileError` when the file cannot be written.
    @discardableResult
    public func write(to path: String) throws -> Data {
        let data = try drawn(as: FigureFormat(path: path))
        try OutputFile.write(data, to: path)
        return data
    }
}
