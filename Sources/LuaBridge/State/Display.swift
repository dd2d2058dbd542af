import CLua

extension LuaState {
    /// A value as a prompt shows it: tables two levels deep, objects by their description. Calls no metamethod.
    public func display(_ value: some LuaPushable) throws -> String {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.push(value.luaValue)
        return display(at: stack.top, of: stack, depth: 0)
    }

    func display(at index: Int32, of stack: LuaStack, depth: Int) -> String {
        switch clua_type(stack.lua, index) {
        case CLUA_NIL, CLUA_NONE: return "nil"
        case CLUA_BOOLEAN: return clua_to_boolean(stack.lua, index) ? "true" : "false"
        case CLUA_NUMBER: return stack.number(at: index) ?? "a number"
        case CLUA_STRING: return luaLiteral(stack.byteString(at: index) ?? "")
        case CLUA_TABLE: return displayTable(at: index, of: stack, depth: depth)
        case CLUA_FUNCTION:
            guard let object = clua_to_function(stack.lua, index) else { return "function" }
            return "function "
                + Unmanaged<FunctionObject>.fromOpaque(object).takeUnretainedValue().declaration.signature
        case CLUA_USERDATA:
            if let error = errorObject(at: index, of: stack.lua) { return error.error.description }
            guard let object = stack.object(at: index), let installed = installedClass(of: object) else {
                return "userdata"
            }
            return depth == 0 ? installed.declaration.view(object) : installed.declaration.describe(object)
        case let kind: return kind.name
        }
    }

    private func displayTable(at index: Int32, of stack: LuaStack, depth: Int) -> String {
        let lua = stack.lua
        let table = clua_absolute(lua, index)
        let top = stack.top
        defer { stack.setTop(top) }
        if clua_has_metatable(lua, table), clua_push_metatable_name(lua, table) == CLUA_OK,
            let name = stack.string(at: -1)
        {
            return name
        }
        if depth > 1 { return "{…}" }
        let shownElements: Int64 = depth == 0 ? 12 : 6
        let count = Int64(clamping: clua_raw_length(lua, table))
        var parts: [String] = []
        for i in 0..<min(count, shownElements) {
            guard clua_get_index(lua, table, i + 1) == CLUA_OK else { return "{…}" }
            parts.append(display(at: stack.top, of: stack, depth: depth + 1))
            stack.setTop(top)
        }
        if count > shownElements { parts.append("… \(count) elements") }
        let fields = displayFields(of: table, elements: count, stack, depth: depth)
        return "{" + (parts + fields).joined(separator: ", ") + "}"
    }

    /// `name = value` for what is not among the elements, sorted.
    private func displayFields(of table: Int32, elements: Int64, _ stack: LuaStack, depth: Int) -> [String] {
        let lua = stack.lua
        var fields: [String] = []
        var left = 0
        var more = false
        guard clua_push_nil(lua) == CLUA_OK else { return [] }
        while clua_next(lua, table, &more) == CLUA_OK, more {
            let key = stack.top - 1
            defer { stack.setTop(key) }
            var number: Int64 = 0
            if clua_is_integer(lua, key), clua_to_integer(lua, key, &number), number >= 1, number <= elements {
                continue
            }
            if fields.count == (depth == 0 ? 24 : 8) {
                left += 1
                continue
            }
            let name = stack.string(at: key) ?? "[\(display(at: key, of: stack, depth: 2))]"
            fields.append("\(name) = \(display(at: key + 1, of: stack, depth: depth + 1))")
        }
        return fields.sorted() + (left > 0 ? ["… \(left) more"] : [])
    }
}
