import CSpelling

/// The name in `candidates` that someone who wrote `name` most likely meant, if any is near, the first of several that are as near
/// (see CSpelling.h, which says what is near; the cost is bounded whatever is written).
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    var search = spelling()
    withBytes(name) { spelling_begin(&search, $0, $1) }
    var best: String?
    for candidate in candidates.prefix(Int(SPELLING_CANDIDATES)) {
        switch withBytes(candidate, { spelling_consider(&search, $0, $1) }) {
        case SPELLING_NEARER: best = candidate
        case SPELLING_AS_NEAR: if let before = best, candidate < before { best = candidate }
        default: continue
        }
    }
    return best
}

/// ": did you mean 'x'?", or nothing where no name is near.
public func nearestNameQuestion(to name: String, among candidates: some Sequence<String>) -> String {
    nearestName(to: name, among: candidates).map { ": did you mean '\($0)'?" } ?? ""
}

/// ": did you mean 'x'?", or all known names where none is near.
/// - Parameter state: knows names from elsewhere.
func suggestion(
    for name: String, among candidates: [String], called what: String, in state: LuaState? = nil
) -> String {
    if let hint = state?.configuration.hint(shortened(name)) { return ": \(hint)" }
    let near = nearestNameQuestion(to: name, among: candidates)
    if !near.isEmpty { return near }
    if candidates.isEmpty { return " (it has no \(what))" }
    guard candidates.count <= SPELLING_CANDIDATES else { return " (it has \(candidates.count) \(what))" }
    return " (\(what): \(listed(candidates.sorted())))"
}

/// All the names: in the line of the message, or where that would be long in lines of their own.
private func listed(_ names: [String]) -> String {
    let width = 100
    let line = names.joined(separator: ", ")
    if line.utf8.count <= width { return line }
    var lines: [String] = []
    var last = ""
    for (i, name) in names.enumerated() {
        let word = i < names.count - 1 ? name + "," : name
        if last.isEmpty {
            last = word
        } else if last.utf8.count + 1 + word.utf8.count <= width {
            last += " " + word
        } else {
            lines.append(last)
            last = word
        }
    }
    return (lines + [last]).map { "\n    \($0)" }.joined()
}

/// A name as messages show it: a long one is cut.
public func shortened(_ name: String) -> String {
    let most = 80
    guard name.utf8.count > most else { return name }
    return String(name.prefix(most)) + "…"
}
