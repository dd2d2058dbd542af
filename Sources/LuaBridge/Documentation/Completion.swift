import CLua

/// What could stand where the cursor is.
public struct Completion: Sendable, Equatable {
    /// What is typed of the word already, which each candidate begins with.
    public let begun: String
    /// Whole words, sorted; those of options with what comes behind them.
    public let candidates: [String]

    public static let none = Completion(begun: "", candidates: [])
}

extension LuaState {
    /// What could stand at the end of a text typed at a prompt: variables, fields, methods, options, and strings that are names of
    /// something. It looks at values and declarations alone, and calls nothing of the script's.
    /// - Parameters:
    ///   - series: the names of the series that there are.
    ///   - files: the names of files that begin so.
    public func complete(
        _ text: String, with documentation: Documentation, series: () -> [String] = { [] },
        files: (String) -> [String] = { _ in [] }
    ) -> Completion {
        let context = CompletionContext(text)
        if context.isComment { return .none }
        let completer = Completer(stack: stack, documentation: documentation)
        if let begun = context.string {
            let strings = completer.types(of: context).flatMap { type in
                type.openStrings(series: series, files: { files(begun) })
            }
            return Completion(begun: begun, among: strings)
        }
        return completer.names(context)
    }
}

extension Completion {
    fileprivate init(begun: String, among names: [String]) {
        self.begun = begun
        candidates = Set(names.filter { $0.hasPrefix(begun) }).sorted()
    }
}

private struct Completer {
    let stack: LuaStack
    let documentation: Documentation

    /// What a chain of names leads to.
    enum Node {
        case function(FunctionDeclaration)
        case namespace(Namespace)
        case objectClass(AnyObjectClass)
        /// The names in a table of the script's.
        case table([String])
    }

    func names(_ context: CompletionContext) -> Completion {
        let parts = context.chain.split(omittingEmptySubsequences: false) { $0 == "." || $0 == ":" }.map(String.init)
        let begun = parts.last ?? ""
        if parts.count < 2 {
            let options = options(context).filter { $0.hasPrefix(begun) }
            if !options.isEmpty { return Completion(begun: begun, among: options) }
            // An empty line has every name, and needs none.
            if begun.isEmpty { return .none }
            return Completion(begun: begun, among: variables() + Self.keywords)
        }
        let isMethod = context.chain.dropLast(begun.count).hasSuffix(":")
        switch node(Array(parts.dropLast())) {
        case .objectClass(let declaration):
            let names =
                isMethod ? declaration.methods.map { $0.name.afterColon + "(" } : declaration.properties.map(\.name)
            return Completion(begun: begun, among: names)
        case .namespace(let namespace) where !isMethod:
            return Completion(begun: begun, among: namespace.members.map(\.name))
        case .table(let names) where !isMethod: return Completion(begun: begun, among: names)
        default: return .none
        }
    }

    /// `name = ` for each option of the call that is not given yet, where a field of its table begins.
    private func options(_ context: CompletionContext) -> [String] {
        guard let bracket = context.brackets.last, bracket.opening == "{", bracket.key == nil, !bracket.isFieldBegun,
            let declaration = function(bracket.callee)
        else { return [] }
        return (declaration.parameters + declaration.options).map(\.name)
            .filter { !bracket.given.contains($0) }.map { $0 + " = " }
    }

    /// What the string that is begun may be.
    func types(of context: CompletionContext) -> [LuaType] {
        guard let bracket = context.brackets.last else { return [] }
        if let declaration = function(bracket.callee) {
            if let key = bracket.key {
                return (declaration.parameters + declaration.options).filter { $0.name == key }.map(\.type)
            }
            if bracket.opening == "(" {
                return declaration.parameters.indices.contains(bracket.argument)
                    ? [declaration.parameters[bracket.argument].type] : declaration.rest.map { [$0.type] } ?? []
            }
            if let items = declaration.items { return [items.type] }
            // A list in the place of the first argument.
            return declaration.parameters.first.map { [$0.type] } ?? []
        }
        // A list inside of a call: `f("x", { "…`, `f{ names = { "…`.
        guard bracket.opening == "{", let outer = context.brackets.dropLast().last,
            let declaration = function(outer.callee)
        else { return [] }
        if let key = outer.key {
            return (declaration.parameters + declaration.options).filter { $0.name == key }.map(\.type)
        }
        return declaration.parameters.indices.contains(outer.argument)
            ? [declaration.parameters[outer.argument].type] : []
    }

