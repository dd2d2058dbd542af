/// Declarations in the comments that the Lua language server reads (LuaCATS): with them an editor completes names and options, and
/// finds what is misspelt or of the wrong type.
public struct LuaStubs {
    private let documentation: Documentation

    public init(_ documentation: Documentation) { self.documentation = documentation }

    /// One file of definitions, which no program loads.
    public var text: String {
        var parts = ["---@meta"]
        parts += documentation.classes.map(stub)
        parts += documentation.namespaces.flatMap(stubs)
        parts += documentation.functions.map { function($0, path: $0.name) }
        return parts.joined(separator: "\n\n") + "\n"
    }

    // MARK: - Classes and namespaces

    private func stub(_ declaration: AnyObjectClass) -> String {
        let name = Self.className(declaration.name)
        var lines = comment(declaration.summary)
        lines.append("---@class \(name)")
        for property in declaration.properties {
            lines.append("---@field \(property.name) \(Self.spelled(property.type)) \(oneLine(property.summary))")
        }
        if let element = declaration.elementDeclaration {
            lines.append("---@field [integer] \(Self.spelled(element.type)) \(oneLine(element.summary))")
        }
        // Names that an object itself knows have no field here: with one for all strings nothing would be misspelt any more.
        for one in declaration.operators {
            guard let stub = Self.operatorStub(one, of: declaration.name) else { continue }
            let line = "---@operator \(stub)"
            if !lines.contains(line) { lines.append(line) }
        }
        if declaration.lengthDeclaration != nil { lines.append("---@operator len: integer") }
        if let call = declaration.callDeclaration {
            lines.append("---@overload \(overload(call, named: call.parameters))")
        }
        let local = Self.localName(declaration.name)
        lines.append("local \(local) = {}")
        let methods = declaration.methods.map { function($0, path: "\(local):\($0.name.afterColon)") }
        return ([lines.joined(separator: "\n")] + methods).joined(separator: "\n\n")
    }

    private func stubs(_ namespace: Namespace) -> [String] {
        var parts = [(comment(namespace.summary) + ["\(namespace.name) = {}"]).joined(separator: "\n")]
        for (name, member) in namespace.members {
            switch member {
            case .function(let body): parts.append(function(body.declaration, path: body.declaration.name))
            case .constant(_, let type, let summary):
                parts.append(
                    (comment(summary) + ["---@type \(Self.spelled(type))", "\(namespace.name).\(name) = nil"])
                        .joined(separator: "\n"))
            case .namespace(let inner): parts += stubs(inner)
            }
        }
        return parts
    }

    // MARK: - Functions

    private func function(_ declaration: FunctionDeclaration, path: String) -> String {
        let isKeyword = Self.keywords.contains(
            path.split(whereSeparator: { $0 == "." || $0 == ":" }).last.map(String.init) ?? "")
        if isKeyword { return "" }
        var (before, lines) = ([String](), comment(declaration.summary))
        var names = declaration.parameters.map(\.name)
        // Called by a table alone, the parameters are among its fields.
        let fields = declaration.options + (declaration.items.map { [$0] } ?? [])
        if !fields.isEmpty {
            let name = "eoss.options.\(path.replacing(":", with: "."))"
            before.append("---@class \(name)")
            for field in declaration.options {
                before.append(
                    "---@field \(field.name)\(field.isRequired ? "" : "?") \(Self.spelled(field.type)) \(documented(field))"
                )
            }
            if let items = declaration.items {
                before.append("---@field [integer] \(Self.spelled(items.type)) \(documented(items))")
            }
            names.append(declaration.parameters.contains { $0.name == "options" } ? "settings" : "options")
            if !declaration.parameters.isEmpty, !declaration.parameters[0].type.takesTables {
                let byName = "\(name).named"
                before.append("\n---@class \(byName): \(name)")
                for field in declaration.parameters {
                    before.append(
                        "---@field \(field.name)\(field.isRequired ? "" : "?") \(Self.spelled(field.type)) \(documented(field))"
                    )
                }
                lines.append(
                    "---@overload fun(\(declaration.isMethod ? "self, " : "")options: \(byName))\(results(declaration))"
                )
            }
        }
        for parameter in declaration.parameters {
            lines.append(
                "---@param \(parameter.name)\(parameter.isRequired ? "" : "?") \(Self.spelled(parameter.type)) \(documented(parameter))"
            )
        }
        if !fields.isEmpty, let last = names.last {
            let isRequired = declaration.options.contains(where: \.isRequired)
            lines.append("---@param \(last)\(isRequired ? "" : "?") eoss.options.\(path.replacing(":", with: "."))")
        }
        if let rest = declaration.rest {
            names.append("...")
            lines.append("---@param ... \(Self.spelled(rest.type)) \(documented(rest))")
        }
        if declaration.isIterator {
            let results = declaration.results.map { Self.spelled($0.type) }.joined(separator: ", ")
            lines.append("---@return fun(): \(results)")
        } else {
            for result in declaration.results {
                lines.append("---@return \(Self.spelled(result.type)) \(result.name) \(oneLine(result.summary))")
            }
        }
        if let example = documentation.examples[declaration.name] {
            lines.insert(
                contentsOf: ["---```lua"] + example.split(separator: "\n").map { "---\($0)" } + ["---```"], at: 1)
        }
        lines.append("function \(path)(\(names.joined(separator: ", "))) end")
        return ((before.isEmpty ? [] : [before.joined(separator: "\n") + "\n"]) + [lines.joined(separator: "\n")])
            .joined(separator: "\n")
    }

