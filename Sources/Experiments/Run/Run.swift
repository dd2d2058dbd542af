import Compute
import Curvature
import Datasets
import Dynamics
import Graph
import Networks
import Objectives

/// A training run: a model, data, a loss, an update rule, and where it stands. One run belongs to one thread.
///
/// Stepping is a function of the run's state; probes draw from random streams of their own, so measuring never changes the
/// training.
public final class Run {
    public enum BatchSize: Sendable, Hashable {
        /// All samples, in order: gradient descent.
        case full
        case samples(Int)
    }

    public let name: String
    public let data: Dataset
    public let objective: Objective
    public let seed: UInt64
    /// The objective on the training data.
    public let oracle: Oracle
    /// What this run computes with.
    var engine: Engine { oracle.engine }
    /// Which thread it belongs to, where that is not the one of its program: ``Parallel``.
    public internal(set) var custody: Custody? {
        didSet { oracle.custody = custody }
    }
    /// What trains it beside others.
    var handOver: HandOver?
    /// The objective on the test data, if there is any; networks with batch statistics use their running values there.
    public let testOracle: Oracle?
    /// What was walked in chunks and their sizes, and how many of these the file has.
    var chunks: [(quantity: String, samples: Int)] = []
    var notedChunks = 0

    /// Steps taken, t.
    public internal(set) var step = 0
    /// Σ η over the steps taken, in units of ordinary-differential-equation time.
    public internal(set) var time = 0.0
    /// The loss of the last step's batch at θₜ₋₁.
    public internal(set) var batchLoss: Double?
    public internal(set) var rule: any UpdateRule
    var sampler: Sampler
    /// The objective as steps see it, kept so that steps find their programs ready.
    let stepOracle: StepOracle
    var theta: Vector
    /// Counts changes of the parameters, so that what was computed from them is known to be stale.
    var version = 0
    /// Counts how often parameters, statistics or the rule were assigned: what eigenvectors were before says nothing then.
    var assignments = 0

    var trackers: [Tracker] = []
    var actions: [Action] = []
    /// How many of them the program has asked for, and all of them, done or not.
    var actionCount = 0
    var registered: [Action] = []
    /// What the program asked for.
    var journal = Journal()
    /// Averages of its parameters, beside it.
    public internal(set) var averages: [WeightAverage] = []
    /// What settings follow, and the functions among it that the program gave, by their numbers.
    var schedules: [SettingSchedule] = []
    var functionCount = 0
    var functions: [Int: (Int, Run) throws -> Double] = [:]
    /// The rule of the checkpoint, where only the program knows it.
    var absent: AbsentRule?
    /// How far the program is behind, where it is executed again.
    var replay: Replay?
    /// The place in the journal of the loop over steps that is open.
    var loop: Int?
    /// Actions that are being done, one inside the other, and trainings.
    var actionDepth = 0
    var trainingDepth = 0
    /// When checkpoints are made.
    public var checkpoints = CheckpointPolicy.standard
    /// The step of the last one, and when that was.
    var lastCheckpoint: Int?
    var lastCheckpointTime = Stopwatch.now
    /// Whether its program was torn from it in the middle of what it does at a step.
    var isTorn = false
    /// Those whose checkpoints have to be there when one of its own is: its forks, and what went in lockstep with it.
    var others: [OtherRun] = []
    var isBeingWritten = false
    /// Whether the checkpoint that is being written was asked for, and stays.
    var isAskedFor = false
    /// What goes in lockstep with it now, and where it stood when that began, while angles are compared.
    var companions: [OtherRun] = []
    var origin: Vector?
    /// What the action at work has done, and one that is executed again.
    var deed: Journal.Deed?
    var redo: Redo?
    /// Whether it goes on although its program differs.
    var wasForced = false
    /// The state at the end of the last training.
    var ending: RunState?
    /// What the program kept when it last asked for something, while the run rests since, where that may be long ago: in a training of
    /// a fork the program keeps other things, and it does all again that it has done since.
    var keepsAtRest: [String: JSONValue]?
    /// Called before each step, when all that belongs to the one before is done: for tests.
    var beforeStep: ((Run) throws -> Void)?
    /// Parts left out of checkpoints: tests find out by this whether they are missed.
    var omittedFromCheckpoints: Set<String> = []
    var recorded: [String: RecordedSeries] = [:]
    /// The order in which series were first recorded.
    public internal(set) var seriesNames: [String] = []
    /// What steps took, and what probes did outside of plans, in the cost model's operations.
    var training = Spending()
    var probeWork = 0.0
    /// The share of the work that probes may take, once one of them has a budget.
    var budget: Budget?
    /// No probe and no action is due before this step.
    var nextDue = 0
    var isMeasuring = false
    /// Up to where the present call of `train` goes, for a progress display.
    public internal(set) var goal: TrainingGoal?

