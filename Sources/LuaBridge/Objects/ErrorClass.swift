import CLua

/// Error values in Lua: what `pcall` returns for an error that came from Swift.
extension LuaState {
    /// Gives error values `tostring`, `..`, the fields `message`, `position` and `traceback`, and the methods of strings.
    func installErrorClass() throws {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.check(clua_new_table(stack.lua, 0, 4))
        try push(FunctionDeclaration("tostring", ""), to: stack) { raw in
            try raw.stack.state.text(at: 1, of: raw.stack).push(to: raw.stack)
        }
        try stack.setField(top + 1, "__tostring")
        try push(FunctionDeclaration("..", ""), to: stack) { raw in
            let state = raw.stack.state
            return try (state.text(at: 1, of: raw.stack) + state.text(at: 2, of: raw.stack)).push(to: raw.stack)
        }
        try stack.setField(top + 1, "__concat")
        try push(FunctionDeclaration("error.__index", ""), to: stack) { raw in
            guard let error = raw.stack.state.errorObject(at: 1, of: raw.stack.lua)?.error else { return 0 }
            switch raw.stack.string(at: 2) {
            case "message": return try error.message.push(to: raw.stack)
            case "position": return try error.position.push(to: raw.stack)
            case "traceback": return try error.traceback.push(to: raw.stack)
            case let key: return try pushTextMethod(key ?? "", to: raw.stack)
            }
        }
        try stack.setField(top + 1, "__index")
        try stack.check(clua_set_error_class(stack.lua))
    }
}

/// A script that expects a message may call `message:find("nan")` on it.
private func pushTextMethod(_ key: String, to stack: LuaStack) throws -> Int32 {
    try stack.check(withBytes(key) { clua_push_text_method(stack.lua, $0, $1) })
    if clua_type(stack.lua, -1) == CLUA_FUNCTION { return 1 }
    let members = ["message", "position", "traceback"]
    throw ArgumentError(
        "unknown property '\(shortened(key))' of an error" + suggestion(for: key, among: members, called: "members"))
}
