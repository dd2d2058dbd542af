import Compute
import Dynamics

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
    /// Follows a probe: it is measured at steps 0, `every`, 2·`every`, …, from the present one on.
    public func track(_ probe: any Probe, every: Int) throws {
        guard every >= 1 else { throw ExperimentError.invalid("every must be at least 1, not \(every)") }
        if let name = probe.seriesNames.first(where: { name in
            trackers.contains { $0.probe.seriesNames.contains(name) }
        }) {
            throw ExperimentError.invalid("run '\(self.name)' tracks '\(name)' already")
        }
        trackers.append(Tracker(probe: probe, every: every, index: trackers.count + 1))
        for name in probe.seriesNames where recorded[name] == nil {
            recorded[name] = Series(name: name)
            seriesNames.append(name)
        }
        nextDue = min(nextDue, step)
    }

    /// Runs an action after step `step` and its probes, before the next step.
    public func at(_ step: Int, _ action: @escaping (Run) throws -> Void) throws {
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
            if let target = goal.accuracy, try accuracy(of: evaluation(), on: data.train) >= target { return .accuracy }
        }
        return nil
    }

    private func looksAtLoss() -> Bool {
        if let tracker = trackers.first(where: { $0.probe.seriesNames.contains("loss") }) {
            return step % tracker.every == 0
        }
        return step % 100 == 0
    }

    /// One step: the batch's probes at θₜ₋₁, then the rule.
    private func takeStep() throws {
        try openFile()
        let next = step + 1
        let due = trackers.indices.filter { trackers[$0].probe.timing == .step && trackers[$0].isDue(at: next) }
        let rate = rule.learningRate
        if keepsPreviousParameters { previousParameters = theta }
        let loss: Double
        switch batchSize {
        case .full:
            try measure(due, at: next, batch: nil)
            loss = try rule.step(&theta, StepOracle(oracle, batch: nil))
            sampler.takeEpoch()
        case .samples(let size):
            // The sampler is a value: it is advanced in a copy and put back, so that a probe which throws leaves it unmoved.
            var advanced = sampler
            loss = try advanced.next(size) { batch in
                try measure(due, at: next, batch: batch)
                return try rule.step(&theta, StepOracle(oracle, batch: batch))
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

    /// Whether a probe asks for θₜ₋₁.
    private var keepsPreviousParameters: Bool { trackers.contains { $0.probe is UpdateNorm } }

    /// Measures what is due at θ_t, then runs the actions of t.
    func settle() throws {
        let due = trackers.indices.filter { trackers[$0].probe.timing == .point && trackers[$0].isDue(at: step) }
        try measure(due, at: step, batch: nil)
        while let index = actions.firstIndex(where: { $0.step <= step }) {
            let action = actions.remove(at: index).action
            try action(self)
        }
        nextDue = actions.map(\.step).min() ?? .max
        for tracker in trackers {
            switch tracker.probe.timing {
            case .point: nextDue = min(nextDue, tracker.nextDue(from: step))
            // Steps look at these by themselves.
            case .step: break
            }
        }
    }

    private func measure(_ due: [Int], at step: Int, batch: UnsafeBufferPointer<Int>?) throws {
        for index in due {
            let tracker = trackers[index]
            let values = try measuring {
                try tracker.probe.measure(self, batch: batch, stream: tracker.stream(seed: seed, step: step))
            }
            trackers[index].lastMeasured = step
            for (name, value) in zip(tracker.probe.seriesNames, values) {
                var value = value
                value.step = step
                try record(name, value)
            }
        }
    }

    func measuring<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = isMeasuring
        isMeasuring = true
        defer { isMeasuring = outer }
        return try body()
    }

    private func record(_ series: String, _ measurement: Measurement) throws {
        recorded[series, default: Series(name: series)].append(measurement)
        try openFile()
        try file?.record(series, measurement)
        noteChunks()
    }

    /// Writes into the file in what chunks data was walked: sums are taken in this order.
    private func noteChunks() {
        guard file != nil, !chunks.isEmpty else { return }
        for (quantity, samples) in chunks { note("chunk", "\(quantity): \(samples) samples at a time") }
        chunks = []
    }

    func openFile() throws {
        guard file == nil, let makeFile else { return }
        file = try makeFile(self)
    }

    /// The values measured of a series.
    public func series(_ name: String) throws -> Series {
        guard let series = recorded[name] else {
            throw ExperimentError.unknownSeries(name, run: self.name, known: seriesNames)
        }
        return series
    }
}