    private func results(_ declaration: FunctionDeclaration) -> String {
        let types = declaration.results.map { Self.spelled($0.type) }
        return types.isEmpty ? "" : ": " + types.joined(separator: ", ")
    }

    private func overload(_ declaration: FunctionDeclaration, named parameters: [Parameter]) -> String {
        let arguments = parameters.map { "\($0.name)\($0.isRequired ? "" : "?"): \(Self.spelled($0.type))" }
        return "fun(\(arguments.joined(separator: ", ")))\(results(declaration))"
    }

    private func documented(_ parameter: Parameter) -> String {
        var text = oneLine(parameter.summary)
        if !parameter.unit.isEmpty { text += " In \(parameter.unit)." }
        if let value = parameter.defaultValue { text += " Default: \(value.spelling)." }
        return text
    }

    private func comment(_ text: String) -> [String] { ["---\(oneLine(text))"] }

    private func oneLine(_ text: String) -> String { text.split(whereSeparator: \.isNewline).joined(separator: " ") }

    // MARK: - Names and types

    /// `eoss.Run` for objects that are called "run".
    static func className(_ name: String) -> String { "eoss." + localName(name).capitalizedFirst }

    private static func localName(_ name: String) -> String {
        let words = name.split(whereSeparator: { !$0.isLetter && !$0.isNumber })
        return words.dropFirst().reduce(String(words.first ?? "object")) { $0 + String($1).capitalizedFirst }
    }

    /// A type as LuaCATS spells it.
    static func spelled(_ type: LuaType) -> String {
        switch type.shape {
        case .any: return "any"
        case .absent: return "nil"
        case .boolean: return "boolean"
        case .number: return "number"
        case .integer: return "integer"
        case .string: return suggested(type) ?? "string"
        case .choice(let names): return names.map(quoted).joined(separator: "|")
        case .table: return "table"
        case .object(let name): return className(name)
        case .list(let element, _): return parenthesized(element) + "[]"
        case .map(let value): return "table<string, \(spelled(value))>"
        case .record(let fields):
            return "{ "
                + fields.map { "\($0.name)\($0.isRequired ? "" : "?"): \(spelled($0.type))" }.joined(separator: ", ")
                + " }"
        case .union(let types): return types.map { parenthesizedFunction($0) }.joined(separator: "|")
        case .function(nil): return "function"
        case .function(let signature?):
            let arguments = signature.arguments.map { "\($0.name): \(spelled($0.type))" }.joined(separator: ", ")
            return "fun(\(arguments))" + (signature.result.map { ": \(spelled($0))" } ?? "")
        }
    }

    /// An open choice: these strings are offered, others are taken.
    private static func suggested(_ type: LuaType) -> String? {
        guard case .names(let names) = type.suggestions else { return nil }
        return (["string"] + names.map(quoted)).joined(separator: "|")
    }

    private static func quoted(_ name: String) -> String { "\"\(name)\"" }

    private static func parenthesized(_ type: LuaType) -> String {
        let text = spelled(type)
        return text.contains("|") || text.hasPrefix("fun") ? "(\(text))" : text
    }

    private static func parenthesizedFunction(_ type: LuaType) -> String {
        let text = spelled(type)
        return text.hasPrefix("fun(") ? "(\(text))" : text
    }

    /// `add(number): eoss.Vector`, from `vector + number`; nil for comparisons, which LuaCATS does not know.
    private static func operatorStub(_ declaration: OperatorDeclaration, of owner: String) -> String? {
        let result = spelled(declaration.result)
        let name: String
        switch declaration.symbol {
        case .add: name = "add"
        case .subtract: name = "sub"
        case .multiply: name = "mul"
        case .divide: name = "div"
        case .power: name = "pow"
        case .modulo: name = "mod"
        case .floorDivide: name = "idiv"
        case .negate: return "unm: \(result)"
        case .equal, .less, .lessOrEqual: return nil
        }
        let sides = declaration.operands.components(separatedBy: " \(declaration.symbol.symbol) ")
        guard sides.count >= 2 else { return nil }
        let other = sides[0] == owner ? sides[1] : sides[0]
        return "\(name)(\(operand(other))): \(result)"
    }

    private static func operand(_ words: String) -> String {
        if words.hasPrefix("number") { return words.hasPrefix("numbers") ? "any" : "number" }
        if words.hasPrefix("{") { return "table" }
        return className(words)
    }

    private static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
        "not",
        "or", "repeat", "return", "then", "true", "until", "while",
    ]
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }

    fileprivate func components(separatedBy separator: String) -> [String] {
        self.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
