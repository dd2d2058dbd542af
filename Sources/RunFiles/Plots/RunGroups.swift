import Experiments
import Foundation

/// Which run files belong together.
public enum RunGroups {
    /// Files of one experiment, whose parameters differ in the seed alone; each group is named by the parameters in which groups differ.
    public static func bySeed(_ readers: [RunFileReader]) throws -> [PlottedGroup] {
        var groups: [(parameters: [String: JSONValue], runs: [PlottedRun])] = []
        for reader in readers {
            var parameters = try reader.parameters()
            for name in parameters.keys where name == "seed" || name.hasSuffix("_seed") { parameters[name] = nil }
            let run = try PlottedRun(reader)
            if let known = groups.firstIndex(where: { $0.parameters == parameters }) {
                groups[known].runs.append(run)
            } else {
                groups.append((parameters, [run]))
            }
        }
        let names = Set(groups.flatMap(\.parameters.keys)).sorted()
        let differing = names.filter { name in Set(groups.map { $0.parameters[name] }).count > 1 }
        return groups.map { group in
            let words = differing.map { "\($0) = \(Self.words(group.parameters[$0]))" }
            return PlottedGroup(
                name: words.isEmpty ? group.runs[0].name : words.joined(separator: ", "), runs: group.runs)
        }
    }

    private static func words(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { return text }
        return value.flatMap { try? $0.json() } ?? "nil"
    }

    /// Runs of one name, in several folders, are called by their paths.
    public static func tellApart(_ groups: inout [PlottedGroup], _ paths: [String]) {
        let counts = Dictionary(groups.map { ($0.name, 1) }, uniquingKeysWith: +)
        guard groups.count == paths.count else { return }
        for index in groups.indices where (counts[groups[index].name] ?? 0) > 1 {
            groups[index].name = paths[index].hasSuffix(".eoss") ? String(paths[index].dropLast(5)) : paths[index]
        }
    }
}
