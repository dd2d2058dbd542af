import Compute

/// A probe that a run follows: when it is due, which of its random streams is next, and what it has cost.
struct Tracker {
    private(set) var probe: any Probe
    let timing: ProbeTiming
    let usesPreviousParameters: Bool
    let cadence: Cadence
    /// The number that keys this tracker's random streams.
    let index: Int
    /// Options of the probe, as the program gave them.
    let words: String
    /// Due at the step that is being taken, which measures it.
    var isMeasuredByStep = false
    /// What it spent, in the run's whole life.
    private(set) var spent = Spending()
    /// What it may spend, of a tracker with a budget.
    var account: BudgetAccount?

    private var walk: Cadence.Walk
    /// It may be due at this step, and at none before that is yet to come.
    private(set) var candidate: Int
    /// The step last measured at.
    private(set) var lastMeasured: Int?

    /// What one measurement took.
    struct Price {
        /// Multiply-adds of the cost model.
        var operations: Double
        var seconds: Double
    }

    /// - Parameters:
    ///   - expected: what a first measurement will cost, for a budget; nil if that is not known.
    ///   - step: where the run stands.
    init(
        probe: any Probe, cadence: Cadence, index: Int, words: String = "", expecting expected: Double?, from step: Int
    ) {
        self.words = words
        self.probe = probe
        self.cadence = cadence
        self.index = index
        timing = probe.timing
        usesPreviousParameters = probe.usesPreviousParameters
        account = cadence.budget == nil ? nil : BudgetAccount(expecting: expected ?? 0)
        walk = cadence.walk
        // What belongs to a step can be measured from the next one on.
        candidate = walk.next(from: probe.timing == .step ? step + 1 : step)
    }

    /// The tracker as a fork of its run goes on with it.
    func forked() -> Tracker {
        var copy = self
        copy.probe = probe.copy()
        return copy
    }

    var hasBudget: Bool { account != nil }

    /// What the program says of it: a tracker goes on from a checkpoint where it says the same.
    var summary: String {
        "\(probe.seriesNames.joined(separator: ", ")) \(cadence.summary)\(words.isEmpty ? "" : ", \(words)")"
    }

    mutating func code(_ coder: StateCoder) throws {
        var summary = summary
        try coder.code("summary", &summary)
        guard summary == self.summary else {
            throw ExperimentError.invalid("now \(self.summary), in the checkpoint \(summary)")
        }
        try coder.code("candidate", &candidate)
        try coder.code("last_measured", &lastMeasured)
        try coder.group("spent") { try spent.code(coder) }
        if var own = account {
            try coder.group("account") { try own.code(coder) }
            account = own
        }
        try coder.group("probe") { try probe.code(coder) }
        if coder.isReading {
            walk = cadence.walk
            if candidate != .max { _ = walk.next(from: candidate) }
        }
    }

    /// Whether it may be due at a step that was not dealt with yet.
    mutating func reaches(_ step: Int) -> Bool {
        if candidate < step { candidate = walk.next(from: step) }
        return candidate == step
    }

    /// At how many steps it may be due, those that a condition or a budget may leave out included.
    func count(from first: Int, through last: Int) -> Int {
        cadence.count(
            from: max(timing == .step ? first + 1 : first, lastMeasured.map { $0 + 1 } ?? 0), through: last)
    }

    /// Whether the step that it has reached can be paid for; those named one by one are not asked.
    var isAffordable: Bool { account?.canPay ?? true || walk.names(candidate) }

    /// A step is dealt with: it was measured at, too dear, or refused by the condition.
    mutating func pass(_ step: Int, measured: Bool) {
        if measured { lastMeasured = step }
        candidate = step == .max ? .max : walk.next(from: step + 1)
    }

    /// Takes note of what was spent, on a measurement or on asking a condition that said no.
    mutating func pay(_ price: Price, for measured: [Measurement]) {
        spent.operations += price.operations
        spent.seconds += price.seconds
        account?.pay(price.operations, measured: !measured.isEmpty)
        guard let first = measured.first else { return }
        spent.measurements += 1
        spent.samples += first.samples ?? 0
        spent.products += first.products ?? 0
    }

    static func stream(seed: UInt64, step: Int, index: Int) -> RandomStream {
        RandomStream(seed: seed, purpose: .probe, index: UInt64(step) << 16 | UInt64(index & 0xFFFF))
    }
}

/// What steps, or the measurements of a probe, took so far.
struct Spending: Sendable {
    var measurements = 0
    var samples = 0
    var products = 0
    /// Multiply-adds of the cost model.
    var operations = 0.0
    var seconds = 0.0
}
