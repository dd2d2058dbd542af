import Compute
import Dynamics
import Objectives

/// What a training is expected to take on this machine.
public struct TrainingEstimate: Sendable, Hashable {
    /// Steps it would take.
    public var steps: Int
    /// Seconds of the steps, and of what is measured on the way.
    public var training: Double
    public var probes: Double
    /// Multiply-adds of the cost model, of both.
    public var operations: Double
    /// The most bytes of large buffers that this process had at a time so far, those of the trial included, and how many it may have.
    public var memory: Int
    public var memoryLimit: Int
    /// The series of which nobody knows what they cost: they are in none of these numbers.
    public var unknown: [String]

    public var seconds: Double { training + probes }
}

extension Run {
    /// What so many further steps are expected to take, with all that is tracked. A copy of the run takes a few steps, and measures each
    /// quantity that was not measured yet, unless that alone would take long; then the cost model says how much more it is than a step.
    /// The run itself is as before, its streams of random numbers included. It is a rough figure: seconds are those of this moment, and
    /// eigenvalues may be dearer, or cheaper, later in a training.
    /// - Throws: `MemoryError` where a step does not fit, and what a step throws but a divergence.
    public func estimate(steps: Int) throws -> TrainingEstimate {
        try requireNotMeasuring("the costs", "be estimated")
        let json = try reading("estimate") { try estimateNow(steps: steps).json }
        guard let estimate = TrainingEstimate(json: json) else {
            throw ExperimentError.invalid("the checkpoint is not complete: what was estimated is not")
        }
        return estimate
    }

    private func estimateNow(steps: Int) throws -> TrainingEstimate {
        let work = oracle.work
        defer { oracle.work = work }
        let trial = try trialCopy()
        let step = try trial.priceOfSteps(atMost: steps)
        var estimate = TrainingEstimate(
            steps: steps, training: Double(steps) * step.seconds, probes: 0,
            operations: Double(steps) * step.operations, memory: 0, memoryLimit: MemoryAccount.shared.limit, unknown: []
        )
        // Where a step has no operations, as one of a program's own may have none, there is no rate.
        let rate = step.operations > 0 ? step.seconds / step.operations : 0
        var budgeted = Tracker.Price(operations: 0, seconds: 0)
        for tracker in trackers {
            guard let one = try trial.price(of: tracker, secondsPerOperation: rate) else {
                estimate.unknown += tracker.probe.seriesNames
                continue
            }
            let count = Double(tracker.count(from: self.step, through: self.step + steps))
            if tracker.hasBudget {
                budgeted.operations += count * one.operations
                budgeted.seconds += count * one.seconds
            } else {
                estimate.operations += count * one.operations
                estimate.probes += count * one.seconds
            }
        }
        if let share = budget?.share, budgeted.operations > 0 {
            let allowed = share / (1 - share) * Double(steps) * step.operations
            let part = min(1, allowed / budgeted.operations)
            estimate.operations += part * budgeted.operations
            estimate.probes += part * budgeted.seconds
        }
        estimate.memory = MemoryAccount.shared.peak
        return estimate
    }

    /// The run as it stands, in memory, without what is to be measured and done on the way. What a program's own rule does cannot be
    /// tried without doing it: a step of plain descent stands for it, which takes one gradient.
    private func trialCopy() throws -> Run {
        let trial = try Run(forking: self, name: name)
        (trial.trackers, trial.actions, trial.registered, trial.schedules) = ([], [], [], [])
        trial.nextDue = .max
        if rule.callsProgram { trial.rule = SGD(learningRate: rule.learningRate) }
        return trial
    }

    /// What a step takes: the mean of some that are made, the first one, which makes the programs, left out where it is short.
    private func priceOfSteps(atMost most: Int) throws -> Tracker.Price {
        func take() throws -> Bool {
            do { try advance() } catch ExperimentError.diverged { return false }
            return true
        }
        func price(since before: Spending) -> Tracker.Price {
            let count = Double(max(1, training.measurements - before.measurements))
            return Tracker.Price(
                operations: (training.operations - before.operations) / count,
                seconds: (training.seconds - before.seconds) / count)
        }
        let start = training
        guard most > 0 else { return Tracker.Price(operations: 0, seconds: 0) }
        let goesOn = try take()
        let first = price(since: start)
        guard goesOn, most > 1, first.seconds < Self.longTrial else { return first }
        let (watch, before) = (Stopwatch(), training)
        var taken = 1
        while taken < most, watch.seconds < Self.shortTrial, try take() { taken += 1 }
        return training.measurements > before.measurements ? price(since: before) : first
    }

    /// What one measurement takes; nil where nobody knows.
    private func price(of tracker: Tracker, secondsPerOperation rate: Double) throws -> Tracker.Price? {
        let spent = tracker.spent
        if spent.measurements > 0 {
            let count = Double(spent.measurements)
            return Tracker.Price(operations: spent.operations / count, seconds: spent.seconds / count)
        }
        guard let operations = try tracker.probe.expectedOperations(in: self) else { return nil }
        let expected = Tracker.Price(operations: operations, seconds: operations * rate)
        guard tracker.timing == .point, expected.seconds < Self.longTrial else { return expected }
        let probe = tracker.probe.copy()
        var measured: Measurement?
        // The first one makes the programs, and is left out where it is short. What was computed at a point is not computed there again.
        do {
            measured = try measure(probe).first
            if measured?.seconds ?? 0 < Self.shortTrial {
                try advance()
                measured = try measure(probe).first ?? measured
            }
        } catch is ExperimentError { return expected }
        guard let seconds = measured?.seconds else { return expected }
        return Tracker.Price(operations: measured?.operations ?? operations, seconds: seconds)
    }

    /// Seconds that steps are tried for, and those beyond which nothing is tried twice, or for its price.
    private static let shortTrial = 0.3
    private static let longTrial = 10.0
}

extension TrainingEstimate {
    var json: JSONValue {
        .object([
            "steps": .integer(steps), "training": JSONValue(exactly: training), "probes": JSONValue(exactly: probes),
            "operations": JSONValue(exactly: operations), "memory": .integer(memory),
            "memory_limit": .integer(memoryLimit), "unknown": .array(unknown.map { .string($0) }),
        ])
    }

    init?(json: JSONValue) {
        guard case .object(let object) = json, let steps = object["steps"]?.wholeNumber,
            let training = object["training"]?.realNumber, let probes = object["probes"]?.realNumber,
            let operations = object["operations"]?.realNumber, let memory = object["memory"]?.wholeNumber,
            let limit = object["memory_limit"]?.wholeNumber, let unknown = object["unknown"]?.list(\.text)
        else { return nil }
        self.init(
            steps: steps, training: training, probes: probes, operations: operations, memory: memory,
            memoryLimit: limit, unknown: unknown)
    }
}
