import Testing

@testable import LuaBridge

/// How declared functions may be called, and what their errors say.
@Suite struct CallTests {
    /// `f(a, b, ...)` shows what arrived: each argument by name.
    static func state() throws -> LuaState {
        let state = try LuaState()
        let space = Namespace("t", "For tests.")
        let layer = [Parameter("inputs", .integer, "Width."), Parameter("outputs", .integer, default: 10, "Width.")]
        space.function("layer", "Parameters only.", parameters: layer) { call in
            "\(try call.get("inputs", as: Int.self)) \(try call.get("outputs", as: Int.self))"
        }
        space.function(
            "measure", "A parameter and options.",
            parameters: [Parameter("what", .string.or(.list(of: .string)), "What.")],
            options: [
                Parameter("every", .integer(.positive), default: 1, unit: "steps", "How often."),
                .optional("fn", .function(), "How."),
                .optional(
                    "window",
                    .record([
                        Parameter("from", .integer, "First."), .optional("to", .integer, "Last."),
                    ]), "Where."),
            ]
        ) { call in
            let names = try [String].read(try call.value("what")) ?? [call.get("what")]
            let window = try call.get("window", as: LuaTable?.self)?.fields.keys.map(\.description).sorted() ?? []
            return "\(names) \(try call.get("every", as: Int.self)) \(try call.has("fn")) \(window)"
        }
        space.function(
            "sequential", "Elements and options.",
            options: [Parameter("dtype", .choice("f32", "f64"), default: "f32", "Type.")],
            items: Parameter("layers", .string, "Layers.")
        ) { call in "\(try call.items(as: String.self)) \(try call.get("dtype", as: String.self))" }
        space.function(
            "contract", "Further arguments and options.", options: [.optional("at", .number, "Where.")],
            rest: Parameter("vectors", .number, "Vectors.")
        ) { call in "\(try call.rest(as: Double.self)) \(try call.get("at", as: Double?.self) ?? 0)" }
        space.function("grid", "A map.", parameters: [Parameter("grid", .map(of: .list(of: .number)), "Values.")]) {
            call in
            let grid: [String: [Double]] = try call.get("grid")
            return grid.keys.sorted().map { "\($0)=\(grid[$0] ?? [])" }.joined(separator: " ")
        }
        try state.install(space)
        return state
    }

    @Test func everyStyleOfCallArrives() throws {
        let state = try Self.state()
        let cases = [
            ("t.layer(3, 4)", "3 4"), ("t.layer(3)", "3 10"), ("t.layer(3, nil)", "3 10"),
            ("t.layer(8000.0)", "8000 10"),
            ("t.layer{ inputs = 3, outputs = 5 }", "3 5"), ("t.layer{ inputs = 3 }", "3 10"),
            ("t.measure('loss')", "[\"loss\"] 1 false []"),
            ("t.measure('loss', { every = 5, fn = print })", "[\"loss\"] 5 true []"),
            ("t.measure({ 'loss', 'edge' }, { every = 5 })", "[\"loss\", \"edge\"] 5 false []"),
            ("t.measure({ 'loss' })", "[\"loss\"] 1 false []"),
            ("t.measure('loss', { window = { from = 1 } })", "[\"loss\"] 1 false [\"from\"]"),
            ("t.measure('loss', nil)", "[\"loss\"] 1 false []"),
            ("t.sequential{ 'a', 'b', dtype = 'f64' }", "[\"a\", \"b\"] f64"), ("t.sequential{}", "[] f32"),
            ("t.sequential()", "[] f32"),
            ("t.contract()", "[] 0.0"), ("t.contract(1, 2)", "[1.0, 2.0] 0.0"),
            ("t.contract(1, 2, { at = 3 })", "[1.0, 2.0] 3.0"), ("t.contract{ at = 3 }", "[] 3.0"),
            ("t.grid{ lr = {1, 2}, seed = {} }", "lr=[1.0, 2.0] seed=[]"),
        ]
        for (call, arrived) in cases {
            #expect(String.read(try state.run("return \(call)", name: "test.lua")[0]) == arrived, "\(call)")
        }
    }

