/// What figures of run files are served as: as what they say they are, if that is a picture, and else not at all. A file of a stranger's
/// may call anything a figure, a page with scripts too.
enum ServedFigure {
    /// Bytes.
    static let largest = 64 << 20

    /// The media type that goes out; nil where it is not one that `eoss` draws.
    static func type(of mime: String) -> String? {
        switch mime {
        case "image/svg+xml", "image/png", "application/pdf": mime
        case "text/plain; charset=utf-8", "text/plain": "text/plain; charset=utf-8"
        default: nil
        }
    }

    /// Whether the page can show it in its place.
    static func isImage(_ mime: String) -> Bool { mime == "image/svg+xml" || mime == "image/png" }

    /// SVG is a document, which may hold scripts, when it is opened by itself: nothing in it runs, and it loads nothing.
    static let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
}
