import Compute
import Dynamics
import Objectives

/// Up to where `train` goes; it stops at the first goal reached.
public struct TrainingGoal: Sendable {
    /// The number of the last step.
    public var step: Int?
    public var epoch: Double?
    /// Σ η.
    public var time: Double?
    /// Stops once the full-data loss is at or below this.
    public var loss: Double?
    /// Stops once the training accuracy is at or above this.
    public var accuracy: Double?
    /// At which steps `loss` and `accuracy` are looked at: multiples of this, and those at which one of the two is tracked. Nil: exactly
    /// those, or every 100 steps where neither is tracked, for a look is a forward pass over all training samples: a third of a
    /// full-batch step, n/3b steps at batch size b.
    public var checkEvery: Int?
    /// Stops once the batch's loss is above this.
    public var maxLoss: Double?

    public init(
        step: Int? = nil, epoch: Double? = nil, time: Double? = nil, loss: Double? = nil, accuracy: Double? = nil,
        checkEvery: Int? = nil, maxLoss: Double? = nil
    ) {
        self.step = step
        self.epoch = epoch
        self.time = time
        self.loss = loss
        self.accuracy = accuracy
        self.checkEvery = checkEvery
        self.maxLoss = maxLoss
    }
}

/// Why training stopped.
public enum TrainingEnd: String, Sendable, CaseIterable {
    case step, epoch, time, loss, accuracy
    case maxLoss = "max_loss"
}

extension Run {
    /// Trains until a goal is reached.
    /// - Throws: `ExperimentError.diverged` at the step whose loss is not finite; everything measured is kept.
    @discardableResult
    public func train(_ goal: TrainingGoal) throws -> TrainingEnd { try engine.asCurrent { try train(to: goal) } }

    private func train(to goal: TrainingGoal) throws -> TrainingEnd {
        try requireNotMeasuring("the step")
        guard isProgram else {
            if let redo, let end = try redo.take(.train, "train", nil).result.flatMap(TrainingEnd.init) { return end }
            let end = try trainOn(to: goal)
            noteDeed(.train, "train", goal.json, result: end.rawValue)
            return end
        }
        switch try beginTraining(goal) {
        case .over(let end): return end
        case .going(let place):
            trainingDepth += 1
            let end: TrainingEnd
            do {
                defer { trainingDepth -= 1 }
                end = try trainOn(to: goal)
            }
            endTraining(place, end)
            return end
        }
    }

    /// A training that the program asked for has come to its end.
    /// - Parameter place: in the journal.
    func endTraining(_ place: Int, _ end: TrainingEnd) {
        if place < journal.entries.count {
            journal.entries[place].end = step
            journal.entries[place].result = end.rawValue
        }
        reachEnd()
    }

    func trainOn(to goal: TrainingGoal) throws -> TrainingEnd {
        let outer = self.goal
        self.goal = goal
        defer { self.goal = outer }
        // A program that goes on after an error has taken what was left as it is.
        if actionDepth == 0 { isTorn = false }
        try settle()
        while true {
            if let end = try persisting({ try reached(goal) }) {
                try file?.commit()
                return end
            }
            try advanceOnEngine()
        }
    }

    /// Takes one step, with the probes and actions that are due before and after it.
    public func advance() throws {
        if isProgram {
            try goOn()
            journal.gap = journal.gap ?? "its steps were taken one by one, by hand"
        }
        try engine.asCurrent { try advanceOnEngine() }
    }

    /// The same for one of several that take their steps together, which make their checkpoints together, and stop together.
    func advanceWithOthers() throws { try engine.asCurrent { try advanceOnEngine(isAlone: false) } }

    private func advanceOnEngine(isAlone: Bool = true) throws {
        try requireNotMeasuring("the step")
        if step >= nextDue { try settle() }
        if isAlone { try checkpointIfDue() }
        try beforeStep?(self)
        let before = step
        try persisting {
            // While it was put off, others may have trained.
            if step == before { try takeStep() }
        }
        if step >= nextDue { try settle() }
        guard isAlone else { return }
        try handOver?.checkEnd()
        try atStepBoundary?(self)
    }

    private func reached(_ goal: TrainingGoal) throws -> TrainingEnd? {
        if let last = goal.step, step >= last { return .step }
        // Sums of fractions are rounded: a thousandth of a sample, or of a step, is no reason for one more.
        if let end = goal.epoch, epoch >= end - 1e-3 / Double(data.train.count) { return .epoch }
        if let end = goal.time, time >= end - (rule.elapsed == nil ? 1e-3 * learningRate : 1e-9 * end) { return .time }
        if let limit = goal.maxLoss, let batchLoss, batchLoss > limit { return .maxLoss }
        if goal.loss != nil || goal.accuracy != nil, looksAtLoss(every: goal.checkEvery) {
            if let target = goal.loss, try evaluation().loss <= target { return .loss }
            if let target = goal.accuracy {
                guard let accuracy = try accuracy(of: evaluation(), on: data.train) else {
                    throw ExperimentError.invalid(
                        "stop_accuracy: the targets of '\(data.name)' are real numbers, not classes, and a regression has no "
                            + "accuracy: stop by stop_loss")
                }
                if accuracy >= target { return .accuracy }
            }
        }
        return nil
    }

