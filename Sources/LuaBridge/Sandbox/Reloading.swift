import CLua

extension LuaState {
    /// `reload`, which every state with modules has.
    public static let reloadDeclaration = FunctionDeclaration(
        "reload",
        "Reads a module's file again and runs it. Where it returns a table as before, the table that all who required it "
            + "hold gets the new fields; a module that fails stays as it was.",
        parameters: [Parameter("name", .string, "Its name, as for require.")],
        results: [Parameter("module", .any, "What it returned.")])

    /// Defines `reload`, for who edits a module while a session goes on.
    /// - Parameters:
    ///   - globals: where on the stack the globals are.
    ///   - loaded: likewise the table of the modules that `require` has loaded.
    func installReload(globals: Int32, loaded: Int32, find: @escaping (String) throws -> LuaModule?) throws {
        try push(Self.reloadDeclaration, to: stack, keeping: loaded) { raw in
            let name: String = try raw.bound(first: 1).get("name")
            let stack = raw.stack
            try stack.check(clua_push_kept(stack.lua))
            let loaded = stack.top
            try stack.pushField(loaded, name)
            let old = stack.top
            if clua_type(stack.lua, old) == CLUA_NIL {
                throw ArgumentError("reload: no module '\(name)' has been loaded; require(\"\(name)\") loads one")
            }
            _ = try stack.state.pushModule(name, find: find, loaded: loaded, stack)
            stack.setTop(stack.top - 1)  // without where it was found
            let new = stack.top
            guard clua_type(stack.lua, old) == CLUA_TABLE, clua_type(stack.lua, new) == CLUA_TABLE else { return 1 }
            try stack.replaceFields(of: old, by: new)
            stack.setTop(old)
            try stack.check(clua_push_copy(stack.lua, old))
            try stack.setField(loaded, name)
            return 1
        }
        try stack.setField(globals, "reload")
    }
}

extension LuaStack {
    /// Gives a table the fields of another, those named by strings and whole numbers; it keeps no others of these.
    fileprivate func replaceFields(of old: Int32, by new: Int32) throws {
        try forEachField(of: old) { key in
            try check(clua_push_nil(lua))
            try set(old, key)
        }
        try forEachField(of: new) { key in
            try check(clua_push_copy(lua, -1))
            try set(old, key)
        }
    }

    private enum Key {
        case name(Int32)
        case number(Int64)
    }

    /// Calls `body` with the value of each field on top, which it leaves there.
    private func forEachField(of table: Int32, _ body: (Key) throws -> Void) throws {
        var more = false
        try check(clua_push_nil(lua))
        while true {
            try check(clua_next(lua, table, &more))
            if !more { return }
            let key = top - 1
            var number: Int64 = 0
            if clua_is_integer(lua, key), clua_to_integer(lua, key, &number) {
                try body(.number(number))
            } else if clua_type(lua, key) == CLUA_STRING {
                try body(.name(key))
            }
            setTop(key)
        }
    }

    /// Pops a value into a field.
    private func set(_ table: Int32, _ key: Key) throws {
        switch key {
        case .number(let index): try check(clua_set_index(lua, table, index))
        case .name(let place): try setField(table, string(at: place) ?? "")
        }
    }
}
