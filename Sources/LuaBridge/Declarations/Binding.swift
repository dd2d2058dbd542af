import CLua

/// Binding the arguments of a call to a declaration: which stack slot holds which parameter.
struct Binding {
    /// For each parameter, then each option: its stack index, 0 where it was not given. Empty where parameter i simply is
    /// argument i.
    var slots: [Int32] = []
    /// The table whose elements are the items, 0 for none.
    var items: Int32 = 0
    /// The arguments after the parameters.
    var rest: Range<Int32> = 0..<0
}

/// A check that needs no words: what most parameters are.
enum QuickCheck: Sendable {
    case any, number, integer, string, boolean, function
    /// Left to `LuaType.mismatch`.
    case other

    init(_ type: LuaType) {
        switch type.shape {
        case .any: self = .any
        case .number(.any): self = .number
        case .integer(.any): self = .integer
        case .string: self = .string
        case .boolean: self = .boolean
        case .function: self = .function
        default: self = .other
        }
    }

    /// Nil where the check is another's.
    @inline(__always)
    func accepts(_ lua: OpaquePointer, _ index: Int32) -> Bool? {
        switch self {
        case .any: return true
        case .number: return clua_type(lua, index) == CLUA_NUMBER
        case .string: return nil  // text, or bytes that are none
        case .boolean: return clua_type(lua, index) == CLUA_BOOLEAN
        case .function: return clua_type(lua, index) == CLUA_FUNCTION
        case .integer:
            var integer: Int64 = 0
            return clua_to_integer(lua, index, &integer)
        case .other: return nil
        }
    }
}

extension FunctionDeclaration {
    /// Binds and checks the arguments at `first`…`last`.
    func bind(_ stack: LuaStack, first: Int32, last: Int32) throws -> Binding {
        if let quickChecks, last - first + 1 == quickChecks.count, bindsInPlace(stack, first, quickChecks) {
            return Binding()
        }
        let lua = stack.lua
        var binding = Binding()
        binding.slots = [Int32](repeating: 0, count: parameters.count + options.count)
        var next = first
        var table: Int32 = 0
        let takesOptions = !options.isEmpty || items != nil
        for (i, parameter) in parameters.enumerated() where next <= last {
            if clua_type(lua, next) == CLUA_TABLE, !parameter.type.takesTables, takesOptions || (i == 0 && next == last)
            {
                table = next
                next += 1
                break
            }
            if clua_type(lua, next) != CLUA_NIL { binding.slots[i] = next }
            next += 1
        }
        if table == 0, takesOptions, next <= last, clua_type(lua, next) == CLUA_TABLE || rest == nil {
            table = next
            next += 1
        }
        if next <= last {
            guard rest != nil else { throw tooMany(Int(last - first + 1)) }
            // With `rest`, the table of options comes last.
            if table == 0, takesOptions, clua_type(lua, last) == CLUA_TABLE, !(rest?.type.takesTables ?? false) {
                table = last
                binding.rest = next..<last
            } else {
                binding.rest = next..<(last + 1)
            }
        }
        if table != 0, clua_type(lua, table) != CLUA_NIL { try bindOptions(stack, table, &binding) }
        try check(stack, binding)
        return binding
    }

    /// True if each argument is given and fits, which is the common case and must be fast.
    private func bindsInPlace(_ stack: LuaStack, _ first: Int32, _ checks: [QuickCheck]) -> Bool {
        for i in 0..<checks.count {
            let index = first + Int32(i)
            switch checks[i].accepts(stack.lua, index) {
            case true?: continue
            case false?: return false
            case nil: if parameters[i].type.mismatch(stack, index) != nil { return false }
            }
        }
        return true
    }

    private func bindOptions(_ stack: LuaStack, _ table: Int32, _ binding: inout Binding) throws {
        let lua = stack.lua
        guard clua_type(lua, table) == CLUA_TABLE else {
            throw ArgumentError("\(name) takes a table of options here, got \(stack.shown(at: table))")
        }
        let count = Int64(clamping: clua_raw_length(lua, table))
        if items != nil { binding.items = table }
        var more = false
        try stack.check(clua_push_nil(lua))
        while true {
            // Keeps the value on the stack, where its slot is, with a copy of the key above it.
            try stack.check(clua_next(lua, table, &more))
            if !more { break }
            let key = stack.top - 1
            if try bindsEntry(stack, key, items: items == nil ? 0 : count, &binding) {
                try stack.check(clua_push_copy(lua, key))
            } else {
                stack.setTop(key)
            }
        }
    }

    /// Notes the slot of the option at `key`; false for an element.
    private func bindsEntry(
        _ stack: LuaStack, _ key: Int32, items: Int64, _ binding: inout Binding
    ) throws -> Bool {
        guard let option = stack.string(at: key) else {
            var number: Int64 = 0
            if clua_to_integer(stack.lua, key, &number), number >= 1, number <= items { return false }
            throw ArgumentError("\(name) takes options by name: unexpected entry [\(stack.shown(at: key))]")
        }
        if let i = parameters.firstIndex(where: { $0.name == option }) {
            guard binding.slots[i] == 0 else { throw ArgumentError("'\(option)' is given twice to \(name)") }
            binding.slots[i] = key + 1
        } else if let i = options.firstIndex(where: { $0.name == option }) {
            binding.slots[parameters.count + i] = key + 1
        } else {
            let known = options.map(\.name) + parameters.map(\.name)
            throw ArgumentError(
                "unknown option '\(shortened(option))' for \(name)"
                    + suggestion(for: option, among: known, called: "options", in: stack.state))
        }
        return true
    }

    private func check(_ stack: LuaStack, _ binding: Binding) throws {
        for (i, slot) in binding.slots.enumerated() {
            let isParameter = i < parameters.count
            let parameter = isParameter ? parameters[i] : options[i - parameters.count]
            if slot == 0 {
                guard parameter.isRequired else { continue }
                let what = isParameter ? "argument \(i + 1) " : "option "
                throw ArgumentError(
                    "\(what)'\(parameter.name)' of \(name) is missing: expected \(parameter.type.words)")
            }
            if let mismatch = parameter.type.mismatch(stack, slot) {
                let what = isParameter ? "argument \(i + 1) " : "option "
                throw ArgumentError("\(what)'\(parameter.name)' of \(name): \(mismatch)")
            }
        }
        if let rest {
            for index in binding.rest {
                guard let mismatch = rest.type.mismatch(stack, index) else { continue }
                throw ArgumentError("argument '\(rest.name)' of \(name): \(mismatch)")
            }
        }
        if let items, binding.items != 0 { try check(stack, items, in: binding.items) }
    }

    private func check(_ stack: LuaStack, _ items: Parameter, in table: Int32) throws {
        let top = stack.top
        defer { stack.setTop(top) }
        for i in 0..<Int64(clamping: clua_raw_length(stack.lua, table)) {
            try stack.check(clua_get_index(stack.lua, table, i + 1))
            if clua_type(stack.lua, -1) == CLUA_NIL { throw ArgumentError("element \(i + 1) of \(name) is nil") }
            if let mismatch = items.type.mismatch(stack, -1) {
                throw ArgumentError("element \(i + 1) ('\(items.name)') of \(name): \(mismatch)")
            }
            stack.setTop(top)
        }
    }

    private func tooMany(_ count: Int) -> ArgumentError {
        let most = parameters.count + (options.isEmpty && items == nil ? 0 : 1)
        return ArgumentError(
            "\(name) takes at most \(most) argument\(most == 1 ? "" : "s"), got \(count): \(signature)")
    }
}
