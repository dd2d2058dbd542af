/// What `help(…)` shows: plain text, at most `width` characters wide where words allow it.
public struct HelpText {
    let documentation: Documentation
    let width: Int

    public init(_ documentation: Documentation, width: Int = 80) {
        self.documentation = documentation
        self.width = max(40, width)
    }

    /// All about one thing.
    public func text(for entry: Documentation.Entry) -> String {
        switch entry {
        case .function(let declaration): text(for: declaration)
        case .namespace(let namespace): text(for: namespace)
        case .constant(let name, let value, let type, let summary):
            paragraphs([name + " = " + value.literal, indented("\(summary) (\(type.name))")])
        case .objectClass(let declaration): text(for: declaration)
        case .property(let owner, let property): text(for: property, of: owner)
        case .topic(let topic): text(for: topic)
        }
    }

    /// A line for each: what a search has found.
    public func list(_ entries: [Documentation.Entry]) -> String {
        table(entries.map { ($0.name, $0.summary) })
    }

    // MARK: - Kinds of things

    private func text(for declaration: FunctionDeclaration) -> String {
        var parts = [wrapped(declaration.signature, hanging: 4), indented(declaration.summary)]
        let parameters =
            declaration.parameters + (declaration.items.map { [$0] } ?? []) + (declaration.rest.map { [$0] } ?? [])
            + declaration.options
        if !parameters.isEmpty { parts.append(table(parameters.map { ($0.name, described($0)) })) }
        if !declaration.results.isEmpty {
            let heading = declaration.isIterator ? "Each step of the loop gives" : "Gives"
            parts.append(heading + "\n" + table(declaration.results.map { ($0.name, described($0, isResult: true)) }))
        }
        return paragraphs(parts + example(of: declaration.name))
    }

    private func text(for namespace: Namespace) -> String {
        paragraphs([
            namespace.name, indented(namespace.summary),
            table(
                namespace.members.map { name, member in
                    switch member {
                    case .function(let function): (function.declaration.name, function.declaration.summary)
                    case .constant(_, _, let summary): ("\(namespace.name).\(name)", summary)
                    case .namespace(let inner): (inner.name, inner.summary)
                    }
                }), "help(\(namespace.name).NAME) says how one of them is called.",
        ])
    }

    private func text(for declaration: AnyObjectClass) -> String {
        var parts = [declaration.name, indented(declaration.summary)]
        if !declaration.properties.isEmpty {
            parts.append(
                "Properties\n"
                    + table(
                        declaration.properties.map { property in
                            let canBeSet = declaration.writableProperties.contains(property.name)
                            let words = described(property, isResult: true)
                            let isSaid = words.contains("can be assigned")
                            return (property.name, words + (canBeSet && !isSaid ? " Can be assigned." : ""))
                        }))
        }
        if !declaration.methods.isEmpty {
            parts.append("Methods\n" + table(declaration.methods.map { ($0.name.afterColon, $0.summary) }))
        }
        let others = declaration.others
        if !others.isEmpty {
            parts.append("Also\n" + table(others.map { ($0.spelling, "\($0.summary) (\($0.type.name))") }))
        }
        if let first = declaration.methods.first {
            parts.append("help(\"\(first.name)\") says how a method is called.")
        }
        return paragraphs(parts)
    }

    private func text(for property: Parameter, of owner: AnyObjectClass) -> String {
        let canBeSet = owner.writableProperties.contains(property.name)
        return paragraphs(
            [
                "\(owner.name).\(property.name)",
                indented(described(property, isResult: true) + (canBeSet ? "" : " It cannot be assigned.")),
                fields(of: property.type),
            ].filter { !$0.isEmpty } + example(of: "\(owner.name).\(property.name)"))
    }

