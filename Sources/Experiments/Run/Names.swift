/// What scripts call things: runs and series. A zero byte or an escape sequence in a name would end it in a file, or act on
/// the terminal that shows it.
extension String {
    var hasControlCharacters: Bool { unicodeScalars.contains { $0.properties.generalCategory == .control } }

    /// For a message: with what would act on the terminal spelled out, as in `a\0b`.
    public var printable: String {
        unicodeScalars.map { $0.actsOnTerminal ? $0.escaped(asASCII: true) : String($0) }.joined()
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character, or a mark that turns the order of what is shown around it.
    public var actsOnTerminal: Bool { properties.generalCategory == .control || properties.isBidiControl }
}
