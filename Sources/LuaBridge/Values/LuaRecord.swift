import CLua

/// A table of names whose unknown names are errors that suggest the right one, for values that scripts look up by names they have
/// to spell: `p.learning_rate` is then no silent nil. It is an ordinary table otherwise: `pairs` goes through it, and scripts may
/// change it; `rawget` asks whether a name is there.
public struct LuaRecord: LuaPushable {
    public let fields: [String: LuaValue]
    /// As messages call it: "the parameters".
    public let name: String

    public init(_ fields: [String: LuaValue], called name: String) {
        self.fields = fields
        self.name = name
    }

    public var luaValue: LuaValue { .table(LuaTable(named: fields)) }

    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.push(luaValue)
        let table = stack.top
        let (names, record) = (fields.keys.sorted(), name)
        // Locked, and without a name, so that a prompt shows what is in the table.
        try stack.check(clua_new_table(stack.lua, 0, 2))
        try stack.push(record)
        try stack.setField(table + 1, "__metatable")
        try stack.state.push(FunctionDeclaration("\(record).__index", ""), to: stack) { call in
            let name = call.stack.string(at: 2) ?? call.stack.shown(at: 2)
            throw ArgumentError(
                "unknown name '\(shortened(name))' in \(record)" + suggestion(for: name, among: names, called: "names"))
        }
        try stack.setField(table + 1, "__index")
        clua_set_metatable(stack.lua, table)
        return 1
    }
}
