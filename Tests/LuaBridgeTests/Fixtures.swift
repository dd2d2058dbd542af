@testable import LuaBridge

/// How many runs of one test are alive.
final class Tally {
    var alive = 0
}

/// A class like the runs of an experiment: numbers, a callback list.
final class Run: LuaObject {
    var step = 0
    var lr = 0.1
    var callbacks: [LuaCallback] = []
    var kept: [Pair] = []
    let name: String
    private let tally: Tally

    init(name: String, tally: Tally) {
        self.name = name
        self.tally = tally
        tally.alive += 1
    }

    deinit { tally.alive -= 1 }
}

/// A value with arithmetic.
final class Pair: LuaObject {
    let x: Double, y: Double

    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

struct Broken: Error, CustomStringConvertible, Equatable {
    let code: Int
    var description: String { "broken with code \(code)" }
}

func runClass() -> ObjectClass<Run> {
    let runs = ObjectClass<Run>("run", "A run.")
    runs.property("step", .integer, "Steps taken.") { $0.step }
    runs.property("lr", .number(.positive), "Learning rate.", get: { $0.lr }, set: { $0.lr = $1 })
    runs.procedure(
        "at", "Calls back at a step.",
        parameters: [Parameter("step", .integer(.nonNegative), "The step."), Parameter("fn", .function(), "Called.")]
    ) { run, call in
        run.callbacks.append(try call.capture("fn", in: run))
    }
    runs.method(
        "train", "Takes steps.", options: [Parameter("steps", .integer(.positive), default: 1, "How many.")],
        results: [Parameter("step", .integer, "The last step.")]
    ) { run, call in
        for _ in 0..<(try call.get("steps", as: Int.self)) {
            run.step += 1
            for callback in run.callbacks { try callback.call(run) }
        }
        return run.step
    }
    runs.iterator(
        "steps", "Takes steps one by one.", parameters: [Parameter("count", .integer, "How many.")],
        results: [Parameter("step", .integer, "The step."), Parameter("run", .object("run"), "The run.")]
    ) { run, call in
        var left: Int = try call.get("count")
        return LuaLoop {
            if left == 0 { return nil }
            left -= 1
            run.step += 1
            return LuaResults(run.step, run)
        }
    }
    runs.procedure("keep", "Keeps a pair.", parameters: [Parameter("pair", .object("pair"), "A pair.")]) { run, call in
        run.kept.append(try call.get("pair"))
        try call.keep("pair", in: run)
    }
    runs.description { "run '\($0.name)' at step \($0.step)" }
    return runs
}

func pairClass() -> ObjectClass<Pair> {
    let pairs = ObjectClass<Pair>("pair", "Two numbers.")
    pairs.property("x", .number, "The first.") { $0.x }
    pairs.infix(.add, "pair + pair", .object("pair")) { (a: Pair, b: Pair) in Pair(a.x + b.x, a.y + b.y) }
    pairs.infix(.multiply, "number * pair", .object("pair")) { (a: Double, b: Pair) in Pair(a * b.x, a * b.y) }
    pairs.infix(.multiply, "pair * number", .object("pair")) { (a: Pair, b: Double) in Pair(a.x * b, a.y * b) }
    pairs.infix(.equal, "pair == pair", .boolean) { (a: Pair, b: Pair) in a.x == b.x && a.y == b.y }
    pairs.negation { Pair(-$0.x, -$0.y) }
    pairs.length("Two.") { _ in 2 }
    pairs.elements(.number, "x and y.") { pair, i in i == 1 ? pair.x : i == 2 ? pair.y : nil }
    pairs.description { "(\($0.x), \($0.y))" }
    return pairs
}

/// The module `lab` that the tests' scripts use.
func labNamespace(_ tally: Tally = Tally()) -> Namespace {
    let lab = Namespace("lab", "For tests.")
    lab.function(
        "run", "A run.",
        options: [
            Parameter("name", .string, default: "unnamed", "Its name."),
            Parameter("batch_size", .integer(.positive).or(.choice("full")), default: 16, "Samples a step."),
            .optional("lr", .number(.positive), "Learning rate."),
            .optional("hidden", .list(of: .integer(.positive)), "Widths."),
        ], results: [Parameter("run", .object("run"), "The run.")]
    ) { call in
        let run = Run(name: try call.get("name"), tally: tally)
        if let lr: Double = try call.get("lr") { run.lr = lr }
        return run
    }
    lab.function("pair", "A pair.", parameters: [Parameter("x", .number, "x"), Parameter("y", .number, "y")]) { call in
        Pair(try call.get("x"), try call.get("y"))
    }
    lab.function("add", "A sum.", parameters: [Parameter("a", .number, "a"), Parameter("b", .number, "b")]) { call in
        try call.number(at: 0) + call.number(at: 1)
    }
    lab.function("fail", "Throws.", parameters: [Parameter("code", .integer, default: 1, "The code.")]) { call -> Int in
        throw Broken(code: try call.get("code"))
    }
    lab.function(
        "apply", "Calls a function.", parameters: [Parameter("fn", .function(), "Called.")],
        rest: .optional("arguments", .any, "Its arguments.")
    ) { call in
        let function: LuaFunction = try call.get("fn")
        return LuaResults(values: try function.call(arguments: try call.rest(as: LuaValue.self)))
    }
    lab.function("sum", "A sum.", parameters: [Parameter("values", .list(of: .number), "Numbers.")]) { call in
        try call.numbers("values").reduce(0, +)
    }
    lab.function("range", "1 … n.", parameters: [Parameter("n", .integer(.between(0, 1e6)), "How many.")]) { call in
        (0..<(try call.get("n", as: Int.self))).map { Double($0 + 1) }
    }
    lab.function("echo", "Its argument.", parameters: [Parameter("value", .any, "Anything.")]) { try $0.value("value") }
    let inner = lab.namespace("nn", "Networks.")
    inner.function("mlp", "A network.", parameters: [Parameter("inputs", .integer, "Width.")]) { call in
        try call.get("inputs", as: Int.self)
    }
    return lab
}

func makeState(
    tally: Tally = Tally(), interrupt: Interrupt? = nil, _ configure: (inout LuaState.Configuration) -> Void = { _ in }
) throws -> LuaState {
    var configuration = LuaState.Configuration()
    configure(&configuration)
    let state = try LuaState(configuration, interrupt: interrupt)
    try state.install(runClass())
    try state.install(pairClass())
    try state.install(labNamespace(tally))
    return state
}

/// The description of the error that the script ends in; "no error" for none.
func failure(of source: String, in state: LuaState) -> String {
    do {
        try state.run(source, name: "test.lua")
        return "no error"
    } catch { return "\(error)" }
}