    private func function(_ callee: String) -> FunctionDeclaration? {
        if callee.isEmpty { return nil }
        let parts = callee.split { $0 == "." || $0 == ":" }.map(String.init)
        guard case .function(let declaration)? = node(parts) else { return nil }
        return declaration
    }

    // MARK: - Values

    private func variables() -> [String] {
        let top = stack.top
        defer { stack.setTop(top) }
        guard clua_push_visible(stack.lua) == CLUA_OK else { return [] }
        return names(at: stack.top)
    }

    /// Reads raw fields as far as there are tables of the script's, and goes on by what is declared.
    private func node(_ parts: [String]) -> Node? {
        let top = stack.top
        defer { stack.setTop(top) }
        guard clua_push_visible(stack.lua) == CLUA_OK else { return nil }
        var parts = parts[...]
        while let part = parts.popFirst() {
            guard stack.pushRaw(part, of: stack.top) else { return nil }
            if let subject = stack.subject(at: stack.top) {
                var node: Node? =
                    switch subject {
                    case .function(let declaration): .function(declaration)
                    case .objectClass(let declaration): .objectClass(declaration)
                    case .namespace(let name): namespace(name)
                    }
                for part in parts { node = node.flatMap { member(part, of: $0) } }
                return node
            }
            guard clua_type(stack.lua, stack.top) == CLUA_TABLE else { return nil }
        }
        return .table(names(at: stack.top))
    }

    private func namespace(_ name: String) -> Node? {
        for case .namespace(let namespace) in documentation.entries where namespace.name == name {
            return .namespace(namespace)
        }
        return nil
    }

    private func member(_ name: String, of node: Node) -> Node? {
        switch node {
        case .namespace(let namespace):
            switch namespace.members.first(where: { $0.name == name })?.member {
            case .function(let function)?: return .function(function.declaration)
            case .namespace(let inner)?: return .namespace(inner)
            default: return nil
            }
        case .objectClass(let declaration):
            if let method = declaration.methods.first(where: { $0.name.afterColon == name }) {
                return .function(method)
            }
            return declaration.properties.first { $0.name == name }.flatMap { documentation.objectClass(of: $0.type) }
                .map(Node.objectClass)
        default: return nil
        }
    }

    /// The keys of a table that are names.
    private func names(at table: Int32) -> [String] {
        let lua = stack.lua
        let top = stack.top
        defer { stack.setTop(top) }
        var names: [String] = []
        var more = false
        guard clua_push_nil(lua) == CLUA_OK else { return [] }
        while clua_next(lua, table, &more) == CLUA_OK, more {
            if let name = stack.string(at: stack.top - 1), name.isName { names.append(name) }
            stack.setTop(stack.top - 1)
        }
        return names
    }

    private static let keywords = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
        "not",
        "or", "repeat", "return", "then", "true", "until", "while",
    ]
}

extension LuaStack {
    /// Pushes table[name] without metamethods.
    fileprivate func pushRaw(_ name: String, of table: Int32) -> Bool {
        var name = name
        return name.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                clua_get_field(lua, table, $0.baseAddress, $0.count) == CLUA_OK
            }
        }
    }
}

extension LuaType {
    /// Strings that are offered in place of a value of this type.
    fileprivate func openStrings(series: () -> [String], files: () -> [String]) -> [String] {
        switch suggestions {
        case .names(let names): return names
        case .series: return series()
        case .files: return files()
        case .none: break
        }
        switch shape {
        case .choice(let names): return names
        case .union(let types): return types.flatMap { $0.openStrings(series: series, files: files) }
        case .list(let element, _): return element.openStrings(series: series, files: files)
        default: return []
        }
    }
}

extension String {
    /// Whether Lua takes it for a name.
    fileprivate var isName: Bool {
        guard let first, first == "_" || first.isASCII && first.isLetter else { return false }
        return allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
