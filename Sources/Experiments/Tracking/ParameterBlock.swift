import Curvature
import Networks

/// Some of a model's parameters, by their names: one layer, all weights, all but the biases.
///
/// A pattern is a name, the beginning of one that ends before a point (`layers.1`), or has `*` for any letters, points included
/// (`layers.*.weight`); with `-` before it, what it covers is left out. Where all are of that kind, of all parameters.
public struct ParameterBlock: Sendable, Hashable {
    public let patterns: [String]
    /// The parameters, in their order in the model.
    public let entries: [ParameterLayout.Entry]
    /// Where they lie among all parameters, neighbours joined: two blocks are the same where these are.
    public let coordinates: CoordinateBlock

    public var count: Int { coordinates.count }

    /// - Parameter name: what the layout belongs to, for messages.
    /// - Throws: `ExperimentError.invalid` for a pattern that covers no parameter, with the nearest name and all there are, and
    ///   where nothing is left.
    public init(_ patterns: [String], of layout: ParameterLayout, called name: String) throws {
        for pattern in patterns { try Self.check(pattern, layout, name) }
        let excluded = patterns.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) }
        let included = patterns.filter { !$0.hasPrefix("-") }
        entries = layout.entries.filter { entry in
            (included.isEmpty || included.contains { Self.covers($0, entry.name) })
                && !excluded.contains { Self.covers($0, entry.name) }
        }
        self.patterns = patterns
        guard !entries.isEmpty else {
            throw ExperimentError.invalid(
                "the block \(patterns.map { "'\($0)'" }.joined(separator: ", ")) of \(name) has no parameters")
        }
        var ranges: [Range<Int>] = []
        for entry in entries {
            let range = entry.offset..<entry.offset + entry.count
            if let last = ranges.last, last.upperBound == range.lowerBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        coordinates = try CoordinateBlock(ranges, of: layout.count)
    }

    /// Whether a pattern without its `-` stands for a parameter.
    static func covers(_ pattern: String, _ parameter: String) -> Bool {
        guard pattern.contains("*") else { return parameter == pattern || parameter.hasPrefix(pattern + ".") }
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parameter.hasPrefix(first) else { return false }
        var rest = parameter.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = rest.firstRange(of: part) else { return false }
            rest = rest[place.upperBound...]
        }
        return rest.count >= last.count && rest.hasSuffix(last)
    }

    private static func check(_ pattern: String, _ layout: ParameterLayout, _ name: String) throws {
        let block = pattern.hasPrefix("-") ? String(pattern.dropFirst()) : pattern
        if layout.entries.contains(where: { covers(block, $0.name) }) { return }
        var known: [String] = []
        for entry in layout.entries {
            let words = entry.name.split(separator: ".", omittingEmptySubsequences: false)
            for count in 1...words.count {
                let name = words.prefix(count).joined(separator: ".")
                if !known.contains(name) { known.append(name) }
            }
        }
        // Of one or two letters anything is near.
        let near = block.utf8.count < 3 ? "" : ExperimentError.suggestion(block, known)
        let all = layout.entries.map(\.name)
        let shown = all.prefix(24).joined(separator: ", ") + (all.count > 24 ? ", … (\(all.count) in all)" : "")
        throw ExperimentError.invalid(
            "unknown block '\(ExperimentError.shown(block))' of \(name)\(near) (its parameters: \(shown); or their beginnings)"
        )
    }
}
