import CLua

/// The arguments of one call, checked against the declaration. Not copyable, so that it cannot outlive the call.
public struct LuaCall: ~Copyable {
    public unowned(unsafe) let state: LuaState
    let stack: LuaStack
    unowned(unsafe) let function: FunctionObject
    /// The first argument's index, after the object of a method.
    let first: Int32
    let binding: Binding

    private var declaration: FunctionDeclaration { function.declaration }

    /// The position of a parameter or option among the declared ones.
    private func position(_ name: String) throws -> Int {
        if let i = declaration.parameters.firstIndex(where: { $0.name == name }) { return i }
        if let i = declaration.options.firstIndex(where: { $0.name == name }) {
            return declaration.parameters.count + i
        }
        throw LuaError(.misuse, "\(declaration.name) does not declare '\(name)'")
    }

    private func parameter(_ position: Int) -> Parameter {
        let parameters = declaration.parameters
        return position < parameters.count ? parameters[position] : declaration.options[position - parameters.count]
    }

    /// The stack index of an argument, 0 where it was not given.
    @inline(__always)
    private func index(_ position: Int) -> Int32 {
        binding.slots.isEmpty ? first + Int32(position) : binding.slots[position]
    }

    /// True if the script gave this argument (not nil).
    public func has(_ name: String) throws -> Bool {
        let index = index(try position(name))
        return index != 0 && clua_type(stack.lua, index) != CLUA_NIL
    }

    /// The value of a parameter or option, or its default. `nil` where there is neither.
    public func value(_ name: String) throws -> LuaValue { try value(at: try position(name)) }

    func value(at position: Int) throws -> LuaValue {
        let index = index(position)
        if index != 0, clua_type(stack.lua, index) != CLUA_NIL { return try stack.value(at: index) }
        return parameter(position).defaultValue?.luaValue ?? .nil
    }

    /// The value of a parameter or option, or its default: `let lr: Double = try call.get("lr")`. An optional type gives nil where
    /// nothing was given and there is no default.
    public func get<Value: LuaReadable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        try get(at: try position(name), as: type)
    }

    /// The same by position among parameters and then options, from 0: for functions where a look-up by name would be felt.
    public func get<Value: LuaReadable>(at position: Int, as type: Value.Type = Value.self) throws -> Value {
        let value = try value(at: position)
        if let read = Value.read(value) { return read }
        let declared = parameter(position)
        throw ArgumentError(
            "'\(declared.name)' of \(declaration.name): expected \(declared.type.words), got \(value.typeName)")
    }

    /// A number by position, without the steps in between.
    @inline(__always)
    public func number(at position: Int) throws -> Double {
        var number = 0.0
        if clua_to_number(stack.lua, index(position), &number) { return number }
        return try get(at: position)
    }

    /// The arguments after the parameters.
    public func rest<Value: LuaReadable>(as type: Value.Type = Value.self) throws -> [Value] {
        try binding.rest.map { try read(try stack.value(at: $0), declaration.rest) }
    }

    /// The elements of the table of options.
    public func items<Value: LuaReadable>(as type: Value.Type = Value.self) throws -> [Value] {
        guard binding.items != 0 else { return [] }
        let top = stack.top
        defer { stack.setTop(top) }
        var values: [Value] = []
        for i in 0..<Int64(clamping: clua_raw_length(stack.lua, binding.items)) {
            try stack.check(clua_get_index(stack.lua, binding.items, i + 1))
            values.append(try read(try stack.value(at: stack.top), declaration.items))
            stack.setTop(top)
        }
        return values
    }

    private func read<Value: LuaReadable>(_ value: LuaValue, _ declared: Parameter?) throws -> Value {
        if let read = Value.read(value) { return read }
        throw ArgumentError(
            "'\(declared?.name ?? "argument")' of \(declaration.name): expected "
                + "\(declared?.type.words ?? "another type"), got \(value.typeName)")
    }

    /// A list of numbers, copied in one go: for long ones.
    public func numbers(_ name: String) throws -> [Double] {
        let index = index(try position(name))
        guard index != 0, clua_type(stack.lua, index) == CLUA_TABLE else { return try get(name) }
        var numbers: [Double] = []
        let chunk = 4096
        while true {
            let first = numbers.count + 1
            let more = [Double](unsafeUninitializedCapacity: chunk) { buffer, initialized in
                guard let base = buffer.baseAddress else { return }
                initialized = Int(clua_read_numbers(stack.lua, index, Int64(first), Int64(chunk), base))
            }
            numbers += more
            if more.count < chunk { break }
        }
        guard numbers.count == clua_raw_length(stack.lua, index) else {
            throw ArgumentError("'\(name)' of \(declaration.name): element \(numbers.count + 1) is not a number")
        }
        return numbers
    }

    /// What an argument is that has a declaration: a function of ours, a namespace, an object.
    public enum Subject {
        case function(FunctionDeclaration)
        /// By its name.
        case namespace(String)
        case objectClass(AnyObjectClass)
    }

    /// Nil for a value that has none.
    public func subject(_ name: String) throws -> Subject? {
        let index = index(try position(name))
        return index == 0 ? nil : stack.subject(at: index)
    }

    /// Hands a function argument over to an object (see `LuaFunction.captured(by:)`).
    public func capture(_ name: String, in owner: some LuaObject) throws -> LuaCallback {
        try get(name, as: LuaFunction.self).captured(by: owner)
    }

    /// Keeps an argument alive as long as Lua reaches `owner` (see `LuaState.keep(_:in:)`).
    public func keep(_ name: String, in owner: some LuaObject) throws { try state.keep(try value(name), in: owner) }
}

/// The Swift side of a Lua function.
final class FunctionObject {
    unowned(unsafe) let state: LuaState
    let declaration: FunctionDeclaration
    /// Pushes the results and returns their count.
    let body: (borrowing RawCall) throws -> Int32

    init(state: LuaState, declaration: FunctionDeclaration, body: @escaping (borrowing RawCall) throws -> Int32) {
        self.state = state
        self.declaration = declaration
        self.body = body
    }

    /// What the trampoline calls. Nothing is thrown past here, and what the call anchored is let go.
    func invoke(_ lua: OpaquePointer, _ count: Int32) -> Int32 {
        let anchors = state.anchorCount
        let results: Int32
        do {
            results = try body(RawCall(function: self, stack: LuaStack(state: state, lua: lua), count: count))
        } catch {
            results = state.raise(error, on: lua)
        }
        if state.anchorCount != anchors { state.releaseAnchors(to: anchors) }
        state.drain()
        return results
    }
}

/// A call before its arguments are bound.
struct RawCall: ~Copyable {
    unowned(unsafe) let function: FunctionObject
    let stack: LuaStack
    let count: Int32

    /// The arguments, bound to the declaration from the argument `first` on.
    func bound(first: Int32) throws -> LuaCall {
        var last = count
        while last >= first, clua_type(stack.lua, last) == CLUA_NIL { last -= 1 }
        let binding = try function.declaration.bind(stack, first: first, last: last)
        return LuaCall(state: stack.state, stack: stack, function: function, first: first, binding: binding)
    }
}

extension LuaState {
    /// Pushes a function. `keep` is the index of a value that lives as long as it.
    func push(
        _ declaration: FunctionDeclaration, to stack: LuaStack, keeping keep: Int32 = 0,
        body: @escaping (borrowing RawCall) throws -> Int32
    ) throws {
        let object = FunctionObject(state: self, declaration: declaration, body: body)
        try stack.check(clua_push_function(stack.lua, Unmanaged.passRetained(object).toOpaque(), keep))
    }
}
