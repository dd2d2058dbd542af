import Compute
import Curvature
import Dynamics
import Objectives

extension Run {
    /// Bytes: names stand in legends, columns, and lists of what there is.
    private static let longestSeriesName = 200

    /// Follows a probe from the present step on.
    /// - Throws: `ExperimentError.invalid` where a series of that name is followed already, and for a second budget.
    /// - Parameter words: the probe's options, as the program gave them, for checkpoints.
    public func track(_ probe: any Probe, _ cadence: Cadence, words: String = "") throws {
        for name in probe.seriesNames {
            let reason =
                name.isEmpty
                ? "it is empty"
                : name.hasControlCharacters
                    ? "it contains a control character"
                    : name.utf8.count > Self.longestSeriesName
                        ? "it is longer than \(Self.longestSeriesName) bytes" : nil
            if let reason {
                throw ExperimentError.invalid(
                    "'\(String(name.prefix(Self.longestSeriesName)).printable)' cannot be the name of a series: \(reason)"
                )
            }
        }
        if let name = probe.seriesNames.first(where: { name in
            trackers.contains { $0.probe.seriesNames.contains(name) }
        }) {
            throw ExperimentError.invalid(
                "run '\(self.name)' tracks '\(name)' already; a second series of it needs a name of its own, as = \"…\""
            )
        }
        if let share = cadence.budget {
            if let budget, budget.share != share {
                throw ExperimentError.invalid(
                    "run '\(name)' has a budget of \(budget.share), which all its probes share: a second one, \(share), is "
                        + "not possible")
            }
            budget = budget ?? Budget(share: share)
        }
        let expected = cadence.budget == nil || replay != nil ? nil : try probe.expectedOperations(in: self)
        var tracker = Tracker(
            probe: probe, cadence: cadence, index: trackers.count + 1, words: words, expecting: expected,
            from: programStep)
        if let replay, isProgram || redo != nil { try replay.restore(&tracker) }
        trackers.append(tracker)
        for name in probe.seriesNames where recorded[name] == nil {
            recorded[name] = RecordedSeries(name: name)
            seriesNames.append(name)
        }
        nextDue = min(nextDue, step)
        noteCatalogueNames(of: probe)
    }

    /// Follows a probe: it is measured at steps 0, `every`, 2·`every`, …, from the present one on.
    public func track(_ probe: any Probe, every: Int) throws { try track(probe, .every(every)) }

    /// Measures now, without recording. The random stream is that of the present step and of measuring, so measuring twice at
    /// one step gives the same number.
    public func measure(_ probe: any Probe) throws -> [Measurement] {
        guard probe.timing == .point else {
            throw ExperimentError.invalid(
                "'\(probe.seriesNames[0])' belongs to a step: track it, or give it a batch = {…} of its own")
        }
        let stream = Tracker.stream(seed: seed, step: step, index: 0)
        let cache = eigenCache
        eigenCache = eigenCacheOfLooks
        defer { eigenCache = cache }
        return try restoringWhenCancelled {
            try engine.asCurrent { try priced { try probe.measure(self, batch: nil, stream: stream) }.measured }
        }
    }

    /// Multiply-adds of the cost model that this run's plans took so far, and what probes did beside them.
    var work: Double { oracle.work + probeWork }

    /// Counts what a probe did outside of plans, in multiply-adds of the cost model: an element moved is eight of them.
    func count(operations: Double) { probeWork += operations }

    /// Measures what is due at θ_t.
    func measurePoint() throws {
        for index in trackers.indices where trackers[index].timing == .point {
            try measureIfDue(index, at: step, batch: nil)
        }
    }

    /// Measures what is due on the batch of step `next`, at the parameters before it.
    /// - Returns: whether the step itself is to measure the curvature of its batch, for `recordStep`.
    func measureStep(_ next: Int, batch: UnsafeBufferPointer<Int>?) throws -> Bool {
        var measures = false
        for index in trackers.indices where trackers[index].timing == .step {
            guard rule.measuresCurvatureOnTheWay, trackers[index].probe.isMeasuredByStep(of: self) else {
                try measureIfDue(index, at: next, batch: batch)
                continue
            }
            let isDue = try isDue(index, at: next)
            trackers[index].isMeasuredByStep = isDue
            measures = measures || isDue
        }
        return measures
    }

    /// Whether a tracker whose measurement costs nothing of its own is due at a step, asking its condition.
    private func isDue(_ index: Int, at step: Int) throws -> Bool {
        guard trackers[index].reaches(step) else { return false }
        guard trackers[index].isAffordable else {
            trackers[index].pass(step, measured: false)
            return false
        }
        guard let condition = trackers[index].cadence.condition else { return true }
        let (_, cost) = try priced { () -> [Measurement] in
            if try !measuring({ try condition(self) }) { trackers[index].pass(step, measured: false) }
            return []
        }
        settle(cost, of: index, for: [])
        return trackers[index].candidate == step
    }

    /// Records what a step measured of its batch, for the trackers that are due; the first of them pays.
    func recordStep(_ step: Int, _ curvature: BatchCurvature, _ price: Tracker.Price) throws {
        var price = price
        for index in trackers.indices where trackers[index].isMeasuredByStep {
            trackers[index].isMeasuredByStep = false
            var measured = trackers[index].probe.measurements(of: curvature, at: step)
            if !measured.isEmpty { (measured[0].operations, measured[0].seconds) = (price.operations, price.seconds) }
            try finish(index, at: step, measured, price)
            price = Tracker.Price(operations: 0, seconds: 0)
        }
    }

