import Experiments
import LuaBridge

extension Lockstep: LuaObject {}

extension ScriptHost {
    /// `lockstep`: what `eoss.lockstep` gives.
    func lockstepClass() -> ObjectClass<Lockstep> {
        let locksteps = ObjectClass<Lockstep>(
            "lockstep", "Runs that took their steps together, and how far they were from each other.")
        locksteps.property("names", .list(of: .string), "What its runs are called.") { $0.names }
        locksteps.method(
            "series", "How far two of the runs were from each other, along their steps.",
            parameters: [
                Parameter("what", .choice(Lockstep.Quantity.allCases.map(\.rawValue)), "What was compared."),
                Parameter("first", .string, "The name of one run."), Parameter("second", .string, "That of the other."),
            ], results: [Parameter("series", .object("series"), "The distances, by the step of the first run.")]
        ) { lockstep, call in
            SeriesObject(try lockstep.series(call.choice("what"), call.get("first"), call.get("second")))
        }
        locksteps.description { "lockstep of \($0.names.joined(separator: ", ")) at step \($0.runs[0].programStep)" }
        return locksteps
    }

    /// `eoss.lockstep`.
    func addLockstep(to eoss: Namespace) {
        let quantity = LuaType.choice(Lockstep.Quantity.allCases.map(\.rawValue))
        eoss.function(
            "lockstep",
            "Takes steps of several runs in turns, and measures how far they are from each other. The distances are series of the first run, too, 'params distance of a and b', say, and so in its file.",
            parameters: [
                Parameter(
                    "runs", LuaType.map(of: .object("run")).or(.list(of: .object("run"))),
                    "The runs, all at one step: by names, or as a list, each by its own.")
            ],
            options: [
                Parameter("steps", .integer(.nonNegative), unit: "steps", "So many further steps of each."),
                Parameter("every", .integer(.positive), default: 1, unit: "steps", "After how many they are compared."),
                .optional(
                    "distance", quantity.or(.list(of: quantity)),
                    "What is compared, 'params' by default. params: the norm of the difference of parameters; outputs: the root of the mean squared difference of a sample's outputs; sketch: as series of sketches compare; angle: between the ways they have gone since, in radians; midpoints: as params, of (θₜ₋₁ + 2θₜ + θₜ₊₁)/4, by the step t before the last."
                ),
                .optional(
                    "each", .function(("step", .integer), ("runs", .map(of: .object("run")))),
                    "What is called after each step of all, with the runs by name."),
            ], results: [Parameter("lockstep", .object("lockstep"), "The distances.")]
        ) { call in
            let named = try Self.namedRuns(call)
            var quantities: [Lockstep.Quantity] = [.parameters]
            if try call.has("distance") {
                quantities = try call.names("distance").map { Lockstep.Quantity(rawValue: $0) ?? .parameters }
            }
            for (_, run) in named { try run.custody?.check() }
            let lockstep = try Lockstep(named, comparing: quantities)
            for (_, run) in named { try call.state.keep(run, in: lockstep) }
            let each: LuaFunction? = try call.get("each")
            let runs = LuaRecord(
                Dictionary(uniqueKeysWithValues: named.map { ($0.name, $0.run.luaValue) }), called: "the runs")
            try lockstep.advance(
                steps: call.get("steps"), every: call.get("every"),
                each: each.map { each in { step in _ = try each.call(step, runs) } })
            return lockstep
        }
    }

    /// The argument 'runs': by names in their order, or as a list.
    private static func namedRuns(_ call: borrowing LuaCall) throws -> [(name: String, run: Run)] {
        if let list = [Run].read(try call.value("runs")), !list.isEmpty {
            let names = list.map(\.name)
            if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
                throw ArgumentError(
                    "eoss.lockstep: two runs are called '\(twice)': give them by names, as in { a = …, b = … }")
            }
            return zip(names, list).map { ($0, $1) }
        }
        let map: [String: Run] = try call.get("runs")
        return map.sorted { $0.key < $1.key }.map { (name: $0.key, run: $0.value) }
    }
}
