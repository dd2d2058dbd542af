/// What scripts call things: runs and series. A zero byte or an escape sequence in a name would end it in a file, or act on
/// the terminal that shows it.
extension String {
    var hasControlCharacters: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }

    /// For a message: with its control characters spelled out, as in `a\0b`.
    public var printable: String {
        unicodeScalars.map { $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : String($0) }
            .joined()
    }
}
