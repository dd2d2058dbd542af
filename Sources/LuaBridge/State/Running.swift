import CLua

/// Running scripts, and errors on their way through Swift.
extension LuaState {
    /// Compiles and runs a text. `name` is what messages call it (`experiment.lua`). Functions among the results
    /// are valid until the enclosing `scope` ends.
    /// - Parameter keepingLocals: the script's local variables stay visible to `evaluate` when it has ended.
    @discardableResult
    public func run(_ source: String, name: String, keepingLocals: Bool = false) throws -> [LuaValue] {
        try run(LuaBytes(source), name: name, keepingLocals: keepingLocals)
    }

    /// The same for a text in bytes, which need not be UTF-8: Lua takes them as they are.
    @discardableResult
    public func run(_ source: LuaBytes, name: String, keepingLocals: Bool = false) throws -> [LuaValue] {
        try call([]) { lua in try load(source, name: name, keepingLocals: keepingLocals, to: lua) }
    }

    /// Pushes the compiled text.
    func load(_ source: LuaBytes, name: String, keepingLocals: Bool = false, to lua: OpaquePointer) throws {
        let stack = LuaStack(state: self, lua: lua)
        // A first line for the shell is skipped, as Lua's own program does.
        let source = source.bytes.first == UInt8(ascii: "#") ? LuaBytes(Array("--".utf8) + source.bytes) : source
        let load = keepingLocals ? clua_load_keeping_locals : clua_load
        let status = withBytes(source) { load(lua, $0, $1, "@\(name)") }
        guard status == CLUA_RAISED else { return try stack.check(status) }
        let message = stack.string(at: -1) ?? "syntax error"
        stack.setTop(stack.top - 1)
        throw Self.split(message, kind: .syntax)
    }

    /// Calls what `push` pushes, and copies the results.
    func call(_ arguments: [any LuaReturnable], push: (OpaquePointer) throws -> Void) throws -> [LuaValue] {
        let stack = self.stack
        let top = stack.top
        defer {
            stack.setTop(top)
            drain()
        }
        try push(stack.lua)
        for argument in arguments { _ = try argument.push(to: stack) }
        try protectedCall(stack, arguments: Int32(arguments.count), results: -1)
        let count = stack.top - top
        if count == 0 { return [] }
        var results: [LuaValue] = []
        for index in (top + 1)...(top + count) { results.append(try stack.value(at: index)) }
        return results
    }

    /// Calls the function below the arguments on the stack.
    func protectedCall(_ stack: LuaStack, arguments: Int32, results: Int32) throws {
        let status = clua_call(stack.lua, arguments, results)
        if status == CLUA_OK { return }
        guard status == CLUA_RAISED else { throw error(for: status) }
        defer { stack.setTop(stack.top - 1) }
        throw raisedError(stack)
    }

    /// The error for a status that leaves nothing on the stack.
    func error(for status: clua_status) -> LuaError {
        switch status {
        case CLUA_STOPPED: return stopError(interrupt.stopReason ?? .requested)
        case CLUA_OVERFLOW: return located(LuaError(.stackOverflow, "stack overflow: too many nested calls"))
        default:
            let held = megabytes(clua_refusal_used(context))
            let wanted = megabytes(clua_refusal_size(context))
            let position = String(cString: clua_refusal_position(context))
            return LuaError(
                .memory,
                "not enough memory: the script held \(held), a block of \(wanted) was asked for, and its limit is "
                    + megabytes(configuration.memoryLimit),
                position: position.isEmpty ? nil : position)
        }
    }

    private func stopError(_ reason: StopReason) -> LuaError {
        switch reason {
        case .requested: located(LuaError(.stopped(reason), "stopped"))
        case .runaway:
            located(
                LuaError(
                    .stopped(reason),
                    "stopped after \(configuration.patience) s of Lua without a call into the host "
                        + "(a loop without end?)"))
        }
    }

    /// Adds where the last error of a protected call happened.
    private func located(_ error: LuaError) -> LuaError {
        var error = error
        let position = String(cString: clua_error_position(context))
        if error.position == nil, !position.isEmpty { error.position = position }
        if error.traceback.isEmpty { error.traceback = String(cString: clua_error_traceback(context)) }
        return error
    }

    /// The error whose Lua value is on top of the stack.
    private func raisedError(_ stack: LuaStack) -> LuaError {
        if let object = errorObject(at: -1, of: stack.lua) { return located(object.error) }
        if clua_type(stack.lua, -1) == CLUA_POINTER { return stopError(.requested) }
        if let message = stack.string(at: -1) {
            var error = located(Self.split(message, kind: .script))
            // Where this goes on through Lua it stays what it was, byte for byte.
            if !stack.isText(at: -1) { error.raised = try? anchor(-1, of: stack.lua) }
            return error
        }
        var error = located(LuaError(.script, "an error value that is not a string: \(stack.shown(at: -1))"))
        if let described = describedField(stack, "message") { error.message = described }
        error.raised = try? anchor(-1, of: stack.lua)
        return error
    }

    /// The string in this field of the table on top, read without metamethods.
    private func describedField(_ stack: LuaStack, _ name: String) -> String? {
        guard clua_type(stack.lua, -1) == CLUA_TABLE, clua_get_field(stack.lua, -1, name, name.utf8.count) == CLUA_OK
        else { return nil }
        defer { stack.setTop(stack.top - 1) }
        return stack.string(at: -1)
    }

    func errorObject(at index: Int32, of lua: OpaquePointer) -> ErrorObject? {
        clua_to_error(lua, index).map { Unmanaged<ErrorObject>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Takes "file:line: " off a message of Lua's.
    static func split(_ message: String, kind: LuaError.Kind) -> LuaError {
        let parts = message.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, Int(parts[1]) != nil, parts[2].first == " " else { return LuaError(kind, message) }
        return LuaError(kind, String(parts[2].dropFirst()), position: "\(parts[0]):\(parts[1])")
    }

    /// Makes a Swift error ready to be raised by the trampoline of the function that threw it; returns what that function
    /// has to return.
    func raise(_ thrown: any Error, on lua: OpaquePointer) -> Int32 {
        var error: LuaError
        if let passing = thrown as? LuaError {
            switch passing.kind {
            case .memory: return Int32(CLUA_RAISE_MEMORY)
            case .stopped: return Int32(CLUA_RAISE_STOP)
            default: error = passing
            }
            if let raised = passing.raised, (try? push(raised, to: lua)) != nil { return Int32(CLUA_RAISE_VALUE) }
        } else if configuration.isStop(thrown) {
            interrupt.requestStop()
            return Int32(CLUA_RAISE_STOP)
        } else {
            error = LuaError(.host, configuration.describe(thrown), underlying: thrown)
        }
        if error.position == nil {
            let position = String(cString: clua_where(lua))
            if !position.isEmpty { error.position = position }
        }
        clua_set_pending(context, Unmanaged.passRetained(ErrorObject(error)).toOpaque())
        return Int32(CLUA_RAISE_ERROR)
    }
}

/// "12.0 MiB"
func megabytes(_ bytes: Int) -> String {
    let tenths = (Double(bytes) / Double(1 << 20) * 10).rounded()
    return "\(tenths / 10) MiB"
}