    private func looksAtLoss(every count: Int?) -> Bool {
        if let count, step % max(1, count) == 0 { return true }
        let tracked = trackers.filter { !Set($0.probe.seriesNames).isDisjoint(with: ["loss", "accuracy"]) }
        if tracked.contains(where: { $0.lastMeasured == step }) { return true }
        return count == nil && tracked.isEmpty && step % 100 == 0
    }

    /// One step: the batch's probes at θₜ₋₁, then the rule.
    private func takeStep() throws {
        try openFile()
        let next = step + 1
        let rate = rule.learningRate
        previousParameters = keepsPreviousParameters ? theta : nil
        let loss: Double
        switch batchSize {
        case .full:
            loss = try takeStep(next, on: nil)
            sampler.takeEpoch()
        case .samples(let size):
            // Taken at the end, so that a probe which throws leaves the sampler unmoved.
            sampler.prepare(size)
            loss = try sampler.withNext(size) { try takeStep(next, on: $0) }
            sampler.take(size)
        }
        step = next
        file?.note(step: step)
        time += rule.elapsed ?? rate
        version += 1
        batchLoss = loss
        if !averages.isEmpty, loss.isFinite { try updateAverages() }
        if !schedules.isEmpty, loss.isFinite { try applySchedules() }
        guard loss.isFinite else {
            let error = ExperimentError.diverged(run: name, step: step, loss: loss, learningRate: rate)
            note("diverged", error.description)
            file?.note(step: step, state: .failed)
            try file?.commit()
            throw error
        }
    }

    private func takeStep(_ next: Int, on batch: UnsafeBufferPointer<Int>?) throws -> Double {
        let measures = try measureStep(next, batch: batch)
        let watch = Stopwatch()
        let before = work
        stepOracle.batch = batch
        stepOracle.step = next
        stepOracle.epoch = batch.map { sampler.nextEpoch($0.count) } ?? sampler.epoch
        stepOracle.timeLeft = goal?.time.map { max($0 - time, 0) } ?? .infinity
        stepOracle.measuresCurvature = measures
        let loss =
            try rule.callsProgram ? stepByProgram() : stepMayBeLong ? longStep() : rule.step(&theta, stepOracle)
        let (took, operations) = (watch.seconds, work - before)
        lastStep = (batchCount, took)
        guard measures, let curvature = stepOracle.curvature else {
            earn(operations, seconds: took)
            return loss
        }
        // Time is shared as operations are.
        let share = operations > 0 ? curvature.work / operations : 0
        earn(operations - curvature.work, seconds: took * (1 - share))
        try recordStep(
            next, curvature.value, Tracker.Price(operations: curvature.work, seconds: took * share))
        return loss
    }

    /// A step by a rule that may look at the run meanwhile, and changes nothing of it but by what it returns.
    private func stepByProgram() throws -> Double {
        var (rule, theta) = (rule, theta)
        let loss = try measuring { try rule.step(&theta, stepOracle) }
        (self.rule, self.theta) = (rule, theta)
        return loss
    }

    /// Whether nobody should wait for the end of a step: it takes long, and to copy what it moves takes a hundredth of that. Of the
    /// first one of a kind, of which nothing is known, whether there is little to be copied.
    private var stepMayBeLong: Bool {
        let last = lastStep.flatMap { $0.count == batchCount ? $0.seconds : nil }
        if let last, last < 0.05 { return false }
        let bytes = theta.count * theta.element.byteCount * (1 + rule.state.vectors.count)
        return Double(bytes) < (last.map { 5e7 * $0 } ?? 5e7)
    }

    /// A step on copies: one that is cancelled on its way has not happened.
    private func longStep() throws -> Double {
        var (rule, theta) = (rule, theta)
        let statistics = objective.model.statistics.isEmpty ? nil : try statistics()
        let spent = oracle.work
        do {
            let loss = try oracle.answering { try rule.step(&theta, stepOracle) }
            (self.rule, self.theta) = (rule, theta)
            return loss
        } catch let cancelled as Cancelled {
            if let statistics { try oracle.running.assign(statistics) }
            oracle.forgetWork(since: spent)
            throw cancelled
        }
    }

    /// Measures what is due at θ_t, then runs the actions of t.
    func settle() throws {
        try persisting { try measurePoint() }
        try act()
        nextDue = .max
        for action in actions { nextDue = min(nextDue, action.due) }
        for tracker in trackers where tracker.probe.timing == .point { nextDue = min(nextDue, tracker.candidate) }
    }
}
