import CStdlib
import Dynamics
import Experiments
import Foundation
import LuaBridge
import Networks

/// Everything that scripts can name, as it is declared.
extension ScriptHost {
    /// Functions that scripts call without `eoss.`.
    func globalFunctions() -> [DeclaredFunction] {
        [helpFunction(), timeFunction(), breakpointFunction(), continueFunction()]
    }

    func makeDocumentation() -> Documentation {
        Documentation(
            functions: globals.map(\.declaration) + [LuaState.reloadDeclaration], namespaces: [eoss],
            classes: objectClasses, topics: Self.topics, examples: Examples.all)
    }

    /// What strings stand for in options.
    private static let topics: [Documentation.Topic] =
        ProbeCatalogue.all.map { probe in
            var facts: [(name: String, text: String)] = []
            let series = (try? probe.series([:])) ?? []
            if series != [probe.name], !series.isEmpty { facts.append(("series", series.joined(separator: ", "))) }
            if let curvature = EdgeQuantity(series: probe.name) {
                let words = "that of \(curvature.rawValue); tracked as \"edge_\(probe.name)\""
                facts.append(("edge", "It is compared with the optimizer's edge of stability, \(words)."))
            }
            facts.append(("tracked by", "run:track(\"\(probe.name)\", { every = 50 })"))
            facts.append(("measured by", "run:measure(\"\(probe.name)\")"))
            let options = probe.options.map { option in
                Parameter.optional(
                    option.name, LuaType(option.kind), unit: option.unit,
                    "\(option.summary) Default: \(option.defaultText)."
                )
            }
            return Documentation.Topic(
                probe.name, kind: "quantity to measure", probe.summary, options: options, facts: facts)
        }
        + LossName.allCases.map { loss in
            Documentation.Topic(
                loss.rawValue, kind: "loss",
                "\(loss.summary) Option 'loss' of eoss.run; the loss of a run is its mean over samples."
            )
        }
        + Activation.allCases.map { activation in
            Documentation.Topic(activation.rawValue, kind: "activation", activation.summary)
        }
}

/// The programs of `docs/examples/`, which stand in this program.
public enum Examples {
    /// What each of them begins with: data, a network, a run.
    public static let setting: String = sections.first { $0.name == "setting" }?.text ?? ""

    /// By the name of what they show.
    public static let all: [String: String] = Dictionary(
        sections.filter { $0.name != "setting" }.map { ($0.name, $0.text) }, uniquingKeysWith: { first, _ in first })

    public struct Section: Sendable {
        /// Its file under `docs/examples/`, and what it shows.
        public let file: String
        public let name: String
        /// Whether it needs a data set that the machine may not have.
        public let needsData: Bool
        public fileprivate(set) var text = ""
    }

    /// A file's pieces, each below a line `--- name`, or `--- name (needs data)`.
    public static let sections: [Section] = {
        var sections: [Section] = []
        guard var next = eoss_examples() else { return sections }
        while let name = next.pointee.name {
            let file = String(cString: name)
            let bytes = UnsafeBufferPointer(start: next.pointee.source, count: next.pointee.length)
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            {
                if line.hasPrefix("--- ") {
                    let words = line.dropFirst(4).split(separator: " (")
                    sections.append(Section(file: file, name: String(words[0]), needsData: words.count > 1))
                } else if !sections.isEmpty {
                    sections[sections.count - 1].text += line + "\n"
                }
            }
            next += 1
        }
        for index in sections.indices {
            sections[index].text = sections[index].text.trimmingCharacters(in: .newlines)
        }
        return sections
    }()
}
