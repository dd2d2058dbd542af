import LuaBridge
import Networks

extension ParameterLayout {
    /// The parameters that names stand for: of these names, of names that begin with one of them and a point, or that fit a
    /// pattern; without those that a name with a '-' in front stands for.
    /// - Parameter owner: whose parameters, for messages.
    /// - Throws: for a name that no parameter has, with the nearest one and all there are, and where none is left.
    func block(_ names: [String], of owner: String) throws -> [Entry] {
        for name in names { try check(name, of: owner) }
        let (excluded, included) = (names.filter { $0.hasPrefix("-") }, names.filter { !$0.hasPrefix("-") })
        let chosen = entries.filter { entry in
            (included.isEmpty || included.contains { Self.covers($0, entry.name) })
                && !excluded.contains { Self.covers(String($0.dropFirst()), entry.name) }
        }
        guard !chosen.isEmpty else {
            throw ArgumentError(
                "the block \(names.map { "'\($0)'" }.joined(separator: ", ")) of \(owner) has no parameters")
        }
        return chosen
    }

    /// A name, the beginning of one, or a pattern: `layers.*.weight`, `*` for any letters, dots included.
    private static func covers(_ block: String, _ parameter: String) -> Bool {
        guard block.contains("*") else { return parameter == block || parameter.hasPrefix(block + ".") }
        let parts = block.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parameter.hasPrefix(first) else { return false }
        var rest = parameter.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = rest.firstRange(of: part) else { return false }
            rest = rest[place.upperBound...]
        }
        return rest.count >= last.count && rest.hasSuffix(last)
    }

    private func check(_ block: String, of owner: String) throws {
        let block = block.hasPrefix("-") ? String(block.dropFirst()) : block
        if entries.contains(where: { Self.covers(block, $0.name) }) { return }
        var known: [String] = []
        for entry in entries {
            let words = entry.name.split(separator: ".", omittingEmptySubsequences: false)
            for count in 1...words.count {
                let name = words.prefix(count).joined(separator: ".")
                if !known.contains(name) { known.append(name) }
            }
        }
        // Of one or two letters anything is near.
        let near = block.utf8.count < 3 ? "" : nearestNameQuestion(to: block, among: known)
        let all = entries.map(\.name)
        let shown = all.prefix(24).joined(separator: ", ") + (all.count > 24 ? ", … (\(all.count) in all)" : "")
        throw ArgumentError(
            "unknown block '\(shortened(block))' of \(owner)\(near) (its parameters: \(shown); or their beginnings)")
    }
}
