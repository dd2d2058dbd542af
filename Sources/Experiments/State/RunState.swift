import Compute
import Dynamics
import Objectives

/// The whole state of a run, as a value: what `Run` has beside its model, its data, its programs and its file.
///
/// A fork is a copy of it, a checkpoint is its encoding. Steps are a function of it: who has the state of step n, and the same
/// model and data, has all steps after it to the bit.
struct RunState {
    // The point.
    /// θ_t.
    var parameters: Vector
    /// Running values of normalisation layers.
    var statistics: Vector
    /// What is fixed in the model, where anything is: frozen parameters, the point of an expansion, the directions of a restriction.
    var fixed: Vector?
    /// θₜ₋₁, where a probe asks for it.
    var previousParameters: Vector?
    /// Which quantities of the point were computed already: those who ask for them again are charged nothing.
    var known: KnownQuantities

    // The clock.
    var step: Int
    var time: Double
    var batchLoss: Double?
    var batchSize: Run.BatchSize
    var sampler: Sampler
    /// Counts of changes of the parameters, and of assignments.
    var version: Int
    var assignments: Int

    // The rule.
    var rule: any UpdateRule
    var edges: EdgeHistory
    /// What settings follow.
    var schedules: [SettingSchedule]

    // What is measured along the way.
    var trackers: [Tracker]
    var warmStarts: EigenCache.Contents
    /// The multiply-adds of everything so far; of probes outside of plans; of steps.
    var work: Double
    var probeWork: Double
    var training: Spending
    var budget: Budget?

    /// Averages of the parameters.
    var averages: [WeightAverage]

    // What the program asked for.
    var actions: [Action]
    /// How many actions it has asked for.
    var actionCount: Int
    var journal: Journal
    /// Where it stood when it began to walk in lockstep with others, whose ways are compared with its own.
    var origin: Vector?
    /// What it keeps with the run.
    var program: [String: JSONValue]

    struct KnownQuantities {
        var evaluation = false
        var testEvaluation = false
        var gradient = false
    }
}

extension RunState {
    /// Names each part once, for writing and for reading.
    ///
    /// Probes, conditions and actions hold code of the program, which no checkpoint can: what is read of them is given to those of the
    /// same numbers that the program makes again (``Replay``).
    mutating func code(_ coder: StateCoder, model: RunModel) throws {
        try coder.code("point.parameters", &parameters)
        try coder.code("point.statistics", &statistics)
        try coder.code("point.fixed", &fixed)
        try coder.code("point.previous", &previousParameters)
        try coder.code("point.knows_evaluation", &known.evaluation)
        try coder.code("point.knows_test_evaluation", &known.testEvaluation)
        try coder.code("point.knows_gradient", &known.gradient)
        try coder.code("clock.step", &step)
        try coder.code("clock.time", &time)
        try coder.code("clock.batch_loss", &batchLoss)
        try codeBatchSize(coder)
        try coder.group("clock.sampler") { try sampler.code(coder) }
        try coder.code("clock.version", &version)
        try coder.code("clock.assignments", &assignments)
        try codeRule(coder, model)
        try coder.group("edges") { try edges.code(coder, model) }
        try codeSchedules(coder)
        try coder.group("warm") { try warmStarts.code(coder) }
        try coder.code("meters.work", &work)
        try coder.code("meters.probe_work", &probeWork)
        try coder.group("meters.training") { try training.code(coder) }
        try codeBudget(coder)
        try coder.code("program.actions", &actionCount)
        try coder.group("program") { try journal.code(coder) }
        try coder.group("program") { try journal.codeDeeds(coder) }
        if coder.isReading ? coder.has("lockstep.origin") : origin != nil {
            var vector = origin ?? parameters
            try coder.code("lockstep.origin", &vector)
            origin = vector
        }
        var kept = JSONValue.object(program)
        try coder.code("program.keeps", &kept)
        if case .object(let values) = kept { program = values }
        if !coder.isReading {
            for index in trackers.indices {
                try coder.group("tracker.\(trackers[index].index)") { try trackers[index].code(coder) }
            }
            for index in averages.indices {
                try coder.group("average.\(averages[index].number)") { try averages[index].code(coder) }
            }
            for index in actions.indices {
                try coder.group("action.\(actions[index].number)") { try actions[index].code(coder) }
            }
        }
    }

