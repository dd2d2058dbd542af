import Foundation

/// Takes out of texts what tells who made a run and where: absolute paths, the names of the machine and of the user.
final class PrivateText {
    /// How often each kind was found.
    private(set) var paths = 0
    private(set) var names = 0
    private let words: Set<String>

    /// - Parameter names: of machines and users. Those that are also words stay.
    init(_ names: [String]) {
        let common: Set<String> = ["root", "user", "home", "shared", "localhost", "data", "test"]
        words = Set(names.filter { $0.count >= 3 && !common.contains($0) })
    }

    /// What this user is called.
    static var userNames: [String] { [NSUserName(), (NSHomeDirectory() as NSString).lastPathComponent] }

    func cleaned(_ text: String) -> String { withoutNames(withoutPaths(text)) }

    // MARK: - Paths

    /// An absolute path of two names or more becomes the last of them, as in `…/edge.lua`. In quotation marks it goes to the closing one,
    /// else to what no plain path has in it.
    private func withoutPaths(_ text: String) -> String {
        guard text.contains("/") else { return text }
        let characters = Array(text)
        var cleaned = ""
        var at = 0
        while at < characters.count {
            let before = at > 0 ? characters[at - 1] : " "
            // `file:///home/…` is one, `https://host/…` is none.
            let isOfURL = at >= 3 && String(characters[at - 3..<at]) == "://"
            guard characters[at] == "/",
                isOfURL || !before.isLetter && !before.isNumber && !"._~-)]/:".contains(before)
            else {
                cleaned.append(characters[at])
                at += 1
                continue
            }
            let isQuoted = before == "'" || before == "\""
            let end =
                characters[at...].firstIndex {
                    isQuoted ? $0 == before : $0.isWhitespace || "'\"`,;:()<>|".contains($0)
                } ?? characters.count
            let parts = characters[at..<end].split(separator: "/")
            if parts.count >= 2 {
                paths += 1
                // Of a home folder itself the last name is the user's.
                let isHome = parts.count == 2 && ["home", "Users"].contains(String(parts[0]))
                cleaned += "…" + (isHome ? "" : "/" + String(parts[parts.count - 1]))
            } else {
                cleaned += String(characters[at..<end])
            }
            at = end
        }
        return cleaned
    }

    // MARK: - Names

    private func withoutNames(_ text: String) -> String {
        guard words.contains(where: text.contains) else { return text }
        var cleaned = ""
        var word = ""
        func end() {
            if words.contains(word) {
                names += 1
                cleaned += "…"
            } else {
                cleaned += word
            }
            word = ""
        }
        for character in text {
            if character.isLetter || character.isNumber || "_-".contains(character) {
                word.append(character)
            } else {
                end()
                cleaned.append(character)
            }
        }
        end()
        return cleaned
    }
}
