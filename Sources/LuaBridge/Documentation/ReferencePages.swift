/// The reference, in Markdown: a page for each namespace and each class, one for all topics of a kind, and one that leads to them.
public struct ReferencePages {
    private let documentation: Documentation
    private let title: String

    public init(_ documentation: Documentation, title: String) {
        (self.documentation, self.title) = (documentation, title)
    }

    /// Each page's text by the name of its file.
    public var pages: [String: String] {
        var pages: [String: String] = [:]
        for namespace in namespaces { pages["\(namespace.name).md"] = page(namespace) }
        for declaration in documentation.classes { pages[Self.file(declaration)] = page(declaration) }
        for kind in kinds { pages[Self.file(kind)] = page(kind: kind) }
        if !documentation.functions.isEmpty {
            pages["globals.md"] = ended(["# Global functions"] + documentation.functions.map { section($0) })
        }
        pages["README.md"] = contents
        return pages
    }

    private var namespaces: [Namespace] {
        func inner(_ namespace: Namespace) -> [Namespace] {
            [namespace]
                + namespace.members.flatMap { member -> [Namespace] in
                    if case .namespace(let one) = member.member { inner(one) } else { [] }
                }
        }
        return documentation.namespaces.flatMap(inner)
    }

    private var kinds: [String] {
        documentation.topics.reduce(into: []) { if !$0.contains($1.kind) { $0.append($1.kind) } }
    }

    private static func file(_ declaration: AnyObjectClass) -> String {
        "class-\(declaration.name.replacing(" ", with: "-")).md"
    }

    private static func file(_ kind: String) -> String { "\(plural(kind).replacing(" ", with: "-")).md" }

    /// "losses", "activations"; of "quantity to measure" its first word.
    private static func plural(_ kind: String) -> String {
        var words = kind.split(separator: " ").map(String.init)
        words[0] =
            words[0].hasSuffix("y") ? words[0].dropLast() + "ies" : words[0] + (words[0].hasSuffix("s") ? "es" : "s")
        return words.joined(separator: " ")
    }

    // MARK: - Pages

    private var contents: String {
        var lines = [
            "# \(title)", "",
            "Made from the declarations that check every call: `eoss doc NAME` shows the same in a terminal.", "",
        ]
        lines += ["## Namespaces", ""] + namespaces.map { "- [`\($0.name)`](\($0.name).md): \(escaped($0.summary))" }
        if !documentation.functions.isEmpty {
            lines += [
                "- [global functions](globals.md): "
                    + documentation.functions.map { "`\($0.name)`" }.joined(separator: ", ")
            ]
        }
        lines += ["", "## What strings name", ""] + kinds.map { "- [\(Self.plural($0))](\(Self.file($0)))" }
        lines +=
            ["", "## Objects", ""]
            + documentation.classes.map { "- [`\($0.name)`](\(Self.file($0))): \(escaped($0.summary))" }
        return lines.joined(separator: "\n") + "\n"
    }

    private func page(_ namespace: Namespace) -> String {
        var parts = ["# \(namespace.name)", escaped(namespace.summary)]
        var inner: [String] = []
        for (name, member) in namespace.members {
            switch member {
            case .function(let function): parts.append(section(function.declaration))
            case .constant(let value, let type, let summary):
                parts.append("## \(namespace.name).\(name)\n\n`\(value.literal)` (\(type.name)). \(escaped(summary))")
            case .namespace(let one): inner.append("- [`\(one.name)`](\(one.name).md): \(escaped(one.summary))")
            }
        }
        if !inner.isEmpty { parts.insert(inner.joined(separator: "\n"), at: 2) }
        return ended(parts)
    }

    private func page(_ declaration: AnyObjectClass) -> String {
        var parts = ["# \(declaration.name)", escaped(declaration.summary)]
        if !declaration.properties.isEmpty {
            parts.append(
                "## Properties\n\n"
                    + table(
                        ["property", "type", "", ""],
                        declaration.properties.map { property in
                            [
                                "`\(property.name)`", typed(property), property.summary,
                                declaration.writableProperties.contains(property.name) ? "can be assigned" : "",
                            ]
                        }))
        }
        let others = declaration.others
        if !others.isEmpty {
            parts.append(
                "## Operators and places\n\n"
                    + table(["", "gives", ""], others.map { ["`\($0.spelling)`", $0.type.name, $0.summary] }))
        }
        return ended(parts + declaration.methods.map { section($0) })
    }

    private func page(kind: String) -> String {
        let topics = documentation.topics.filter { $0.kind == kind }
        return ended(
            ["# \(Self.plural(kind).capitalizedFirst)"]
                + topics.map { topic in
                    var parts = ["## \(topic.name)", escaped(topic.summary)]
                    if !topic.facts.isEmpty {
                        parts.append(topic.facts.map { "- \($0.name): \(escaped($0.text))" }.joined(separator: "\n"))
                    }
                    if !topic.options.isEmpty { parts.append(options(topic.options)) }
                    if let example = documentation.examples[topic.name] { parts.append(code(example)) }
                    return parts.joined(separator: "\n\n")
                })
    }

    private func section(_ declaration: FunctionDeclaration) -> String {
        var parts = ["## \(declaration.name)", code(declaration.signature), escaped(declaration.summary)]
        let parameters =
            declaration.parameters + (declaration.items.map { [$0] } ?? []) + (declaration.rest.map { [$0] } ?? [])
            + declaration.options
        if !parameters.isEmpty { parts.append(options(parameters)) }
        if !declaration.results.isEmpty {
            let heading = declaration.isIterator ? "Each step of the loop gives" : "Gives"
            parts.append(
                heading + " "
                    + declaration.results.map { "`\($0.name)` (\(typed($0))): \(escaped($0.summary))" }.joined(
                        separator: " "))
        }
        if let example = documentation.examples[declaration.name] { parts.append(code(example)) }
        return parts.joined(separator: "\n\n")
    }

    // MARK: - Pieces

    private func options(_ parameters: [Parameter]) -> String {
        table(
            ["", "type", "default", ""],
            parameters.map { parameter in
                let standard =
                    parameter.defaultValue.map { "`\($0.spelling)`" } ?? (parameter.isRequired ? "required" : "")
                return ["`\(parameter.name)`", typed(parameter), standard, parameter.summary]
            })
    }

    private func typed(_ parameter: Parameter) -> String {
        parameter.type.documented + (parameter.unit.isEmpty ? "" : ", \(parameter.unit)")
    }

    private func table(_ heads: [String], _ rows: [[String]]) -> String {
        // A column without a word in it is left out.
        let kept = heads.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        func line(_ cells: [String]) -> String {
            "| " + kept.map { escaped(cells[$0]).replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }
        return ([line(heads), "|" + kept.map { _ in " --- |" }.joined()] + rows.map(line)).joined(separator: "\n")
    }

    private func code(_ text: String) -> String { "```lua\n\(text)\n```" }

    private func ended(_ parts: [String]) -> String { parts.joined(separator: "\n\n") + "\n" }

    /// Text in which Markdown finds no marks, but for code between backticks.
    private func escaped(_ text: String) -> String {
        if text.hasPrefix("`") { return text }
        return text.map { "*_<".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}
