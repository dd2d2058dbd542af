import Testing

@testable import LuaBridge

@Suite struct RecordTests {
    @Test func aRecordIsATableWhoseMisspeltNamesAreErrors() throws {
        let state = try LuaState()
        try state.install(
            DeclaredFunction(FunctionDeclaration("record", "")) { _ in
                LuaRecord(["lr": 0.1, "steps": 3], called: "the parameters")
            })
        let results = try state.run(
            """
            local p, names = record(), {}
            for name in pairs(p) do names[#names + 1] = name end
            table.sort(names)
            p.extra = 5
            return table.concat(names, " "), p.steps + p.extra, rawget(p, "none")
            """, name: "test.lua")
        #expect(String.read(results[0]) == "lr steps" && Int.read(results[1]) == 8 && results[2].isNil)
        #expect(try state.evaluate("record()") == .values(["{lr = 0.1, steps = 3}"]))
        do {
            try state.run("\nreturn record().step", name: "test.lua")
            Issue.record("no error")
        } catch {
            #expect("\(error)" == "test.lua:2: unknown name 'step' in the parameters: did you mean 'steps'?")
        }
    }
}
