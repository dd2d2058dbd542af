import Compute
import Dynamics

/// What a program asks of its run. Everything goes by way of a journal, so that the program can be executed again after its run was
/// restored.
extension Run {
    /// Whether what is asked for comes from the program itself, not from an action, a probe or the body of a loop over steps.
    var isProgram: Bool {
        actionDepth == 0 && !isMeasuring && loop == nil && trainingDepth == 0 && !(isInteractive?() ?? false)
    }

    /// Steps taken, as far as the program has come: less than ``step`` while it is executed again.
    public var programStep: Int { redo?.deed.step ?? replay?.clock.step ?? step }
    /// The same of epochs.
    public var programEpoch: Double { redo?.deed.epoch ?? replay?.clock.epoch ?? epoch }
    /// The same of the time.
    public var programTime: Double { redo?.deed.time ?? replay?.clock.time ?? time }

    /// Whether the program is behind the state that the run was restored from.
    public var isBeingResumed: Bool { replay != nil }

    func entry(_ kind: Journal.Entry.Kind, _ what: String, _ value: JSONValue) -> Journal.Entry {
        Journal.Entry(kind: kind, what: what, value: value, step: step, epoch: epoch, time: time)
    }

    // MARK: - Assignments and reading

    /// Assigns, or where that was done before the checkpoint looks whether it was the same.
    func assigning(_ what: String, _ value: @autoclosure () -> JSONValue, _ body: () throws -> Void) throws {
        guard isProgram else {
            if let redo {
                _ = try redo.take(.assign, what, value())
                return
            }
            try body()
            return noteDeed(.assign, what, value())
        }
        let value = value()
        if let replay {
            if try replay.take(.assign, what, value) != nil { return try catchUpIfOver() }
            try goOn()
        }
        try body()
        journal.append(entry(.assign, what, value))
        noteRest()
    }

    /// Reads a number of the present state, or gives the one that was read before the checkpoint.
    public func reading(_ what: String, _ body: () throws -> JSONValue) throws -> JSONValue {
        guard isProgram else {
            if let redo { return try redo.take(.read, what, nil).value }
            noteReading()
            let value = try body()
            noteDeed(.read, what, value)
            return value
        }
        if let replay {
            if let known = try replay.take(.read, what, nil) {
                try catchUpIfOver()
                return known.value
            }
            try goOn()
        }
        let value = try body()
        journal.append(entry(.read, what, value))
        noteRest()
        return value
    }

    public func reading(_ what: String, _ body: () throws -> Double?) throws -> Double? {
        let value = try reading(what) { try body().map { JSONValue(exactly: $0) } ?? .null }
        return value.realNumber
    }

    /// The same for what measuring gives.
    public func reading(measure what: String, _ body: () throws -> [Measurement]) throws -> [Measurement] {
        var measured: [Measurement]?
        let value = try reading("measure \(what)") {
            let own = try body()
            measured = own
            return .array(own.map(\.json))
        }
        if let measured { return measured }
        guard let known = value.list({ Measurement(json: $0) }) else {
            throw ExperimentError.invalid("the checkpoint is not complete: what was measured is not")
        }
        return known
    }

    /// Whether the program is behind its run, at a step that is past.
    public var isBehind: Bool { redo != nil || replay.map { !$0.isOver } ?? false }

    /// Where the program has passed all that was recorded, and asked for all that there was, it has come to its run. What was first to
    /// rest is first to be caught up with, and so what a program keeps, `math.random` above all, is that of the last one.
    public func catchUpIfOver() throws {
        if isProgram, let replay, replay.isOver, replay.leftOver == nil { try goOn() }
    }

    /// Says that something is used that only the present state has: parameters, derivatives, operators.
    /// - Throws: `ExperimentError.invalid` while the program is behind it.
    public func requirePresent(_ what: String) throws {
        noteReading()
        if let redo, !(replay?.isForced ?? false) {
            throw ExperimentError.invalid(
                "\(what) of step \(redo.deed.step) is gone: the action which has forked run '\(name)' there is executed again, for its fork, "
                    + "and can have no more than the numbers that it read then. Forks whose action needs more can be made by the program "
                    + "itself, between two trainings; --force gives that of step \(step)")
        }
        guard let replay, isProgram else { return }
        if replay.isOver { return try goOn() }
        if replay.isForced { return }
        throw ExperimentError.invalid(
            "\(what) of step \(programStep) is gone: run '\(name)' was resumed at step \(step), and the program has not come "
                + "there yet. What is needed later can be kept in run.state; --force gives that of step \(step)")
    }

    /// Series are there up to where the program is; but the body of a loop is not executed again.
    func noteSeriesReading() { noteReading() }

    /// The parameters; of step 0 also while the program is behind its run.
    public var programParameters: Vector {
        get throws {
            if isProgram, let replay, replay.clock.step == 0, !journal.entries.contains(where: { $0.what == "params" })
            {
                return objective.model.initial
            }
            try requirePresent("run.params")
            return parameters
        }
    }

    func noteReading() {
        guard actionDepth == 0, !isMeasuring, let loop else { return }
        journal.entries[loop].reads = true
    }

    // MARK: - Trainings and loops

