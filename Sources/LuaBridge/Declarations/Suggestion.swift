/// The name in `candidates` that someone who wrote `name` most likely meant, if any is near: at most a third of the letters wrong,
/// where swapping two neighbours counts once.
public func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
    let written = Array(normalized(name))
    var best: (name: String, distance: Int)?
    for candidate in candidates.sorted() {
        let wanted = Array(normalized(candidate))
        let allowed = max(1, max(written.count, wanted.count) / 3)
        let distance = editDistance(written, wanted)
        if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
}

/// Spelling without what is easily mistaken: case, and the character between words.
private func normalized(_ name: String) -> String {
    name.lowercased().filter { $0 != "_" && $0 != "-" }
}

/// The Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of neighbours,
/// no part edited twice. [Damerau 1964; Levenshtein 1966]
func editDistance<Element: Equatable>(_ a: [Element], _ b: [Element]) -> Int {
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1] + [Int](repeating: 0, count: b.count)
        for j in 0..<b.count {
            row[j + 1] = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                row[j + 1] = min(row[j + 1], beforePrevious[j - 1] + 1)
            }
        }
        (beforePrevious, previous) = (previous, row)
    }
    return previous[b.count]
}

/// ": did you mean 'x'?", or the known names where none is near.
func suggestion(for name: String, among candidates: [String], called what: String) -> String {
    if let near = nearestName(to: name, among: candidates) { return ": did you mean '\(near)'?" }
    if candidates.isEmpty { return " (it has no \(what))" }
    let shown = candidates.sorted().prefix(20).joined(separator: ", ")
    return " (\(what): \(shown)\(candidates.count > 20 ? ", …" : ""))"
}
