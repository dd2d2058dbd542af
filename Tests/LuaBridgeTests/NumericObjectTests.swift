import Testing

@testable import LuaBridge

/// A number with a name.
private final class Quantity: LuaNumeric {
    let value: Double?
    init(_ value: Double?) { self.value = value }
    var number: Double? { value }
}

/// Has elements, and entries by name.
private final class Row: LuaObject {
    let numbers: [Double]
    init(_ numbers: [Double]) { self.numbers = numbers }
}

@Suite struct NumericObjectTests {
    private func state() throws -> LuaState {
        let state = try LuaState()
        let quantities = ObjectClass<Quantity>("quantity", "A number with a name.")
        quantities.infix(.add, "number + number", .number) { (a: Double, b: Double) in a + b }
        quantities.infix(.less, "number < number", .boolean) { (a: Double, b: Double) in a < b }
        quantities.description { "q = \($0.value ?? .nan)" }
        try state.install(quantities)
        let rows = ObjectClass<Row>("row", "Numbers.")
        rows.length("How many.") { $0.numbers.count }
        rows.elements(.number, "A number.") { row, i in row.numbers.indices.contains(i - 1) ? row.numbers[i - 1] : nil }
        rows.entries(.number, "The first.", names: { _ in ["first"] }, body: { $1 == "first" ? $0.numbers.first : nil })
        rows.infix(.add, "number + row", .object("row")) { (a: Double, row: Row) in Row(row.numbers.map { a + $0 }) }
        try state.install(rows)
        try state.setGlobal("m", to: Quantity(2.5))
        try state.setGlobal("none", to: Quantity(nil))
        try state.setGlobal("row", to: Row([3, 4]))
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("twice", "", parameters: [Parameter("x", .number(.positive), "A number.")])
            ) { call in try 2 * call.get("x", as: Double.self) })
        return state
    }

    /// What the functions of Lua's library give for an object is what they give for its number.
    @Test(arguments: [
        "string.format('%g|%5.1f|%s|%%|%d', m, m, m, 7)", "('%.3f'):format(m)", "tonumber(m)", "tonumber('10', 2)",
        "tonumber('z')", "math.floor(m)", "math.max(m, 1, 9)", "math.sqrt(m)", "math.min(9, m)", "math.fmod(m, 2)",
        "math.type(1)", "string.format('%q %s %d', 'a', 'b', 3)", "select('#', math.modf(m))", "math.tointeger(m)",
        "twice(m)", "m + 1", "1 + m", "m + m", "m < 3", "3 < m", "m > 3",
    ])
    func anObjectThatStandsForANumberGoesWhereLuaTakesOne(_ expression: String) throws {
        let state = try state()
        let got = try state.run("return tostring(\(expression))", name: "t.lua").first.flatMap { String.read($0) }
        // The same with the number itself; where it is shown as text, that of the object.
        let plain = expression.replacing("m + m", with: "2.5 + 2.5").replacing(
            "%s|%%|%d', m, m, m", with: "q = 2.5|%%|%d', 2.5, 2.5"
        )
        .replacing(/\bm\b(?!')/, with: "2.5")
        let expected = try state.run("return tostring(\(plain))", name: "t.lua").first.flatMap { String.read($0) }
        #expect(got != nil && got == expected, "\(plain)")
    }

    @Test(arguments: [
        ("string.format('%g', row)", "bad argument #2 to 'format' (number expected, got row)"),
        ("string.format('%g', none)", "bad argument #2 to 'format' (number expected, got quantity)"),
        ("string.format('%d', m)", "bad argument #2 to 'format' (number has no integer representation)"),
        ("math.floor(row)", "bad argument #1 to 'floor' (number expected, got row)"),
        ("math.sqrt()", "bad argument #1 to 'sqrt' (number expected, got no value)"),
        ("tonumber()", "bad argument #1 to 'tonumber' (value expected)"),
        ("twice(none)", "argument 1 'x' of twice: expected a number > 0, got a quantity"),
        ("m < row", "'<' cannot be applied to a quantity and a row (it takes: number < number)"),
        ("row.frist", "unknown property 'frist' of row: did you mean 'first'?"),
    ])
    func whatIsNoNumberIsRefusedInLuasWords(_ expression: String, _ message: String) throws {
        let state = try state()
        let error = #expect(throws: (any Error).self) { try state.run("return \(expression)", name: "t.lua") }
        #expect(error.map { "\($0)" } == "t.lua:1: \(message)")
    }

    /// A class that does not know the right operand leaves the operator to that operand's class, as Lua does for numbers.
    @Test func theRightOperandsClassIsAskedWhereTheLeftOnesDoesNotFit() throws {
        let results = try state().run("local r = m + row; return r[1], r[2], #r, r.first", name: "t.lua")
        #expect(results.map { Double.read($0) } == [5.5, 6.5, 2, 5.5])
    }

    @Test func pairsGoesThroughTheElementsAsIpairsDoes() throws {
        let results = try state().run(
            "local t = {}; for i, x in pairs(row) do t[#t + 1] = i .. '=' .. x end; return table.concat(t, ' ')",
            name: "t.lua")
        #expect(String.read(results[0]) == "1=3.0 2=4.0")
    }
}
