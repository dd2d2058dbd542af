import CLua

/// What crossing the bridge costs, for `make bench`.
public struct BridgeCost: Sendable {
    /// Seconds for a call of a declared Swift function with two numbers, above an empty loop.
    public let bridge: Double
    /// Seconds for a call of a C function registered by hand that does the same.
    public let plain: Double
    /// Seconds for a Lua function called from Swift with one object.
    public let callback: Double
    /// Seconds for one step of a Swift iterator in a `for` loop, with a number and an object.
    public let iteration: Double

    private final class Thing: LuaObject {}

    /// Takes the medians of several rounds, the kinds of call interleaved.
    public static func measure(calls: Int = 200_000, rounds: Int = 7) throws -> BridgeCost {
        let state = try LuaState()
        let bench = Namespace("bench", "What is measured.")
        bench.function(
            "add", "A sum.", parameters: [Parameter("a", .number, "One."), Parameter("b", .number, "Other.")]
        ) {
            try $0.number(at: 0) + $0.number(at: 1)
        }
        var callback: LuaCallback?
        let things = ObjectClass<Thing>("thing", "An object.")
        things.procedure("on", "Takes a function.", parameters: [Parameter("fn", .function(), "The function.")]) {
            callback = try $1.capture("fn", in: $0)
        }
        things.iterator("steps", "Steps.", parameters: [Parameter("n", .integer, "How many.")], results: []) {
            thing, call in
            var left: Int = try call.get("n")
            return {
                left -= 1
                return left < 0 ? nil : LuaResults(left, thing)
            }
        }
        bench.function("thing", "An object.") { _ in Thing() }
        try state.install(things)
        try state.install(bench)
        try state.installYardstick()
        try state.run(
            """
            local add, plain = bench.add, plain
            thing = bench.thing()
            thing:on(function(t) end)
            function empty(n) for i = 1, n do local s = i end end
            function bridge(n) for i = 1, n do local s = add(i, 2.5) end end
            function byhand(n) for i = 1, n do local s = plain(i, 2.5) end end
            function iterate(n) for i, t in thing:steps(n) do end end
            """, name: "bench.lua")
        var seconds: [[Double]] = [[], [], [], [], []]
        for _ in 0..<rounds {
            for (i, name) in ["empty", "bridge", "byhand", "iterate"].enumerated() {
                seconds[i].append(try time(calls) { try state.run("\(name)(\(calls))", name: "bench.lua") })
            }
            seconds[4].append(
                try time(calls) { for _ in 0..<calls { try callback?.call() } })
        }
        let median = seconds.map { $0.sorted()[rounds / 2] }
        return BridgeCost(
            bridge: median[1] - median[0], plain: median[2] - median[0], callback: median[4],
            iteration: median[3] - median[0])
    }

    private static func time(_ calls: Int, _ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let elapsed = try clock.measure(body)
        let (seconds, attoseconds) = elapsed.components
        return (Double(seconds) + 1e-18 * Double(attoseconds)) / Double(calls)
    }
}

extension LuaState {
    fileprivate func installYardstick() throws {
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.check(clua_push_globals(stack.lua))
        try stack.check(clua_push_yardstick(stack.lua))
        try stack.setField(top + 1, "plain")
    }
}
