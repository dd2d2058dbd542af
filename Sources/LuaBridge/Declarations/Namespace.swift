import CLua

/// A table of functions, values and further namespaces, such as `lab.nn`: a declaration, installed in a state by
/// `LuaState.install`. Scripts cannot change it, and a misspelt member is an error that suggests the right one.
public final class Namespace {
    public enum Member {
        case function(DeclaredFunction)
        case constant(LuaValue, LuaType, String)
        case namespace(Namespace)
    }

    /// With its path: `lab.nn`.
    public let name: String
    public let summary: String
    /// In the order of their declaration.
    public private(set) var members: [(name: String, member: Member)] = []

    public init(_ name: String, _ summary: String) {
        self.name = name
        self.summary = summary
    }

    private func add(_ name: String, _ member: Member) {
        precondition(!members.contains { $0.name == name }, "\(self.name).\(name) is declared twice")
        members.append((name, member))
    }

    /// A namespace in this one.
    public func namespace(_ name: String, _ summary: String) -> Namespace {
        let inner = Namespace("\(self.name).\(name)", summary)
        add(name, .namespace(inner))
        return inner
    }

    /// A value.
    public func constant(_ name: String, _ type: LuaType, _ value: some LuaPushable, _ summary: String) {
        add(name, .constant(value.luaValue, type, summary))
    }

    /// A function with results. See `FunctionDeclaration` for how it may be called.
    public func function(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        items: Parameter? = nil, rest: Parameter? = nil, results: [Parameter] = [],
        body: @escaping (borrowing LuaCall) throws -> some LuaReturnable
    ) {
        let declaration = FunctionDeclaration(
            "\(self.name).\(name)", summary, parameters: parameters, options: options, items: items, rest: rest,
            results: results)
        add(name, .function(DeclaredFunction(declaration, body: body)))
    }

    /// A function without results.
    public func procedure(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        items: Parameter? = nil, rest: Parameter? = nil, body: @escaping (borrowing LuaCall) throws -> Void
    ) {
        function(name, summary, parameters: parameters, options: options, items: items, rest: rest) { call in
            try body(call)
            return LuaResults()
        }
    }
}

/// A function with its declaration, not yet part of a state.
public struct DeclaredFunction {
    public let declaration: FunctionDeclaration
    let body: (borrowing RawCall) throws -> Int32

    public init(
        _ declaration: FunctionDeclaration, body: @escaping (borrowing LuaCall) throws -> some LuaReturnable
    ) {
        self.declaration = declaration
        self.body = { raw in
            let call = try raw.bound(first: 1)
            return try body(call).push(to: raw.stack)
        }
    }
}

extension LuaState {
    /// Makes a namespace a global of its name.
    public func install(_ namespace: Namespace) throws {
        try setGlobal(namespace.name) { try push(namespace, to: $0) }
    }

    /// Makes a function a global of its name.
    public func install(_ function: DeclaredFunction) throws {
        try setGlobal(function.declaration.name) {
            try push(function.declaration, to: $0, body: function.body)
        }
    }

    /// Sets a global variable of scripts.
    public func setGlobal(_ name: String, to value: some LuaPushable) throws {
        try setGlobal(name) { try $0.push(value.luaValue) }
    }

    private func setGlobal(_ name: String, push: (LuaStack) throws -> Void) throws {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try push(stack)
        try stack.check(clua_set_global(stack.lua, name))
    }

    /// Pushes an empty table that shows the namespace's members through its metatable, so that they can be neither changed nor, by
    /// assignment, hidden.
    private func push(_ namespace: Namespace, to stack: LuaStack) throws {
        let lua = stack.lua
        try stack.check(clua_new_table(lua, 0, 0))
        let proxy = stack.top
        try stack.check(clua_new_table(lua, 0, Int32(clamping: namespace.members.count)))
        let members = stack.top
        for (name, member) in namespace.members {
            switch member {
            case .function(let function): try push(function.declaration, to: stack, body: function.body)
            case .constant(let value, _, _): try stack.push(value)
            case .namespace(let inner): try push(inner, to: stack)
            }
            try stack.setField(members, name)
        }
        let names = namespace.members.map(\.name)
        let path = namespace.name
        try pushMetatable(to: stack, name: path) { metatable in
            try push(FunctionDeclaration("\(path).__index", ""), to: stack) { call in
                let name = call.stack.string(at: 2) ?? call.stack.shown(at: 2)
                throw ArgumentError(
                    "unknown name '\(shortened(name))' in \(path)"
                        + suggestion(for: name, among: names, called: "names", in: call.stack.state))
            }
            try stack.setField(metatable, "__index")
        }
        clua_set_metatable(lua, members)
        try pushMetatable(to: stack, name: path) { metatable in
            try stack.check(clua_push_copy(lua, members))
            try stack.setField(metatable, "__index")
            try push(FunctionDeclaration("\(path).__newindex", ""), to: stack) { call in
                throw ArgumentError("\(path) cannot be changed: '\(call.stack.string(at: 2) ?? "?")' was assigned to")
            }
            try stack.setField(metatable, "__newindex")
            try stack.check(clua_push_pairs(lua, members))
            try stack.setField(metatable, "__pairs")
        }
        clua_set_metatable(lua, proxy)
        stack.setTop(proxy)
    }

    /// Pushes a locked metatable.
    func pushMetatable(to stack: LuaStack, name: String, fill: (Int32) throws -> Void) throws {
        try stack.check(clua_new_table(stack.lua, 0, 4))
        let metatable = stack.top
        try stack.push(name)
        try stack.setField(metatable, "__metatable")
        try stack.push(name)
        try stack.setField(metatable, "__name")
        try fill(metatable)
    }
}
