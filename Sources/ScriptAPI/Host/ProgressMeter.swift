import Dynamics
import Experiments
import Objectives

/// Decides, between two steps, whether it is time to look at the clock; measures the speed of a training.
///
/// Called at each step, it costs a comparison. How many steps pass between two looks follows from how long the last ones took.
struct ProgressMeter {
    /// Seconds between two looks at the clock, and between two snapshots.
    private static let lookInterval = 0.02
    private static let showInterval = 0.1
    /// Over how many seconds the speed is averaged.
    private static let speedWindow = 3.0

    private var untilLook = 1
    private var stride = 1
    private var lastLook: Double?
    private var lastShown: Double?
    private var shownStep = 0
    private var stepsPerSecond: Double?
    private var run: ObjectIdentifier?

    /// True when a snapshot is due.
    @inline(__always)
    mutating func isDue(_ run: Run) -> Bool {
        untilLook -= 1
        return untilLook <= 0 && look(run)
    }

    private mutating func look(_ run: Run) -> Bool {
        let now = Stopwatch.now
        defer { untilLook = stride }
        if self.run != ObjectIdentifier(run) {
            self = ProgressMeter()
            self.run = ObjectIdentifier(run)
            (lastLook, lastShown, shownStep) = (now, now, run.step)
            return false
        }
        if let lastLook {
            let elapsed = now - lastLook
            let aim = elapsed > 0 ? Double(stride) * Self.lookInterval / elapsed : 2 * Double(stride)
            stride = Int(min(max(1, aim), 2 * Double(stride), 1e6))
        }
        lastLook = now
        guard let lastShown, now - lastShown >= Self.showInterval else { return false }
        measureSpeed(run, seconds: now - lastShown)
        self.lastShown = now
        shownStep = run.step
        return true
    }

    private mutating func measureSpeed(_ run: Run, seconds: Double) {
        let speed = Double(run.step - shownStep) / seconds
        guard let previous = stepsPerSecond else {
            stepsPerSecond = speed
            return
        }
        let weight = min(1, seconds / Self.speedWindow)
        stepsPerSecond = previous + weight * (speed - previous)
    }

    /// How far the run is.
    func snapshot(of run: Run) -> TrainingSnapshot {
        var tracked: [TrainingSnapshot.Tracked] = []
        var loss: Double?
        let history = run.history
        for name in run.seriesNames {
            guard let value = run.lastValue(of: name) else { continue }
            // What it measures, whatever the program calls it.
            let measured = history.catalogueName(of: name)
            if name == "loss", measured == name {
                loss = value
            } else if !history.isEdge(name) {
                let edge = EdgeQuantity(series: measured).flatMap { run.edge(of: $0) }
                tracked.append(.init(name: name, value: value, edge: edge))
            }
        }
        let last = run.goal.flatMap { lastStep(of: run, $0) }
        var secondsLeft: Double?
        if let last, let stepsPerSecond, stepsPerSecond > 0 { secondsLeft = Double(last - run.step) / stepsPerSecond }
        return TrainingSnapshot(
            run: run.name, step: run.step, lastStep: last, loss: loss ?? run.batchLoss, tracked: tracked,
            stepsPerSecond: stepsPerSecond, secondsLeft: secondsLeft)
    }

    private func lastStep(of run: Run, _ goal: TrainingGoal) -> Int? {
        if let step = goal.step { return step }
        var left: Double?
        if let epoch = goal.epoch {
            left = (epoch - run.epoch) * Double(run.data.train.count) / Double(run.batchCount)
        } else if let time = goal.time {
            left = (time - run.time) / run.learningRate
        }
        guard let left, left >= 0, left < 1e15 else { return nil }
        return run.step + Int(left.rounded(.up))
    }
}
