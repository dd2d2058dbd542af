import Experiments
import Foundation
import Reports

/// One HTML page of one or several runs, which needs nothing else: pictures are in it as data.
///
/// The files may be strangers'. All their text is escaped, pictures are shown as images, in which no script runs, and the page forbids
/// itself to load anything.
public struct ReportPage {
    private let readers: [RunFileReader]

    /// Events of a run that are shown: the first and the last ones.
    private static let mostEvents = 200
    /// Bytes of a figure, and of a script, that are shown.
    private static let largestPart = 8 << 20

    public init(_ readers: [RunFileReader]) { self.readers = readers }

    /// Writes the page.
    /// - Throws: `RunFileError` where a file cannot be read to its end.
    public func write(to sink: any ByteSink) throws {
        var page = HTML()
        page.add(ReportStyle.head)
        let title = readers.map(\.name.printable).joined(separator: ", ")
        page.element("title", title)
        page.add("\n</head>\n<body>\n")
        page.element("h1", title)
        if readers.count == 1 { try facts(of: readers[0], &page) }
        try curves(&page)
        try sink.write(Array(page.text.utf8))
        var shown: Set<[String]> = []
        for reader in readers {
            page = HTML()
            if readers.count > 1 {
                page.element("h2", reader.name)
                try facts(of: reader, &page)
            }
            try again(reader, &page)
            try values(of: reader, &page)
            try settings(of: reader, &page)
            try story(of: reader, &page)
            try figures(of: reader, &page)
            let digests = try reader.scripts().map(\.sha256)
            if shown.insert(digests).inserted {
                try scripts(of: reader, &page)
            } else {
                page.element("p", "Its script is that of a run above, word for word.")
            }
            try sink.write(Array(page.text.utf8))
        }
        try sink.write(Array("</body>\n</html>\n".utf8))
    }

    // MARK: - The head of a run

    private func facts(of reader: RunFileReader, _ page: inout HTML) throws {
        let status = try reader.status()
        var facts = [reader.url.lastPathComponent]
        if let status { facts.append("\(status.words) after \(status.step) steps") }
        facts.append("began \(reader.created.formatted(.iso8601))")
        if let closed = reader.closed { facts.append("ended \(closed.formatted(.iso8601))") }
        facts.append("eoss \(reader.eossVersion)")
        if let parent = reader.parent { facts.append("fork of '\(parent.name)' at step \(parent.step)") }
        page.add("<p class=\"facts\">")
        page.add(text: facts.joined(separator: " · "))
        page.add("</p>\n")
        for text in [status?.alert, reader.spillLeft] {
            guard let text else { continue }
            page.add("<p class=\"alert\">")
            page.add(text: text)
            page.add("</p>\n")
        }
    }

    // MARK: - Curves

    private func curves(_ page: inout HTML) throws {
        let curves = try ReportCurves(readers)
        let (groups, left) = try curves.groups()
        for group in groups {
            page.element("h3", group.title)
            do {
                guard let panel = try curves.panel(group) else {
                    page.element("p", "No value of it is a number that can be drawn.")
                    continue
                }
                let wide = Figure(panels: [panel], size: (940, 380))
                let narrow = Figure(panels: [panel], size: (420, 340))
                page.image(
                    try wide.drawn(as: .svg), mime: "image/svg+xml", narrow: try narrow.drawn(as: .svg),
                    alternative: "Curves: \(group.names.joined(separator: ", "))")
            } catch let error as ReportError {
                page.add("<p class=\"alert\">")
                page.add(text: "Not drawn: \(error). The numbers are in the table of values.")
                page.add("</p>\n")
            }
        }
        if !left.isEmpty { page.element("p", "Not drawn, for there are too many: \(left.joined(separator: ", ")).") }
    }

    // MARK: - How to run it again

    private func again(_ reader: RunFileReader, _ page: inout HTML) throws {
        guard let script = try reader.scripts().first else { return }
        page.element("h3", "Run it again")
        let file = Self.shellWord(reader.url.lastPathComponent)
        let settings = try reader.parameters().sorted { $0.key < $1.key }.map { name, value in
            " --set " + Self.shellWord("\(name)=\(Self.spelled(value))")
        }
        page.element(
            "pre",
            """
            # the script, the modules and the parameters inside of the file
            eoss run \(file)
            # the same, compared value by value with what the file has
            eoss verify \(file)
            # the script as a file of its own, from 'eoss script \(file) -o .'
            eoss run \(Self.shellWord((script.path as NSString).lastPathComponent))\(settings.joined())
            """)
    }

