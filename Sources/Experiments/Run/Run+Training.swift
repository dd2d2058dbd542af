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
    /// Stops once the full-data loss is at or below this; looked at where `loss` is tracked, else every 100 steps.
    public var loss: Double?
    /// Stops once the training accuracy is at or above this; looked at likewise.
    public var accuracy: Double?
    /// Stops once the batch's loss is above this.
    public var maxLoss: Double?

    public init(
        step: Int? = nil, epoch: Double? = nil, time: Double? = nil, loss: Double? = nil, accuracy: Double? = nil,
        maxLoss: Double? = nil
    ) {
        self.step = step
        self.epoch = epoch
        self.time = time
        self.loss = loss
        self.accuracy = accuracy
        self.maxLoss = maxLoss
    }
}

/// Why training stopped.
public enum TrainingEnd: String, Sendable {
    case step, epoch, time, loss, accuracy
    case maxLoss = "max_loss"
}

extension Run {
    /// Runs an action after step `step` and its probes, before the next step.
    public func at(_ step: Int, _ action: @escaping (Run) throws -> Void) throws {
        try requireNotMeasuring("what is done at a step")
        guard step >= self.step else {
            throw ExperimentError.invalid("at(\(step)): run '\(name)' is at step \(self.step) already")
        }
        actions.append((step, action))
        nextDue = min(nextDue, step)
    }

    /// Trains until a goal is reached.
    /// - Throws: `ExperimentError.diverged` at the step whose loss is not finite; everything measured is kept.
    @discardableResult
    public func train(_ goal: TrainingGoal) throws -> TrainingEnd {
        try requireNotMeasuring("the step")
        let outer = self.goal
        self.goal = goal
        defer { self.goal = outer }
        try settle()
        while true {
            if let end = try reached(goal) {
                try file?.commit()
                return end
            }
            try advance()
        }
    }

    /// Takes one step, with the probes and actions that are due before and after it.
    public func advance() throws {
        try requireNotMeasuring("the step")
        if step >= nextDue { try settle() }
        try takeStep()
        if step >= nextDue { try settle() }
        try atStepBoundary?(self)
    }

    private func reached(_ goal: TrainingGoal) throws -> TrainingEnd? {
        if let last = goal.step, step >= last { return .step }
        // Sums of fractions are rounded: a thousandth of a sample, or of a step, is no reason for one more.
        if let end = goal.epoch, epoch >= end - 1e-3 / Double(data.train.count) { return .epoch }
        if let end = goal.time, time >= end - 1e-3 * learningRate { return .time }
        if let limit = goal.maxLoss, let batchLoss, batchLoss > limit { return .maxLoss }
        if goal.loss != nil || goal.accuracy != nil, looksAtLoss() {
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

    private func looksAtLoss() -> Bool {
        if let tracker = trackers.first(where: { $0.probe.seriesNames.contains("loss") }) {
            return tracker.lastMeasured == step
        }
        return step % 100 == 0
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
            try measureStep(next, batch: nil)
            loss = try descend(on: nil)
            sampler.takeEpoch()
        case .samples(let size):
            // The sampler is a value: it is advanced in a copy and put back, so that a probe which throws leaves it unmoved.
            var advanced = sampler
            loss = try advanced.next(size) { batch in
                try measureStep(next, batch: batch)
                return try descend(on: batch)
            }
            sampler = advanced
        }
        step = next
        time += rate
        version += 1
        batchLoss = loss
        guard loss.isFinite else {
            let error = ExperimentError.diverged(run: name, step: step, loss: loss, learningRate: rate)
            note("diverged", error.description)
            try file?.commit()
            throw error
        }
    }

    private func descend(on batch: UnsafeBufferPointer<Int>?) throws -> Double {
        let start = Monitor.now()
        let before = work
        let loss = try rule.step(&theta, StepOracle(oracle, batch: batch))
        earn(work - before, seconds: Monitor.now() - start)
        return loss
    }

    /// Measures what is due at θ_t, then runs the actions of t.
    func settle() throws {
        try measurePoint()
        while let index = actions.firstIndex(where: { $0.step <= step }) {
            let action = actions.remove(at: index).action
            try action(self)
        }
        nextDue = .max
        for action in actions { nextDue = min(nextDue, action.step) }
        for tracker in trackers where tracker.probe.timing == .point { nextDue = min(nextDue, tracker.candidate) }
    }
}