    /// Whether θₜ₋₁ is asked for after the next step.
    var keepsPreviousParameters: Bool {
        isComparedAtMidpoints || trackers.contains { $0.usesPreviousParameters && $0.candidate <= step + 1 }
    }

    private func measureIfDue(_ index: Int, at step: Int, batch: UnsafeBufferPointer<Int>?) throws {
        guard trackers[index].reaches(step) else { return }
        guard trackers[index].isAffordable else { return trackers[index].pass(step, measured: false) }
        let tracker = trackers[index]
        let (measured, cost) = try wholly {
            try priced {
                if let condition = tracker.cadence.condition, try !measuring({ try condition(self) }) {
                    return [Measurement]()
                }
                return try measuring {
                    do {
                        return try tracker.probe.measure(
                            self, batch: batch, stream: Tracker.stream(seed: seed, step: step, index: tracker.index))
                    } catch CurvatureError.notFinite {
                        // A run stops at a loss that is not finite, not at a curvature: the step after this one will say so.
                        return tracker.probe.seriesNames.map { _ in Measurement(step: step, value: .nan) }
                    }
                }
            }
        }
        try finish(index, at: step, measured, cost)
    }

    /// Takes note of what a measurement took.
    private func settle(_ cost: Tracker.Price, of index: Int, for measured: [Measurement]) {
        trackers[index].pay(cost, for: measured)
        if !trackers[index].hasBudget { budget?.owe(cost.operations) }
    }

    /// A step is dealt with: pays, and records what was measured.
    private func finish(_ index: Int, at step: Int, _ measured: [Measurement], _ cost: Tracker.Price) throws {
        settle(cost, of: index, for: measured)
        trackers[index].pass(step, measured: !measured.isEmpty)
        for (name, value) in zip(trackers[index].probe.seriesNames, measured) {
            var value = value
            value.step = step
            try record(name, value)
        }
    }

    /// Measures, and writes to the first measurement what it all took.
    private func priced(
        _ measure: () throws -> [Measurement]
    ) throws -> (measured: [Measurement], cost: Tracker.Price) {
        let watch = Stopwatch()
        let before = work
        var measured = try measure()
        let cost = Tracker.Price(operations: work - before, seconds: watch.seconds)
        for i in measured.indices { measured[i].operations = i == 0 ? cost.operations : nil }
        if !measured.isEmpty, measured[0].seconds == nil { measured[0].seconds = cost.seconds }
        return (measured, cost)
    }

    /// A step took so much.
    func earn(_ operations: Double, seconds: Double) {
        training.measurements += 1
        training.operations += operations
        training.seconds += seconds
        budget?.earn(operations, for: &trackers)
    }

    func measuring<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = isMeasuring
        isMeasuring = true
        defer { isMeasuring = outer }
        return try body()
    }

    /// Records what was measured of this run and others: among its series, in its file.
    func keep(_ measurement: Measurement, as name: String) throws {
        if recorded[name] == nil { seriesNames.append(name) }
        try record(name, measurement)
    }

    private func record(_ series: String, _ measurement: Measurement) throws {
        let isLong = recorded[series, default: RecordedSeries(name: series)].append(measurement)
        try openFile()
        guard let file else { return }
        try file.record(series, measurement)
        noteChunks()
        if isLong { recorded[series]?.release(before: file.isCompleteBefore, in: file.url) }
    }

    /// Writes into the file in what chunks data was walked: sums are taken in this order.
    private func noteChunks() {
        guard file != nil, notedChunks < chunks.count else { return }
        for (quantity, samples) in chunks[notedChunks...] { note("chunk", "\(quantity): \(samples) samples at a time") }
        notedChunks = chunks.count
    }

    func openFile() throws {
        guard file == nil, let makeFile else { return }
        file = try makeFile(self)
    }

    /// The values measured of a series. `edge` also stands for the edge of a named curvature (`edge_lambda_max`), where one is
    /// tracked and no other.
    /// - Parameters:
    ///   - first: from this step on.
    ///   - last: up to this step.
    /// - Throws: `ExperimentError.unknownSeries`; `RunFileError` where the older values cannot be read from the run's file.
    public func series(_ name: String, from first: Int? = nil, to last: Int? = nil) throws -> Series {
        noteSeriesReading()
        let last = replay == nil ? last : min(last ?? .max, programStep)
        if let found = recorded[name], found.name.utf8.elementsEqual(name.utf8) {
            let series = try found.series(from: first, to: last)
            guard name == Edge.name(nil) else { return series }
            return try history.withOwnEdges(series) { try recorded[$0]?.series() }
        }
        if name == Edge.name(nil) {
            let named = EdgeQuantity.allCases.compactMap { recorded[Edge.name($0)] }
            if named.count == 1 { return try named[0].series(from: first, to: last) }
        }
        throw ExperimentError.unknownSeries(name, run: self.name, known: seriesNames)
    }

    /// The value last measured of a series; nil where there is none.
    public func lastValue(of name: String) -> Double? { recorded[name]?.last }
}
