import Testing

@testable import LuaBridge

@Suite struct LuaLiteralTests {
    /// Lua reads each literal as the value that was written: compared by `%q` and `math.type`, and key by key for tables.
    @Test func luaReadsALiteralAsTheValueItStandsFor() throws {
        let state = try LuaState()
        let values: [LuaValue] = [
            nil, true, false, 0, -3, .integer(.max), .integer(.min), 0.1, -0.0, 1e300, .number(.leastNonzeroMagnitude),
            100_000.0, 1e16,
            .number(.infinity), .number(-.infinity), .string(""), .string("a\"b\\c\n\t\r\0\u{1}2\u{7F}3\u{1F}"),
            .string("é"), [1, 2.5, "x", [true]], .numbers([0.5, 1]),
            ["plain": 1, "end": 2, "with space": 3, "_1": 4, "1st": 5, "é": 6],
        ]
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("value", "", parameters: [Parameter("i", .integer, "Which.")])
            ) { call in values[try call.get("i", as: Int.self)] })
        let same = """
            local function same(a, b)
              if type(a) ~= "table" then return a == b and math.type(a) == math.type(b) and 1 / (a == 0 and a or 1) == 1 / (b == 0 and b or 1) end
              for k, v in pairs(a) do if not same(v, b[k]) then return false end end
              for k in pairs(b) do if a[k] == nil then return false end end
              return true
            end
            """
        for (i, value) in values.enumerated() {
            let results = try state.run("\(same) return same(value(\(i)), \(value.literal))", name: "test.lua")
            #expect(Bool.read(results[0]) == true, "\(value.literal)")
        }
        let nan = try state.run("local x = \(LuaValue.number(.nan).literal) return x ~= x", name: "test.lua")
        #expect(Bool.read(nan[0]) == true)
    }
}
