import CLua
import Testing

@testable import LuaBridge

/// The order of `pairs` depends on what a table went through, not on the clock or on addresses.
@Suite struct OrderTests {
    /// The keys of a table of many strings, short and long, with some taken out again, as `pairs` and `next` go through them.
    static let script = """
        local t = {}
        for i = 1, 200 do t["key" .. i] = i; t[("long"):rep(20) .. i] = i end
        for i = 1, 200, 3 do t["key" .. i] = nil end
        t[1], t[2.5], t[true], t[-7] = 1, 2, 3, 4
        local seen, k = {}, nil
        for key in pairs(t) do seen[#seen + 1] = tostring(key) end
        for i = 1, #seen do k = next(t, k); assert(tostring(k) == seen[i]) end
        return table.concat(seen, " ")
        """

    /// The order of tables, functions and coroutines as keys, while a collection frees some of them.
    static let objects = """
        local t, names = {}, {}
        for i = 1, 100 do
            t[{}] = "table" .. i
            t[function() return i end] = "function" .. i
            t[coroutine.create(print)] = "coroutine" .. i
            t[lab.pair(i, i)] = "pair" .. i
            local garbage = { i, { i } }
        end
        collectgarbage()
        for i = 1, 100 do t[{}] = "late" .. i end
        for key, name in pairs(t) do names[#names + 1] = name end
        return table.concat(names, " ")
        """

    private func orders(of script: String) throws -> Set<String> {
        var orders: Set<String> = []
        var states: [LuaState] = []
        for _ in 1...20 {
            let state = try makeState()
            orders.insert(try #require(String.read(try state.run(script, name: "order.lua")[0])))
            states.append(state)  // so that the next one stands elsewhere
        }
        return orders
    }

    /// Lua's own seed differs from state to state, since their addresses do.
    @Test func everyStateHasTheSameOrder() throws { #expect(try orders(of: Self.script).count == 1) }

    /// An order written down stands for all processes.
    @Test func everyProcessHasTheSameOrder() throws {
        let order = try makeState().run(
            """
            local rules = { sgd = 1, adam = 2, momentum = 3, nesterov = 4, rmsprop = 5, adagrad = 6, adamw = 7, sam = 8 }
            local order = {}
            for name in pairs(rules) do order[#order + 1] = name end
            return table.concat(order, " ")
            """, name: "order.lua")
        #expect(String.read(order[0]) == "sam sgd adam rmsprop nesterov adamw adagrad momentum")
    }

    /// Sanitizers place the objects themselves.
    @Test func everyStateHasTheSameOrderOfObjects() throws {
        let state = try makeState()
        let placed = withExtendedLifetime(state) { clua_has_arena(state.context) }
        if placed { #expect(try orders(of: Self.objects).count == 1) }
    }
}
