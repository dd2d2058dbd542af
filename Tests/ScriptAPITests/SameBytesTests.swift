import Testing

@testable import ScriptAPI

/// What a script gives is what is kept: no two names become one, no large number another, and no order is left to chance.
@Suite struct SameBytesTests {
    /// The letter é as one scalar and as two: names that text comparison takes for one.
    private static let twice = "{ [\"\\u{e9}\"] = 1, [\"e\\u{301}\"] = 2 }"

    @Test(arguments: [
        ("run.state.x = \(twice); run:train{ steps = 1 }; run:checkpoint()", "is given twice, in different bytes"),
        ("run:note('n', { data = \(twice) })", "data: the name 'é' is given twice, in different bytes"),
        ("run:note('n', { data = { [\"\\xff\"] = 1 } })", "is not UTF-8"),
        (
            "eoss.sweep{ grid = { s = { 1, 2 } }, run = function() return \(twice) end }",
            "what the function returned: the name 'é' is given twice"
        ),
        ("run:note('n', { data = { c = print, b = print, a = print, d = print } })", "data.a is a function"),
    ])
    func whatWouldBeLostIsAnError(_ call: String, _ expected: String) throws {
        let failure = try Laboratory().failure(of: smallRun + call)
        #expect(failure?.contains(expected) == true, "\(failure ?? "no failure")")
    }

    @Test func aSeriesIsFoundByItsBytes() throws {
        let failure = try Laboratory().failure(
            of: smallRun + """
                run:track("\\u{e9}", { fn = function() return 1 end })
                run:train{ steps = 2 }
                assert(#run:series("\\u{e9}") == 3)
                assert(not pcall(run.series, run, "e\\u{301}"))
                assert(#eoss.runs{ where = 'name == "small"' } == 1)
                """)
        #expect(failure == nil)
    }

    @Test(arguments: [
        ("0x20000000000001", "9007199254740993"), ("-0x10", "-16"), ("9223372036854775807", "9223372036854775807"),
        ("1e3", "1000"),
    ])
    func integersOfTheCommandLineStayWhole(_ text: String, _ expected: String) throws {
        let laboratory = try Laboratory()
        try laboratory.run("local p = eoss.params{ i = 1 } print(p.i)") { $0.settings = [.init("i", text)] }
        #expect(laboratory.printed == [expected])
    }

    @Test(arguments: ["9223372036854775808", "0x10000000000000000", "-9223372036854775809"])
    func integersThatAreTooLargeAreNoOthers(_ text: String) throws {
        let failure = try Laboratory().failure(of: "eoss.params{ i = 1 }") { $0.settings = [.init("i", text)] }
        #expect(failure == "test.lua:1: --set i=\(text): expected a number, as the default 1")
    }

    @Test func namesOfSeriesHaveALength() throws {
        let failure = try Laboratory().failure(
            of: smallRun + "run:track(('n'):rep(1e6), { fn = function() return 1 end })")
        #expect(failure?.contains("it is longer than 200 bytes") == true)
        #expect((failure?.utf8.count ?? .max) < 500)
    }

    /// What is asked for is looked for in every text: of no length does that take long.
    @Test func helpOfALongNameIsQuick() throws {
        let laboratory = try Laboratory()
        try laboratory.run(
            "help{ find = ('lr'):rep(1e6) } assert(not pcall(help, ('lr'):rep(1e6))) assert(not pcall(help, ('n'):rep(3e6)))"
        )
        #expect(laboratory.printed.count == 1)
    }
}