    private mutating func codeBatchSize(_ coder: StateCoder) throws {
        var samples = 0
        if case .samples(let count) = batchSize { samples = count }
        try coder.code("clock.batch_size", &samples)
        if coder.isReading { batchSize = samples > 0 ? .samples(samples) : .full }
    }

    private mutating func codeSchedules(_ coder: StateCoder) throws {
        // What functions have given so far stands with the edges.
        var stored = JSONValue.array(schedules.map { $0.shortened.json })
        try coder.code("clock.schedules", &stored)
        guard coder.isReading else { return }
        guard let list = stored.list({ SettingSchedule(json: $0) }) else {
            throw ExperimentError.invalid("the checkpoint is not complete: its schedules are not")
        }
        schedules = list.map { own in edges.schedules.first { $0.isSame(own) } ?? own }
    }

    private mutating func codeBudget(_ coder: StateCoder) throws {
        var hasBudget = budget != nil
        try coder.code("meters.has_budget", &hasBudget)
        guard hasBudget else {
            budget = nil
            return
        }
        var own = budget ?? Budget(share: 0)
        try coder.group("meters.budget") { try own.code(coder) }
        budget = own
    }

    /// A rule is its name, its settings and its state; those with parts of the program's own are found by ``RunModel/rule``.
    private mutating func codeRule(_ coder: StateCoder, _ model: RunModel) throws {
        try coder.group("rule") {
            var (name, settings) = (rule.name, rule.settings.map(\.name))
            var numbers = rule.settings.map(\.value)
            try coder.code("name", &name)
            var names = JSONValue.array(settings.map { .string($0) })
            try coder.code("settings", &names)
            try coder.code("values", &numbers)
            if coder.isReading {
                settings = names.list(\.text) ?? []
                guard settings.count == numbers.count else {
                    throw ExperimentError.invalid("the checkpoint is not complete: the settings of its rule are not")
                }
                rule = try model.rule(name, Array(zip(settings, numbers)))
            }
            var state = rule.state
            try Self.code(&state, coder)
            if coder.isReading { rule.state = state }
        }
    }

    private static func code(_ state: inout UpdateState, _ coder: StateCoder) throws {
        try coder.code("steps", &state.steps)
        try coder.code("numbers", &state.numbers)
        try coder.code("vectors", &state.vectors)
        var names = JSONValue.array([state.vectorNames, state.numberNames].map { .array($0.map { .string($0) }) })
        try coder.code("names", &names)
        if let lists = names.list({ $0.list(\.text) }), lists.count == 2 {
            (state.vectorNames, state.numberNames) = (lists[0], lists[1])
        }
        try coder.code("inner", &state.inner, new: UpdateState()) { try code(&$0, coder) }
    }
}

/// What a state needs to be read beside itself.
struct RunModel {
    /// The rule of this name with these settings.
    let rule: (_ name: String, _ settings: [(name: String, value: Double)]) throws -> any UpdateRule
}

extension Sampler {
    mutating func code(_ coder: StateCoder) throws {
        var (epoch, position) = (epoch, position)
        try coder.code("epoch", &epoch)
        try coder.code("position", &position)
        guard coder.isReading else { return }
        guard epoch >= 0, position >= 0, position <= count else {
            throw ExperimentError.invalid(
                "the checkpoint stands at sample \(position) of epoch \(epoch): the data has \(count) samples")
        }
        self = at(epoch: epoch, position: position)
    }
}

extension Spending {
    mutating func code(_ coder: StateCoder) throws {
        try coder.code("measurements", &measurements)
        try coder.code("samples", &samples)
        try coder.code("products", &products)
        try coder.code("operations", &operations)
        try coder.code("seconds", &seconds)
    }
}
