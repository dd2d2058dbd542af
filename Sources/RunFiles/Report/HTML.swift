import Foundation

/// Text of HTML. What comes of a file is escaped; nothing of it is ever markup.
struct HTML {
    private(set) var text = ""

    /// Markup of ours.
    mutating func add(_ markup: StaticString) { text += markup.description }

    /// Text from anywhere.
    mutating func add(text foreign: String) { text += Self.escaped(foreign) }

    /// An element without attributes.
    mutating func element(_ tag: StaticString, _ foreign: String) {
        text += "<\(tag)>\(Self.escaped(foreign))</\(tag)>"
    }

    /// A table with a head, whose columns from `firstNumber` on hold numbers.
    mutating func table(_ head: [String], _ rows: [[String]], firstNumber: Int = .max) {
        func cells(_ tag: String, _ row: [String]) -> String {
            row.enumerated().map { index, cell in
                let attribute = index >= firstNumber ? " class=\"number\"" : ""
                return "<\(tag)\(attribute)>\(Self.escaped(cell))</\(tag)>"
            }.joined()
        }
        text += "<div class=\"scroll\"><table>"
        if !head.isEmpty { text += "<thead><tr>\(cells("th", head))</tr></thead>" }
        text += "<tbody>" + rows.map { "<tr>\(cells("td", $0))</tr>\n" }.joined() + "</tbody></table></div>\n"
    }

    /// A picture, as data in the page: what it holds cannot run there.
    /// - Parameter narrow: the same for a narrow window.
    mutating func image(_ bytes: Data, mime: StaticString, narrow: Data? = nil, alternative: String) {
        text += "<picture>"
        if let narrow {
            text +=
                "<source media=\"(max-width: 640px)\" srcset=\"data:\(mime);base64,\(narrow.base64EncodedString())\">"
        }
        text +=
            "<img src=\"data:\(mime);base64,\(bytes.base64EncodedString())\" alt=\"\(Self.escaped(alternative))\"></picture>\n"
    }

    /// Control characters but for tabs and newlines are spelled out: a browser would drop or misread them.
    static func escaped(_ foreign: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(foreign.utf8.count)
        for scalar in foreign.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\n", "\t": escaped.unicodeScalars.append(scalar)
            case "\r": continue
            // What turns the direction of a text round may make one name look like another.
            case _ where [.control, .format, .surrogate].contains(scalar.properties.generalCategory):
                escaped += scalar.escaped(asASCII: true)
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