    /// Where a fork left its parent; nil for a run that was made from nothing, and for a fork of one that has no file.
    public internal(set) var parent: RunParent?
    /// The same as a run, while it is there.
    weak var forkedFrom: Run?
    /// Where measurements are kept besides memory; made at the first one.
    public internal(set) var file: RunFile?
    /// Makes the run's file when it is first needed; nil keeps the run in memory.
    public var makeFile: ((Run) throws -> RunFile)?
    /// Called between steps: shows progress, answers the keyboard, stops by throwing.
    public var atStepBoundary: ((Run) throws -> Void)?
    /// Called in a training whose measurement, or plan, was cancelled, with the run as it was before: where it returns that is
    /// done again, from its beginning. Nil: the training ends by throwing `Cancelled`.
    public var atCancellation: ((Run) throws -> Void)?
    /// Whether an error that the program's own part of a measurement has thrown means that it was cancelled.
    public var standsForCancellation: ((any Error) -> Bool)?
    /// What the program that made the run keeps with it.
    public var attachment: AnyObject?
    /// Whether what is asked of the run comes from a person at a prompt, and so from no program that could be executed again.
    public var isInteractive: (() -> Bool)?
    /// Values of the program that go into checkpoints, as they are now.
    public var programKeeps: ((Run) throws -> [String: JSONValue])?
    /// Those of the checkpoint that the run was restored from.
    public internal(set) var keeps: [String: JSONValue] = [:]
    /// Called with a fork that the program, executed again, has made again, and with its parent: restores it from its checkpoint.
    public var restoreFork: ((_ fork: Run, _ parent: Run) throws -> Void)?
    /// Called when the program, executed again, has come to where the run was restored.
    public var didCatchUp: ((Run) throws -> Void)?

    /// The rule's edges of each curvature, and of the one it is best known for, since when each holds.
    var edgeHistory = EdgeHistory()

    /// What was last computed from the parameters of `version`.
    struct Cached<Value> {
        var version: Int
        var value: Value
    }
    var cachedEvaluation: Cached<Oracle.Evaluation>?
    var cachedTestEvaluation: Cached<Oracle.Evaluation>?
    var cachedGradient: Cached<Vector>?
    var eigenCache = EigenCache()
    /// The same for what is measured by hand: looking changes neither what tracked probes start from nor what they cost.
    let eigenCacheOfLooks = EigenCache(startsCold: true)
    var previousParameters: Vector?
    /// How many samples the last step took, and how long.
    var lastStep: (count: Int, seconds: Double)?
    /// Whether it walks beside others whose midpoints are compared with its own.
    var isComparedAtMidpoints = false

    /// - Parameter ghostBatch: samples that share batch statistics where data are walked, in a model that has them.
    /// - Throws: `GraphError` when data, model and loss do not fit, `ExperimentError` for a batch size that cannot be.
    public init(
        name: String, objective: Objective, data: Dataset, rule: any UpdateRule, batchSize: BatchSize, seed: UInt64,
        sampling: Sampling = .shuffled, keepsLast: Bool = false, ghostBatch: Int = Oracle.defaultGhostBatch,
        engine: Engine = .shared
    ) throws {
        self.name = name
        self.objective = objective
        self.data = data
        self.rule = rule
        self.seed = seed
        theta = objective.model.initial
        let (element, inputElement) = (objective.model.element, objective.model.inputElement)
        try objective.checkTargets(of: data.train, called: "training samples")
        let oracle = try Oracle(
            objective: objective, samples: DatasetSamples(data, as: element, inputs: inputElement), engine: engine,
            ghostBatch: ghostBatch)
        self.oracle = oracle
        stepOracle = StepOracle(oracle, seed: seed)
        testOracle = try data.test.map {
            try objective.checkTargets(of: $0, called: "test samples")
            return try oracle.with(samples: DatasetSamples(data, $0, as: element, inputs: inputElement), use: .running)
        }
        sampler = Sampler(count: data.train.count, seed: seed, sampling: sampling, keepsLast: keepsLast)
        self.batchSize = batchSize
        try Run.check(batchSize, count: data.train.count)
        try Run.check(sampling, count: data.train.count)
        noteEdge()
        if oracle.hasGhostBatches { chunks = [("ghost batch", min(ghostBatch, data.train.count))] }
        noteChosenChunks()
    }

