import Foundation

/// What a request asks for.
enum Resource: Equatable {
    /// A file that the page is made of.
    case file(String)
    /// The folder's runs, once, or as events that go on.
    case runs
    case runsStream
    /// All that the page shows of a run, once, or as events that go on.
    case run(String)
    case runStream(String)
    /// Values between two steps.
    case series(String, name: String, steps: ClosedRange<Int>)
    /// The text of the script (0), or of a module.
    case script(String, Int)
    case figure(String, String)

    /// - Parameters:
    ///   - path: as the request spells it, with escapes. Parts are taken apart before they are unescaped, so that a name may hold
    ///     any character, and names nothing but what is in the folder.
    ///   - query: likewise.
    /// - Returns: nil where there is no such thing.
    init?(path: String, query: String = "") {
        guard path.utf8.count <= 4096, path.hasPrefix("/") else { return nil }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0).removingPercentEncoding }
        guard let parts = parts as? [String] else { return nil }
        switch (parts.count, parts[0]) {
        case (1, ""): self = .file("page.html")
        case (1, let name) where PageFile.all[name] != nil: self = .file(name)
        case (2, "api") where parts[1] == "runs": self = .runs
        case (2, "api") where parts[1] == "stream": self = .runsStream
        case (3, "api") where parts[1] == "runs": self = .run(parts[2])
        case (4, "api") where parts[1] == "runs" && parts[3] == "stream": self = .runStream(parts[2])
        case (4, "api") where parts[1] == "runs" && parts[3] == "series":
            let query = Self.query(query)
            guard let name = query["name"], let first = query["from"].map({ Int($0) }) ?? .min,
                let last = query["to"].map({ Int($0) }) ?? .max, first <= last
            else { return nil }
            self = .series(parts[2], name: name, steps: first...last)
        case (5, "api") where parts[1] == "runs" && parts[3] == "scripts":
            guard let number = Int(parts[4]), number >= 0 else { return nil }
            self = .script(parts[2], number)
        case (5, "api") where parts[1] == "runs" && parts[3] == "figures": self = .figure(parts[2], parts[4])
        default: return nil
        }
    }

    private static func query(_ text: String) -> [String: String] {
        let items = text.split(separator: "&").compactMap { item -> (String, String)? in
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let name = String(pair[0]).removingPercentEncoding,
                let value = String(pair[1]).removingPercentEncoding
            else { return nil }
            return (name, value)
        }
        return Dictionary(items) { first, _ in first }
    }
}
