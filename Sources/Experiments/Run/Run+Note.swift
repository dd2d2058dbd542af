extension Run {
    /// The kind of the event that a note makes.
    public static let noteKind = "note"

    /// Writes what a program has found into the run's file: a text of one or more lines among its notes, and an event of this step with the
    /// first line and, for programs, `data`. A program that is executed again has written it.
    public func addNote(_ text: String, data: [String: JSONValue]? = nil) throws {
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw ExperimentError.invalid("a note of run '\(name)' has no text")
        }
        try assigning(Self.noteKind, .string("a note")) {
            try openFile()
            guard let file else {
                throw ExperimentError.invalid("run '\(name)' has no file that a note could be kept in")
            }
            try file.addNote(text)
            let first = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
            try file.addEvent(step: step, kind: Self.noteKind, message: first, data: data)
        }
    }
}