    /// A run of the same model, data and program as another: what is not state.
    /// - Parameter own: the objective, of the same samples and parameters, where it is another.
    init(likeness other: Run, name: String, objective own: Objective? = nil) throws {
        self.name = name
        (data, objective, seed) = (other.data, own ?? other.objective, other.seed)
        let oracle = try own.map { try other.oracle.forked(to: $0) } ?? other.oracle.forked(atHome: true)
        self.oracle = oracle
        stepOracle = StepOracle(oracle, seed: seed)
        testOracle = try other.testOracle.map { try oracle.with(samples: $0.samples, use: $0.use) }
        (rule, sampler, theta, batchSize) = (other.rule, other.sampler, other.theta, other.batchSize)
        (programKeeps, didCatchUp) = (other.programKeeps, other.didCatchUp)
        noteChosenChunks()
    }

    deinit {
        // The program has dropped the run: what its last training left is there to go on from.
        guard let file else { return }
        if let ending, lastCheckpoint != ending.step {
            let bytes = try? Checkpoint(ending, of: self).bytes()
            try? bytes.map { try file.addCheckpoint(step: ending.step, bytes: $0, keep: max(1, checkpoints.keep)) }
        }
        file.note(step: step, state: batchLoss?.isFinite ?? true ? .done : .failed)
    }

    private func noteChosenChunks() {
        oracle.choseChunks = { [weak self] quantity, samples in self?.chunks.append((quantity, samples)) }
        testOracle?.choseChunks = oracle.choseChunks
    }

    // MARK: - State that can be assigned

    /// The parameters θ_t.
    public var parameters: Vector { theta }

    /// Replaces the parameters.
    public func setParameters(_ vector: Vector) throws {
        try requireNotMeasuring("params")
        guard vector.count == theta.count, vector.element == theta.element else {
            throw ExperimentError.invalid(
                "params: a vector of \(vector.count) \(vector.element.rawValue) numbers for \(objective.model.name), which "
                    + "has \(theta.count) in \(theta.element.rawValue)")
        }
        try assigning("params", .string(vector.fingerprint)) {
            note("params", "assigned", ["fingerprint": .string(vector.fingerprint)])
            theta = vector
            version += 1
            assignments += 1
        }
    }

    /// The running statistics of normalisation layers, laid out as the model's `buffers`: state beside the parameters.
    public func statistics() throws -> Vector { try oracle.running.values() }

    /// Replaces the running statistics.
    public func setStatistics(_ values: Vector) throws {
        try requireNotMeasuring("statistics")
        try assigning("statistics", .string(values.fingerprint)) {
            try oracle.running.assign(values)
            version += 1
            assignments += 1
        }
    }

    /// The objective on the training data with the statistics of each batch, or with the running ones of this moment.
    public func oracle(_ use: StatisticsUse) throws -> Oracle {
        use == .batch ? oracle : try oracle.with(use: .running).frozen()
    }

    public internal(set) var batchSize: BatchSize

    public func setBatchSize(_ size: BatchSize) throws {
        try requireNotMeasuring("batch_size")
        try Run.check(size, count: data.train.count)
        try assigning("batch_size", .string("\(size)")) {
            endSchedule(of: "batch_size")
            if size != batchSize { noteChange("batch_size", .string("\(batchSize)"), .string("\(size)")) }
            batchSize = size
            noteEdge()
        }
    }

    /// Samples in a batch.
    public var batchCount: Int {
        switch batchSize {
        case .full: data.train.count
        case .samples(let count): count
        }
    }

    public var learningRate: Double { rule.learningRate }

