import CLua

/// A Lua table that belongs to a Swift object and is handed to scripts as itself: what they write into it stays.
///
/// The table stands in a user value of the owner's userdata, as what a ``LuaCallback`` holds does. Once Lua has no way to reach the
/// owner, it is gone.
public final class LuaKeptTable: LuaReturnable {
    private let link: StateLink
    private let owner: UnsafeRawPointer
    private let slot: Int64

    init(state: LuaState, owner: UnsafeRawPointer, slot: Int64) {
        link = state.link
        self.owner = owner
        self.slot = slot
    }

    public func push(to stack: LuaStack) throws -> Int32 {
        try stack.reserve(2)
        guard clua_push_captured(stack.lua, owner, slot) else {
            throw LuaError(.misuse, "a table was asked for after its owner was collected")
        }
        return 1
    }

    /// A copy of what it holds now; nil once its owner is gone.
    public var value: LuaValue? {
        get throws {
            guard let stack = link.state?.stack else { return nil }
            let top = stack.top
            defer { stack.setTop(top) }
            try stack.reserve(2)
            guard clua_push_captured(stack.lua, owner, slot) else { return nil }
            return try stack.value(at: stack.top)
        }
    }

    /// Makes it hold what a table does, and nothing else.
    public func replace(with table: LuaTable) throws {
        guard let stack = link.state?.stack else { return }
        let top = stack.top
        defer { stack.setTop(top) }
        _ = try push(to: stack)
        let own = stack.top
        if case .table(let old) = try stack.value(at: own) {
            for place in old.array.indices.reversed() {
                try stack.push(LuaValue.nil)
                try stack.check(clua_set_index(stack.lua, own, Int64(place + 1)))
            }
            for name in old.fields.keys {
                try stack.push(LuaValue.nil)
                try stack.check(withBytes(name) { clua_set_field(stack.lua, own, $0, $1) })
            }
        }
        for (place, value) in table.array.enumerated() {
            try stack.push(value)
            try stack.check(clua_set_index(stack.lua, own, Int64(place + 1)))
        }
        for (name, value) in table.fields.sorted(by: { $0.key < $1.key }) {
            try stack.push(value)
            try stack.check(withBytes(name) { clua_set_field(stack.lua, own, $0, $1) })
        }
    }
}
