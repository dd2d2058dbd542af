import Compute
import Experiments
import LuaBridge

/// The progress of a run that trains beside others: used on the thread of its training.
final class MeterOfBranch {
    var meter = ProgressMeter()
}

extension ScriptHost {
    /// `eoss.parallel`.
    func addParallel(to eoss: Namespace) {
        let own = Parameter("run", .object("run"), "The run.")
        eoss.function(
            "parallel",
            "Trains several runs at the same time, each on a core of its own, to the bits that they have one after the other. Functions of the script are called one at a time, each with its own run; other runs of the list cannot be used there. math.random goes on by itself in each run.",
            parameters: [
                Parameter(
                    "runs", .list(of: .object("run").or(.record([own] + TrainingGoal.parameters))),
                    "The runs; { run = r, steps = 100 } is one with a goal of its own, as run:train takes it.")
            ], options: TrainingGoal.parameters,
            results: [Parameter("reached", .list(of: .trainingEnd), "Which goal each has reached.")]
        ) { [unowned self] call in
            var shared: [String: LuaValue] = [:]
            for option in TrainingGoal.parameters { shared[option.name] = try call.value(option.name) }
            guard case .table(let list) = try call.value("runs") else { throw ArgumentError("'runs' is no list") }
            let trainings = try list.array.map { value -> (run: Run, goal: TrainingGoal) in
                var (run, goal) = (Run.read(value), shared)
                if run == nil, case .table(let table) = value {
                    run = Run.read(table["run"])
                    let given = TrainingGoal.parameters.map { ($0.name, table[$0.name]) }
                    if given.contains(where: { !$1.isNil }) { goal = Dictionary(given) { $1 } }
                }
                guard let run else { throw ArgumentError("eoss.parallel: 'runs' is a list of runs") }
                try run.custody?.check()
                return (run, try TrainingGoal(goal, of: run, "eoss.parallel"))
            }
            return try train(Parallel(trainings)).map(\.rawValue)
        }
    }

    private func train(_ parallel: Parallel) throws -> [TrainingEnd] {
        let runs = parallel.trainings.map(\.run)
        // Each draws from a stream of its own, so that none depends on how far the others are.
        randomOfProgram = state.randomState
        var latest: [ObjectIdentifier: TrainingSnapshot] = [:]
        meters = Dictionary(uniqueKeysWithValues: runs.map { (ObjectIdentifier($0), MeterOfBranch()) })
        parallel.atBeginning = { [unowned self] run, isTakenUp in
            // One that goes on has that of its checkpoint.
            randomOfBranches[ObjectIdentifier(run)] = isTakenUp ? state.randomState : Self.stream(of: run)
            if isTakenUp, let random = mainRandom(of: run) { randomOfProgram = random }
        }
        parallel.aroundHandOver = { [unowned self] run, body in
            let id = ObjectIdentifier(run)
            // What it keeps meanwhile is what this draws from.
            state.randomState = randomOfBranches.removeValue(forKey: id)
            body()
            randomOfBranches[id] = state.randomState
        }
        parallel.afterwards = { [unowned self] in
            // Where all had ended before, it stands where the last of them was caught up with.
            if !randomOfBranches.isEmpty { state.randomState = randomOfProgram }
            (randomOfProgram, randomOfBranches) = (nil, [:])
        }
        parallel.atMeeting = { [unowned self] runs in
            if interrupt.stopReason != nil { try stop(runs) }
            if interrupt.isPauseRequested { try pause(runs) }
        }
        parallel.aroundThread = { [state] body in
            // A thread that is refused memory has garbage collected where Lua is.
            let collect = { (try? HandOver.perform { state.collectGarbageIfCalled() }) ?? false }
            let handOver = LuaThread.HandOver { body in try? HandOver.perform(body) }
            LuaThread.$handOver.withValue(handOver) {
                MemoryAccount.shared.reclaiming(by: collect, during: body)
            }
        }
        showProgress = { [unowned self] run, snapshot in
            latest[ObjectIdentifier(run)] = snapshot
            options.progress?(Self.summary(of: latest.values, count: runs.count) ?? snapshot)
        }
        defer {
            (meters, showProgress) = ([:], nil)
            if let random = randomOfProgram { state.randomState = random }
            (randomOfProgram, randomOfBranches) = (nil, [:])
        }
        do { return try parallel.train() } catch let failure as Parallel.Failure {
            guard var error = failure.error as? LuaError else { throw failure }
            if case .stopped = error.kind { throw error }
            error.message = "run '\(failure.run)': \(error.message)"
            throw error
        }
    }

    /// Where `math.random` begins in a run that trains beside others: it follows from the run's seed, name and step.
    private static func stream(of run: Run) -> [UInt64] {
        randomStream(from: [run.seed &+ UInt64(run.step) &* 0x9E37_79B9_7F4A_7C15], of: run.name)
    }

    /// Calls what a probe is written with. What it draws by `math.random` comes from a stream of its own, of run, step and name: the run
    /// goes on as if it had not been.
    func answer(of probe: LuaCallback, named name: String, for run: Run) throws -> LuaValue {
        try probe.onItsThread {
            let outer = state.randomState
            defer { state.randomState = outer }
            let step = UInt64(bitPattern: Int64(run.step))
            state.randomState = Self.randomStream(
                from: [run.seed &+ step &* 0x9E37_79B9_7F4A_7C15], of: "\(run.name)/\(name)")
            return try probe.call(run).first ?? .nil
        }
    }

    /// A stream for what has this name.
    static func randomStream(from words: [UInt64], of name: String) -> [UInt64] {
        var number = words.dropFirst().reduce(words.first ?? 0) { mixed($0) ^ $1 }
        for byte in name.utf8 { number = mixed(number ^ UInt64(byte)) }
        return (0..<4).map { _ in
            number = mixed(number)
            return number
        }
    }

    /// A number of which every bit depends on every bit of another (SplitMix64).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var z = number &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Between two steps of a run that has a thread of its own: this is called there.
    func stepBoundaryElsewhere(of run: Run) throws {
        if let afterStep { try HandOver.perform { afterStep(run) } }
        if interrupt.stopReason != nil || interrupt.isPauseRequested { try HandOver.meet() }
        guard options.progress != nil, let own = meters[ObjectIdentifier(run)], own.meter.isDue(run) else { return }
        let snapshot = own.meter.snapshot(of: run)
        HandOver.notify { [unowned self] in showProgress?(run, snapshot) }
    }

    /// The one that takes longest stands for all of them.
    private static func summary(
        of snapshots: Dictionary<ObjectIdentifier, TrainingSnapshot>.Values, count: Int
    ) -> TrainingSnapshot? {
        var last = snapshots.max { ($0.secondsLeft ?? 0, $1.run) < ($1.secondsLeft ?? 0, $0.run) }
        if count > 1, let name = last?.run { last?.run = "\(name) and \(count - 1) more" }
        return last
    }
}