    /// One word for a shell, whatever is in it.
    private static func shellWord(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                let scalar = UnicodeScalar(byte)
                return byte < 128
                    && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                        || "._-/=,+:".unicodeScalars.contains(scalar))
            }
        return isPlain ? text : "'\(text.printable.replacing("'", with: "'\\''"))'"
    }

    private static func spelled(_ value: JSONValue) -> String {
        switch value {
        case .null: "nil"
        case .bool(let flag): "\(flag)"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .string(let text): text
        case .array(let values): values.map(spelled).joined(separator: ",")
        case .object: (try? value.json()) ?? ""
        }
    }

    // MARK: - Tables

    private func values(of reader: RunFileReader, _ page: inout HTML) throws {
        let rows = try reader.seriesNames().map { name -> [String] in
            let cursor = try SeriesCursor(reader, name)
            var (count, smallest, largest) = (0, Double.infinity, -Double.infinity)
            var last: Experiments.Measurement?
            while let measurement = cursor.current {
                count += 1
                last = measurement
                if measurement.value.isFinite {
                    (smallest, largest) = (min(smallest, measurement.value), max(largest, measurement.value))
                }
                try cursor.advance()
            }
            guard let last else { return [name, "", "", "0", "", ""] }
            let error = last.standardError.map { " ± \(Self.short($0))" } ?? ""
            return [name, Self.short(last.value) + error, "\(last.step)", "\(count)"]
                + (smallest <= largest ? [Self.short(smallest), Self.short(largest)] : ["", ""])
        }
        if rows.isEmpty { return }
        page.element("h3", "Values")
        page.table(["", "last value", "at step", "values", "smallest", "largest"], rows, firstNumber: 1)
    }

    private static func short(_ number: Double) -> String { number.isNaN ? "nan" : String(format: "%.6g", number) }

    private func settings(of reader: RunFileReader, _ page: inout HTML) throws {
        let parameters = try reader.parameters().sorted { $0.key < $1.key }
        if !parameters.isEmpty {
            page.element("h3", "Parameters")
            page.table([], parameters.map { [$0.key, Self.spelled($0.value)] })
        }
        let environment = try reader.environment().sorted { $0.key < $1.key }
        if environment.isEmpty { return }
        page.add("<details><summary>Environment</summary>\n")
        page.table([], environment.map { [$0.key, $0.value] })
        page.add("</details>\n")
    }

    private func story(of reader: RunFileReader, _ page: inout HTML) throws {
        let events = try reader.events()
        if !events.isEmpty {
            page.element("h3", "Events")
            let isLong = events.count > Self.mostEvents
            let shown = isLong ? Array(events.prefix(Self.mostEvents / 2) + events.suffix(Self.mostEvents / 2)) : events
            page.table(["step", "what", ""], shown.map { ["\($0.step)", $0.kind, $0.message] })
            if isLong { page.element("p", "\(events.count - shown.count) more between them.") }
        }
        let notes = try reader.notes()
        if notes.isEmpty { return }
        page.element("h3", "Notes")
        for note in notes { page.element("p", note) }
    }

    private func figures(of reader: RunFileReader, _ page: inout HTML) throws {
        let names = try reader.figureNames()
        if !names.isEmpty { page.element("h3", "Figures") }
        for name in names {
            let figure = try reader.figure(name)
            page.element("p", name)
            guard figure.bytes.count <= Self.largestPart else {
                page.element("p", "Not shown: it has \(figure.bytes.count) bytes.")
                continue
            }
            switch figure.mime {
            case "image/svg+xml": page.image(figure.bytes, mime: "image/svg+xml", alternative: name)
            case "image/png": page.image(figure.bytes, mime: "image/png", alternative: name)
            case "text/plain; charset=utf-8": page.element("pre", String(decoding: figure.bytes, as: UTF8.self))
            default: page.element("p", "Not shown: it is of the kind \(figure.mime).")
            }
        }
    }

    private func scripts(of reader: RunFileReader, _ page: inout HTML) throws {
        for (index, script) in try reader.scripts().enumerated() {
            if index == 0 {
                page.element("h3", script.path)
            } else {
                page.add("<details><summary>")
                page.add(text: script.path)
                page.add("</summary>\n")
            }
            let isLong = script.source.count > Self.largestPart
            page.element("pre", String(decoding: script.source.prefix(Self.largestPart), as: UTF8.self))
            if isLong { page.element("p", "… and \(script.source.count - Self.largestPart) bytes more.") }
            if index > 0 { page.add("</details>\n") }
        }
    }
}
