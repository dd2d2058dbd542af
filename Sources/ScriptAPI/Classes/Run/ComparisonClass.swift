import Experiments
import LuaBridge
import RunFiles

/// What `file:compare` gives.
final class ComparisonObject: LuaObject {
    let comparison: RunComparison
    init(_ comparison: RunComparison) { self.comparison = comparison }
}

extension ScriptHost {
    /// `comparison`: what differs between two run files.
    func comparisonClass() -> ObjectClass<ComparisonObject> {
        let comparisons = ObjectClass<ComparisonObject>(
            "comparison", "What differs between two run files, a and b; prints as a text. A value.")
        comparisons.property("same", .boolean, "Whether nothing differs, of what went in and of the curves.") {
            $0.comparison.areTheSame
        }
        comparisons.property(
            "script", .list(of: .string), "The lines that differ in script and modules, as diff writes them."
        ) { $0.comparison.scriptLines }
        let parts: [(String, String, (RunComparison) -> [RunComparison.Difference])] = [
            ("parameters", "Parameters that differ, by name: a, b; nil where one has none.", { $0.parameters }),
            ("settings", "What differs of model, data, loss, optimizer, batch_size and seed: a, b.", { $0.settings }),
            ("environment", "What differs of machine, kernels, threads and versions: a, b.", { $0.environment }),
        ]
        for (name, summary, part) in parts {
            comparisons.property(name, .map(of: .map(of: .any)), summary) { object in
                LuaTable(
                    named: Dictionary(
                        part(object.comparison).map { difference in
                            (
                                difference.name,
                                pair(
                                    difference.values[0].map(LuaValue.init(json:)),
                                    difference.values[1].map(LuaValue.init(json:)))
                            )
                        }
                    ) { $1 })
            }
        }
        comparisons.property(
            "series", .map(of: .map(of: .any)),
            "Each series by name: a, b, the last values; common, how many steps both have; first, the first of them at which they "
                + "differ, nil for none; largest, the largest distance, relative to a's value there, at step."
        ) { object in
            LuaTable(named: Dictionary(object.comparison.curves.map { ($0.name, $0.luaValue) }) { $1 })
        }
        comparisons.description { $0.comparison.lines(width: nil).joined(separator: "\n") }
        return comparisons
    }
}

/// What the first run has, and the second.
private func pair(_ a: LuaValue?, _ b: LuaValue?) -> LuaValue { ["a": a ?? .nil, "b": b ?? .nil] }

extension RunComparison.Curves {
    fileprivate var luaValue: LuaValue {
        var fields: [String: LuaValue] = [
            "a": (last[0]?.value).luaValue, "b": (last[1]?.value).luaValue, "common": .integer(0),
        ]
        if let deviation = deviations[0] {
            fields["common"] = .integer(deviation.common)
            fields["first"] = deviation.first.luaValue
            fields["largest"] = (deviation.largest?.value).luaValue
            fields["relative"] = deviation.relative.luaValue
            fields["step"] = (deviation.largest?.step).luaValue
        }
        return .table(LuaTable(named: fields))
    }
}