    private func text(for topic: Documentation.Topic) -> String {
        var parts = ["\"\(topic.name)\": \(topic.kind)", indented(topic.summary)]
        if !topic.facts.isEmpty { parts.append(table(topic.facts)) }
        if !topic.options.isEmpty { parts.append("Options\n" + table(topic.options.map { ($0.name, described($0)) })) }
        return paragraphs(parts + example(of: topic.name))
    }

    private func fields(of type: LuaType) -> String {
        guard case .record(let fields)? = type.alternatives.first(where: \.isRecord)?.shape else { return "" }
        return table(fields.map { ($0.name, described($0, isResult: true)) })
    }

    private func example(of name: String) -> [String] {
        documentation.examples[name].map { text in
            [
                "Example\n"
                    + text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(
                        separator: "\n")
            ]
        } ?? []
    }

    // MARK: - Layout

    /// The sentence of a parameter, with its type, its unit and its default.
    private func described(_ parameter: Parameter, isResult: Bool = false) -> String {
        var facts = [isResult ? parameter.type.name : parameter.type.documented]
        if !parameter.unit.isEmpty { facts.append(parameter.unit) }
        if let value = parameter.defaultValue { facts.append("default \(value.spelling)") }
        if !isResult, parameter.isRequired { facts.append("required") }
        return "\(parameter.summary) (\(facts.joined(separator: "; ")))"
    }

    private func paragraphs(_ parts: [String]) -> String { parts.joined(separator: "\n\n") }

    private func indented(_ text: String) -> String { "  " + wrapped(text, hanging: 2, from: 2) }

    /// Two columns: names, and what is said of them.
    private func table(_ rows: [(name: String, text: String)]) -> String {
        let column = min(rows.map(\.name.count).max() ?? 0, width / 3) + 4
        return rows.map { name, text in
            let head = "  " + name
            // A name that does not fit has a line of its own.
            let gap =
                head.count + 2 <= column
                ? String(repeating: " ", count: column - head.count) : "\n" + String(repeating: " ", count: column)
            return head + gap + wrapped(text, hanging: column, from: column)
        }.joined(separator: "\n")
    }

    /// Words in lines; the first begins at column `from`, the others are indented.
    private func wrapped(_ text: String, hanging: Int, from: Int = 0) -> String {
        var (result, column) = ("", from)
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !result.isEmpty {
                if column + 1 + word.count > width {
                    result += "\n" + String(repeating: " ", count: hanging)
                    column = hanging
                } else {
                    result += " "
                    column += 1
                }
            }
            result += word
            column += word.count
        }
        return result
    }
}

extension AnyObjectClass {
    /// What scripts can do with an object beside its properties and methods.
    var others: [(spelling: String, type: LuaType, summary: String)] {
        var others = operators.map { ($0.operands, $0.result, "The operator \($0.symbol.symbol).") }
        for declared in [elementDeclaration, entryDeclaration, lengthDeclaration].compactMap({ $0 }) {
            others.append((declared.name, declared.type, declared.summary))
        }
        if let call = callDeclaration {
            others.append((call.signature, call.results.first?.type ?? .any, call.summary))
        }
        return others
    }
}

extension LuaType {
    /// The types of a union, or the type itself.
    var alternatives: [LuaType] { if case .union(let types) = shape { types } else { [self] } }

    /// What documentation says that it is: alternatives for those who know of them are named by their first.
    var documented: String {
        let loud = alternatives.filter { !$0.isQuiet }
        let text = loud.map(\.words).joined(separator: " or ").withoutArticle
        return loud.count == alternatives.count
            ? text : text + ", or \(alternatives.first(where: \.isQuiet)?.words ?? "")"
    }

    var isRecord: Bool { if case .record = shape { true } else { false } }
}

extension String {
    /// A method's name without that of its class.
    var afterColon: String { firstIndex(of: ":").map { String(self[index(after: $0)...]) } ?? self }

    /// "an integer" is "integer".
    var withoutArticle: String {
        for article in ["a ", "an "] where hasPrefix(article) { return String(dropFirst(article.count)) }
        return self
    }
}
