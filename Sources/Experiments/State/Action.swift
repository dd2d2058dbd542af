/// Something that a run does along the way because its program asked for it.
struct Action {
    /// When it is done.
    enum Trigger {
        /// Once, after the step at which it is due and the probes of that.
        case at
        /// After each step that is a multiple of this.
        case every(Int)
        /// When a condition has become true: asked after each multiple of so many steps. It fires again once the condition, or
        /// where there is one `release`, has said that this is over.
        case when(every: Int, condition: Cadence.Condition, release: Cadence.Condition?)
    }

    /// The how-manieth action the program asked for, from 1; 0 for one that another action asked for.
    let number: Int
    let trigger: Trigger
    let body: (Run) throws -> Void
    /// The step after which it is looked at next.
    var due: Int
    /// Of a condition: whether it was true, and its end is waited for.
    var isHeld = false

    mutating func code(_ coder: StateCoder) throws {
        try coder.code("due", &due)
        try coder.code("is_held", &isHeld)
    }

    /// The first multiple of `count` after a step.
    static func next(multipleOf count: Int, after step: Int) -> Int {
        let (due, overflow) = (step - step % count).addingReportingOverflow(count)
        return overflow ? .max : due
    }
}

extension Run {
    /// Runs an action after step `step` and its probes, before the next step.
    ///
    /// Of a run that is being resumed, an action that was done already is not done again.
    public func at(_ step: Int, _ action: @escaping (Run) throws -> Void) throws {
        guard step >= programStep else {
            throw ExperimentError.invalid("at(\(step)): run '\(name)' is at step \(programStep) already")
        }
        try add(.at, due: step, action)
    }

    /// Runs an action after each step that is a multiple of `count`, from the next one on.
    public func every(_ count: Int, _ action: @escaping (Run) throws -> Void) throws {
        guard count >= 1 else { throw ExperimentError.invalid("every(\(count)): a number of steps, at least 1") }
        try add(.every(count), due: Action.next(multipleOf: count, after: programStep), action)
    }

    /// Runs an action whenever a condition has become true.
    /// - Parameters:
    ///   - every: asked after each multiple of so many steps, from the present one on.
    ///   - release: what ends it, so that it may become true again; by default that the condition is false.
    public func when(
        _ condition: @escaping Cadence.Condition, every count: Int = 1, release: Cadence.Condition? = nil,
        _ action: @escaping (Run) throws -> Void
    ) throws {
        guard count >= 1 else { throw ExperimentError.invalid("when: every must be at least 1, not \(count)") }
        let step = programStep
        let due = step % count == 0 ? step : Action.next(multipleOf: count, after: step)
        try add(.when(every: count, condition: condition, release: release), due: due, action)
    }

    private func add(_ trigger: Action.Trigger, due: Int, _ body: @escaping (Run) throws -> Void) throws {
        try requireNotMeasuring("what is done at a step")
        // It was asked for then.
        if redo != nil { return }
        guard isProgram else {
            actions.append(Action(number: 0, trigger: trigger, body: body, due: due))
            nextDue = min(nextDue, due)
            return
        }
        actionCount += 1
        var action = Action(number: actionCount, trigger: trigger, body: body, due: due)
        registered.append(action)
        if let replay, try !replay.restore(&action) { return }
        actions.append(action)
        nextDue = min(nextDue, action.due)
    }

    /// Does what is due at the present step.
    func act() throws {
        while let index = actions.firstIndex(where: { $0.due <= step }) {
            let action = actions[index]
            switch action.trigger {
            case .at: actions.remove(at: index)
            case .every(let count): actions[index].due = Action.next(multipleOf: count, after: step)
            case .when(let count, let condition, let release):
                actions[index].due = Action.next(multipleOf: count, after: step)
                let asked = action.isHeld ? release ?? condition : condition
                let answer = try measuring { try asked(self) }
                let isHeld = action.isHeld ? (release == nil ? answer : !answer) : answer
                actions[index].isHeld = isHeld
                if action.isHeld || !isHeld { continue }
            }
            try byAction { try recording(action) { try action.body(self) } }
        }
    }

    private func byAction(_ body: () throws -> Void) throws {
        actionDepth += 1
        defer { actionDepth -= 1 }
        do { try body() } catch {
            // Half of it is done: nobody could go on from here.
            isTorn = true
            throw error
        }
    }
}