    /// How a training begins.
    enum Beginning {
        /// It had ended before the checkpoint.
        case over(TrainingEnd)
        /// It is taken up, or new; its place in the journal.
        case going(Int)
    }

    func beginTraining(_ goal: TrainingGoal) throws -> Beginning {
        let value = goal.json
        if let replay {
            if let known = try replay.take(.train, "train", nil) {
                try redoDeeds()
                if let end = known.end, let reason = known.result.flatMap(TrainingEnd.init) {
                    // The last one may be given another goal: a finished run goes on.
                    if known.value == value || !replay.isOver {
                        if known.value != value, !replay.isForced {
                            throw ExperimentError.invalid(
                                "the program trains to another goal than before the checkpoint of step \(step): it ended at step "
                                    + "\(end) then; --force goes on from the checkpoint")
                        }
                        try catchUpIfOver()
                        return .over(reason)
                    }
                }
                try goOn()
                journal.entries[journal.entries.count - 1].end = nil
                journal.entries[journal.entries.count - 1].value = value
                return .going(journal.entries.count - 1)
            }
            try goOn()
        }
        journal.append(entry(.train, "train", value))
        return .going(journal.entries.count - 1)
    }

    /// What the program goes on with is no repetition any more.
    func goOn() throws {
        guard let replay else { return }
        if !replay.isForced {
            if !replay.isOver {
                throw ExperimentError.invalid("the program is not at the step that its run was restored at")
            }
            if let left = replay.leftOver {
                throw ExperimentError.invalid(
                    "the program differs from that before the checkpoint of step \(step): \(left); --force goes on without"
                )
            }
        }
        if let rule = rule as? AbsentRule {
            throw ExperimentError.invalid(
                "the program differs from that before the checkpoint of step \(step): it does not give the optimizer "
                    + "'\(rule.name)' any more")
        }
        // What was measured behind the checkpoint is measured again.
        try file?.cut(after: step)
        (wasForced, self.replay, absent) = (replay.isForced, nil, nil)
        try didCatchUp?(self)
    }

    /// Steps that a program takes one by one.
    public final class Loop {
        private let run: Run
        private var left: Int
        private let place: Int?
        /// Whether the step that the run stands at was taken, and its body not begun, when the run was left.
        private var owesPresent: Bool

        init(_ run: Run, left: Int, place: Int?, owesPresent: Bool = false) {
            (self.run, self.left, self.place, self.owesPresent) = (run, left, place, owesPresent)
        }

        /// Takes a step; nil at the end.
        public func next() throws -> Int? {
            guard left > 0 || owesPresent, run.loop == place else {
                close()
                return nil
            }
            if owesPresent {
                owesPresent = false
            } else {
                left -= 1
                try run.advance()
            }
            if let place { run.journal.entries[place].given = run.step }
            return run.step
        }

        /// Ends it, also where it was left.
        /// - Parameter isTorn: whether by an error, or a stop, in the middle of a step or of its body.
        public func close(isTorn: Bool = false) {
            left = 0
            guard let place, run.loop == place else { return }
            run.loop = nil
            if isTorn {
                // What the body has done of a step cannot be gone on with.
                run.isTorn = run.journal.entries[place].given == run.step
                return
            }
            run.journal.entries[place].end = run.step
            run.reachEnd()
        }
    }

    /// A loop over steps, without end where `count` is nil.
    public func steps(_ count: Int? = nil) throws -> Loop {
        try requireNotMeasuring("the step")
        guard isProgram else { return Loop(self, left: count ?? .max, place: loop) }
        let value = count.map { JSONValue.integer($0) } ?? .null
        if let replay {
            if let known = try replay.take(.loop, "steps", value) {
                try redoDeeds()
                if known.reads, !replay.isForced {
                    throw ExperimentError.invalid(
                        "a loop over run:steps that began at step \(known.step) reads what its run measured, or forks it, and cannot be "
                            + "repeated from step \(step): do in run:every or run:when what depends on measurements, and fork there; --force takes "
                            + "the steps that are left")
                }
                if known.end != nil {
                    try catchUpIfOver()
                    return Loop(self, left: 0, place: nil)
                }
                try goOn()
                loop = journal.entries.count - 1
                return Loop(
                    self, left: count.map { max(0, known.step + $0 - step) } ?? .max, place: loop,
                    owesPresent: step > known.step && known.given != step)
            }
            try goOn()
        }
        journal.append(entry(.loop, "steps", value))
        loop = journal.entries.count - 1
        return Loop(self, left: count ?? .max, place: loop)
    }
}

extension TrainingGoal {
    /// For the journal.
    var json: JSONValue {
        var object: [String: JSONValue] = [:]
        if let step { object["step"] = .integer(step) }
        if let epoch { object["epoch"] = JSONValue(exactly: epoch) }
        if let time { object["time"] = JSONValue(exactly: time) }
        if let loss { object["loss"] = JSONValue(exactly: loss) }
        if let accuracy { object["accuracy"] = JSONValue(exactly: accuracy) }
        if let checkEvery { object["check_every"] = .integer(checkEvery) }
        if let maxLoss { object["max_loss"] = JSONValue(exactly: maxLoss) }
        return .object(object)
    }
}