    public func setLearningRate(_ rate: Double) throws {
        try requireNotMeasuring("lr")
        guard rate.isFinite, rate > 0 else {
            throw ExperimentError.invalid("lr must be a positive number, not \(rate)")
        }
        try assigning("lr", JSONValue(exactly: rate)) {
            endSchedule(of: "lr")
            if rate != rule.learningRate {
                noteChange(
                    "lr", JSONValue(exactly: rule.learningRate), JSONValue(exactly: rate),
                    "\(rule.learningRate) to \(rate)")
            }
            rule.learningRate = rate
            noteEdge()
        }
    }

    /// Replaces the update rule.
    /// - Throws: `ExperimentError.invalid` from within a probe.
    public func setRule(_ rule: any UpdateRule) throws {
        try requireNotMeasuring("optimizer")
        bind(rule)
        try assigning("optimizer", .string(rule.summary)) {
            schedules.removeAll { $0.setting != "batch_size" }
            noteChange(
                "optimizer", .string(self.rule.summary), .string(rule.summary),
                "\(self.rule.name) to \(rule.name), lr \(rule.learningRate)", EdgeHistory.json(of: rule))
            self.rule = rule
            assignments += 1
            noteEdge()
        }
    }

    /// Changes one setting of the update rule, its state as it is.
    /// - Throws: `UpdateRuleError` for a setting that it does not have, or a value that cannot be.
    public func setSetting(_ name: String, _ value: Double) throws {
        if name == "lr" { return try setLearningRate(value) }
        try requireNotMeasuring("optimizer.\(name)")
        try assigning("optimizer.\(name)", JSONValue(exactly: value)) {
            let changed = try rule.with(name, value)
            endSchedule(of: name)
            noteChange(
                "optimizer.\(name)", .string(rule.summary), .string(changed.summary), nil, EdgeHistory.json(of: changed)
            )
            rule = changed
            noteEdge()
        }
    }

    func noteEdge() { edgeHistory.note(self) }

    /// Epochs taken, as a real number: a whole one once fewer samples than a batch are left of it.
    public var epoch: Double {
        switch batchSize {
        case .full: sampler.epochs
        case .samples(let size): sampler.epochs(inBatchesOf: size)
        }
    }

    func requireNotMeasuring(_ what: String, _ done: String = "be changed") throws {
        if isMeasuring {
            throw ExperimentError.invalid(
                "\(what) cannot \(done) from within a probe: what run '\(name)' measures would change its training; "
                    + "run:at(step, f) is for that")
        }
    }

    /// Writes an event into the file, if there is one yet: a change before the first step is in the parameters anyway.
    /// - Parameter data: the same for programs.
    func note(_ kind: String, _ message: String, _ data: [String: JSONValue]? = nil) {
        try? file?.addEvent(step: step, kind: kind, message: message, data: data)
    }

    /// An assignment: from what to what, and more about it for programs.
    func noteChange(
        _ what: String, _ old: JSONValue, _ new: JSONValue, _ message: String? = nil, _ data: [String: JSONValue] = [:]
    ) {
        let message = message ?? "\(old.words) to \(new.words)"
        note(what, message, ["from": old, "to": new].merging(data) { $1 })
    }

    // MARK: - The present point

    /// Losses and outputs over the training data at θ_t, computed once for each t.
    public func evaluation() throws -> Oracle.Evaluation {
        if let cached = cachedEvaluation, cached.version == version { return cached.value }
        let value = try oracle.evaluate(at: theta)
        cachedEvaluation = Cached(version: version, value: value)
        return value
    }

    /// The same over the test data.
    public func testEvaluation() throws -> Oracle.Evaluation {
        guard let testOracle else { throw ExperimentError.invalid("data '\(data.name)' has no test samples") }
        if let cached = cachedTestEvaluation, cached.version == version { return cached.value }
        let value = try testOracle.evaluate(at: theta)
        cachedTestEvaluation = Cached(version: version, value: value)
        return value
    }

    /// ∇L over the training data at θ_t.
    public func gradient() throws -> Vector {
        if let cached = cachedGradient, cached.version == version { return cached.value }
        let value = try oracle.gradient(at: theta).gradient
        cachedGradient = Cached(version: version, value: value)
        return value
    }
}
