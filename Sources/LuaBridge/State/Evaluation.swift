import CLua

/// What a line typed at a prompt came to.
public enum Evaluation: Sendable, Equatable {
    /// The values it returned, as the prompt shows them.
    case values([String])
    /// More lines are needed: the text ends inside of a statement or expression.
    case incomplete
}

extension LuaState {
    /// Runs what was typed at a prompt: as an expression if it is one, after an optional `=`, else as statements. The first value of an
    /// expression is in `_` from then on. `name` is what messages call it. May be
    /// called while a Swift function called from Lua is running: then it runs on the same state, inside that call.
    ///
    /// Names mean the local variables of the Lua functions that are running, innermost first, which it may assign; then the
    /// locals kept of a script that has ended (`run(_:name:keepingLocals:)`); then globals.
    public func evaluate(_ text: String, name: String = "prompt") throws -> Evaluation {
        let stack = self.stack
        let top = stack.top
        let anchors = anchorCount
        defer {
            stack.setTop(top)
            releaseAnchors(to: anchors)
            drain()
        }
        do {
            let expression = text.drop { $0.isWhitespace }
            try load(
                LuaBytes("return \(expression.hasPrefix("=") ? expression.dropFirst() : expression)"), name: name,
                to: stack.lua)
        } catch let error as LuaError where error.kind == .syntax {
            do {
                try load(LuaBytes(text), name: name, to: stack.lua)
            } catch let error as LuaError where error.kind == .syntax && error.message.hasSuffix("near <eof>") {
                return .incomplete
            }
        }
        try stack.check(clua_enter_prompt(stack.lua))
        try protectedCall(stack, arguments: 0, results: -1)
        let count = stack.top - top
        if count > 0, clua_type(stack.lua, top + 1) != CLUA_NIL {
            try stack.check(clua_push_globals(stack.lua))
            try stack.check(clua_push_copy(stack.lua, top + 1))
            try stack.setField(stack.top - 1, "_")
            stack.setTop(top + count)
        }
        return .values(count == 0 ? [] : ((top + 1)...(top + count)).map { display(at: $0, of: stack, depth: 0) })
    }
}