    @Test func everyMisfitIsExplained() throws {
        let state = try Self.state()
        let cases = [
            ("t.layer()", "argument 1 'inputs' of t.layer is missing: expected an integer"),
            ("t.layer(1.5)", "argument 1 'inputs' of t.layer: expected an integer, got 1.5"),
            ("t.layer('3')", "argument 1 'inputs' of t.layer: expected an integer, got '3' (a string)"),
            ("t.layer(1, 2, 3)", "t.layer takes at most 2 arguments, got 3: t.layer(inputs, [outputs])"),
            ("t.layer{ 1, 2 }", "t.layer takes options by name: unexpected entry [1]"),
            ("t.layer{ inputs = 1, output = 2 }", "unknown option 'output' for t.layer: did you mean 'outputs'?"),
            ("t.measure(1)", "argument 1 'what' of t.measure: expected a string or a list of strings, got 1"),
            ("t.measure({ 'a', 2 })", "argument 1 'what' of t.measure: element 2: expected a string, got 2"),
            ("t.measure('x', { evry = 1 })", "unknown option 'evry' for t.measure: did you mean 'every'?"),
            ("t.measure('x', { every = 0 })", "option 'every' of t.measure: expected an integer > 0, got 0"),
            ("t.measure('x', { every = 0/0 })", "option 'every' of t.measure: expected an integer > 0, got -nan"),
            ("t.measure('x', 5)", "t.measure takes a table of options here, got 5"),
            ("t.measure('x', { window = {} })", "option 'window' of t.measure: option 'from' is missing (an integer)"),
            (
                "t.measure('x', { window = { from = 1, too = 2 } })",
                "option 'window' of t.measure: unknown option 'too': did you mean 'to'?"
            ),
            (
                "t.sequential{ dtype = 'f16' }",
                "option 'dtype' of t.sequential: expected 'f32' or 'f64', got 'f16' (a string)"
            ),
            ("t.sequential{ 'a', 3 }", "element 2 ('layers') of t.sequential: expected a string, got 3"),
            ("t.sequential{ 'a', [5] = 'x' }", "t.sequential takes options by name: unexpected entry [5]"),
            ("t.contract(1, 'x')", "argument 'vectors' of t.contract: expected a number, got 'x' (a string)"),
            ("t.grid{ lr = 1 }", "argument 1 'grid' of t.grid: 'lr': expected a list of numbers, got 1"),
            (
                "t.grid{ 1 }",
                "argument 1 'grid' of t.grid: expected a table of names, each a list of numbers, got a table with the entry 1"
            ),
            ("t.unheard()", "unknown name 'unheard' in t (names: contract, grid, layer, measure, sequential)"),
            ("t.sequental{}", "unknown name 'sequental' in t: did you mean 'sequential'?"),
        ]
        for (call, message) in cases { #expect(failure(of: call, in: state) == "test.lua:1: " + message) }
    }

    @Test func declarationsDocumentThemselves() throws {
        let state = try Self.state()
        var found: FunctionDeclaration?
        try state.install(
            DeclaredFunction(
                FunctionDeclaration("help", "Help.", parameters: [Parameter("about", .function(), "What.")])
            ) { call in
                found = try call.get("about", as: LuaFunction.self).declaration
                return LuaResults()
            })
        try state.run("help(t.measure)", name: "test.lua")
        let declaration = try #require(found)
        #expect(declaration.signature == "t.measure(what, { [every], [fn], [window] })")
        #expect(declaration.options[0].unit == "steps")
        #expect(declaration.options[0].defaultValue?.spelling == "1")
        #expect(declaration.parameters[0].type.words == "a string or a list of strings")
        found = nil
        try state.run("help(print)", name: "test.lua")
        #expect(found == nil)
    }

    @Test(arguments: [
        ("batchsize", "batch_size"), ("batch-size", "batch_size"), ("lerning_rate", "learning_rate"), ("LR", "lr"),
        ("sede", "seed"), ("optimiser", "optimizer"), ("banana", nil), ("x", nil), ("", nil),
    ])
    func theNearestNameIsSuggested(_ written: String, _ meant: String?) {
        let names = ["batch_size", "learning_rate", "lr", "seed", "optimizer", "model"]
        #expect(nearestName(to: written, among: names) == meant)
    }

    /// Three letters of nine may be wrong; a swap of neighbours is one edit, and no part is edited twice.
    @Test func distancesCountSwapsOnce() {
        #expect(nearestName(to: "abcdefghi", among: ["badcfehig"]) == nil)
        #expect(nearestName(to: "abcdefghi", among: ["badcfeghi"]) == "badcfeghi")
        #expect(nearestName(to: "kitten", among: ["sitting"]) == nil)
        #expect(nearestName(to: "kittens", among: ["sittens"]) == "sittens")
        #expect(nearestName(to: "caxyzwxyz", among: ["abcxyzwxyz"]) == "abcxyzwxyz")
    }

    /// Of several as near, the first; at any length and number, without work that grows with them.
    @Test func suggestionsAreBounded() throws {
        #expect(nearestName(to: "lx", among: ["lz", "la", "ly"]) == "la")
        let long = String(repeating: "batch_size", count: 300_000)
        #expect(nearestName(to: long, among: ["batch_size", long]) == nil)
        #expect(nearestName(to: "batchsize", among: (0..<1_000_000).lazy.map { "name\($0)" }) == nil)
        let state = try makeState()
        for script in [
            "lab.run{ [('x'):rep(3000000)] = 1 }", "return lab[('x'):rep(3000000)]",
            "return lab.run{}[('é'):rep(1500000)]",
            "lab.run{}[('x'):rep(3000000)] = 1", "return _G[('x'):rep(3000000)].y", "require(('x'):rep(3000000))",
        ] {
            do {
                try state.run(script, name: "long.lua")
                Issue.record("no error: \(script)")
            } catch let error as LuaError {
                #expect(error.message.utf8.count < 1000, "\(script): \(error.message.prefix(100))")
            }
        }
    }
}
