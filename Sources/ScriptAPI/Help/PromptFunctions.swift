import LuaBridge
import Objectives

/// Functions for who looks around: `time`, `breakpoint`.
extension ScriptHost {
    func timeFunction() -> DeclaredFunction {
        DeclaredFunction(
            FunctionDeclaration(
                "time", "Calls a function, prints how long it took, and returns what it returned.",
                parameters: [Parameter("fn", .function(), "What is called.")],
                rest: Parameter("arguments", .any, "What it is called with."),
                results: [Parameter("results", .any, "What it returned.")])
        ) { [unowned self] call in
            let function: LuaFunction = try call.get("fn")
            let arguments: [LuaValue] = try call.rest()
            let watch = Stopwatch()
            let results = try function.call(arguments: arguments)
            let seconds = watch.seconds
            try options.print(LuaBytes("\(short(seconds < 1 ? seconds * 1000 : seconds)) \(seconds < 1 ? "ms" : "s")"))
            return LuaResults(values: results)
        }
    }

    func breakpointFunction() -> DeclaredFunction {
        DeclaredFunction(
            FunctionDeclaration(
                "breakpoint",
                "Opens a prompt at this place of the script, with its local variables; continue() goes on. Where there is no terminal it does nothing but say so."
            )
        ) { [unowned self] _ -> LuaResults in
            guard let prompt = options.prompt ?? options.pause else {
                options.message("breakpoint(): there is no terminal to ask at; the script goes on")
                return LuaResults()
            }
            pauseDepth += 1
            let end = prompt(self)
            pauseDepth -= 1
            clearRequests()
            if end == .stop {
                interrupt.requestStop()
                throw LuaError(.stopped(.requested), "stopped at a breakpoint")
            }
            return LuaResults()
        }
    }
}
