/// When a probe is measured along a run.
///
/// The steps at which it may be due are those of the spacing (every n-th, or growing), together with those named by `at`. Of
/// these `when` keeps the ones at which it says yes, and `budget` those of the spacing that can be paid for; steps named by
/// `at` are not asked for their price. All of it is a function of the run's steps and its work in the cost model, so the
/// schedule is the same on every machine.
public struct Cadence {
    /// Which steps, apart from single ones.
    public enum Spacing: Sendable, Hashable {
        /// 0, n, 2n, …
        case every(Int)
        case growing(GrowingSteps)
    }

    /// Asked at a step before measuring there: yes or no.
    public typealias Condition = (Run) throws -> Bool

    /// nil where only the steps of ``steps`` are meant.
    public let spacing: Spacing?
    /// Single steps, in order.
    public let steps: [Int]
    public let condition: Condition?
    /// Which share of the run's work all its probes together may take, between 0 and 1.
    public let budget: Double?

    /// - Parameters:
    ///   - spacing: every step where neither it nor `steps` is given.
    ///   - steps: measured at these too.
    ///   - condition: asked at each step that the others leave; a step it says no to is not measured.
    ///   - budget: the share of the run's work that all probes together may take. The spacing is then the least one.
    /// - Throws: `ExperimentError.invalid` for numbers that cannot be, and for a budget of single steps.
    public init(
        _ spacing: Spacing? = nil, at steps: [Int] = [], when condition: Condition? = nil, budget: Double? = nil
    ) throws {
        if case .every(let count)? = spacing, count < 1 {
            throw ExperimentError.invalid("every must be at least 1, not \(count)")
        }
        if let negative = steps.first(where: { $0 < 0 }) {
            throw ExperimentError.invalid("at: there is no step \(negative); steps are counted from 0")
        }
        if let budget {
            guard budget > 0, budget < 1 else {
                throw ExperimentError.invalid(
                    "budget is the share of the run's work that probes may take: between 0 and 1, not \(budget)")
            }
            guard spacing != nil || steps.isEmpty else {
                throw ExperimentError.invalid(
                    "steps named by 'at' are measured whatever they cost, so 'budget' has nothing to space out: give "
                        + "'every' as well, as the least spacing, or leave out 'budget'")
            }
        }
        self.spacing = spacing ?? (steps.isEmpty ? .every(1) : nil)
        self.steps = Set(steps).sorted()
        self.condition = condition
        self.budget = budget
    }

    /// 0, n, 2n, …
    public static func every(_ count: Int) throws -> Cadence { try Cadence(.every(count)) }

    /// These steps alone.
    public static func at(_ steps: [Int]) throws -> Cadence { try Cadence(at: steps) }

    /// 0, `first`, and from there on spacings that grow.
    public static func growing(first: Int, growth: Double, max: Int = .max) throws -> Cadence {
        try Cadence(.growing(GrowingSteps(first: first, growth: growth, max: max)))
    }

    /// As messages and checkpoints call it: `every 50, at 100, under a condition, budget 0.1`.
    var summary: String {
        var parts: [String] = []
        switch spacing {
        case .every(let count): parts.append("every \(count)")
        case .growing(let growing):
            parts.append("every \(growing.first) growing by \(growing.growth) to \(growing.max)")
        case nil: break
        }
        if !steps.isEmpty { parts.append("at \(steps.map(String.init).joined(separator: " "))") }
        if condition != nil { parts.append("under a condition") }
        if let budget { parts.append("budget \(budget)") }
        return parts.joined(separator: ", ")
    }

    /// A walk along the steps at which it may be due, whatever the condition and the budget say.
    var walk: Walk { Walk(self) }

    /// At how many steps of a range it may be due.
    func count(from first: Int, through last: Int) -> Int {
        guard first <= last else { return 0 }
        if case .every(let spacing)? = spacing {
            let multiples = last / spacing - (first > 0 ? (first - 1) / spacing : -1)
            return multiples + steps.count { $0 >= first && $0 <= last && $0 % spacing != 0 }
        }
        var (walk, count) = (walk, 0)
        var step = walk.next(from: first)
        while step <= last {
            count += 1
            step = walk.next(from: step + 1)
        }
        return count
    }

    /// Finds the steps at which a cadence may be due, at a constant cost for steps that are asked for in order.
    struct Walk {
        private let spacing: Spacing?
        private let steps: [Int]
        /// How many of ``steps`` lie behind.
        private var passed = 0
        private var cursor: GrowingSteps.Cursor?
        private var asked = 0

        fileprivate init(_ cadence: Cadence) {
            spacing = cadence.spacing
            steps = cadence.steps
            if case .growing(let growing)? = spacing { cursor = growing.start }
        }

        /// Whether the step is one of the single ones.
        func names(_ step: Int) -> Bool { passed < steps.count && steps[passed] == step }

        /// The first step from `step` on; `Int.max` where there is none that an integer can hold.
        mutating func next(from step: Int) -> Int {
            if step < asked { startAgain() }
            asked = step
            while passed < steps.count, steps[passed] < step { passed += 1 }
            let single = passed < steps.count ? steps[passed] : .max
            switch spacing {
            case nil: return single
            case .every(let count):
                let late = step % count
                if late == 0 { return step }
                let (due, overflow) = (step - late).addingReportingOverflow(count)
                return overflow ? single : min(single, due)
            case .growing(let growing):
                guard var cursor else { return single }
                growing.advance(&cursor, to: step)
                self.cursor = cursor
                return min(single, cursor.step)
            }
        }

        private mutating func startAgain() {
            passed = 0
            if case .growing(let growing)? = spacing { cursor = growing.start }
        }
    }
}

/// The steps 0, s₁, s₂, … whose spacing begins with `first` and grows by a factor up to a greatest one:
/// s_k = ⌊Σ_{j<k} min(first·growth^j, max)⌋. They depend on nothing else: whoever begins later sees the same steps.
public struct GrowingSteps: Sendable, Hashable {
    /// The first spacing, in steps.
    public let first: Int
    /// By what factor each spacing is larger than the one before.
    public let growth: Double
    /// The largest spacing, in steps.
    public let max: Int

    /// - Throws: `ExperimentError.invalid` for numbers by which steps would not increase.
    public init(first: Int, growth: Double, max: Int = .max) throws {
        guard first >= 1 else { throw ExperimentError.invalid("every: first must be at least 1, not \(first)") }
        guard growth >= 1, growth.isFinite else {
            throw ExperimentError.invalid(
                "every: growth is the factor by which spacings grow, at least 1, not \(growth)")
        }
        guard max >= first else {
            throw ExperimentError.invalid("every: max, the largest spacing, is \(max), below the first, \(first)")
        }
        (self.first, self.growth, self.max) = (first, growth, max)
    }

    /// Where a walk along the steps stands. Sums are taken in one order from 0 on, so every walk meets the same steps.
    struct Cursor {
        /// `Int.max` where integers end.
        fileprivate(set) var step = 0
        fileprivate var sum = 0.0
        /// From `step` to the next one, as long as it grows.
        fileprivate var spacing: Double
        /// The spacing that stays.
        fileprivate var final: Int?
    }

    var start: Cursor {
        Cursor(spacing: Double(first), final: growth == 1 || first == max ? first : nil)
    }

    /// Goes to the first step that is at least `step`.
    func advance(_ cursor: inout Cursor, to step: Int) {
        while cursor.step < step {
            if let spacing = cursor.final {
                let count = (step - cursor.step - 1) / spacing + 1
                let (distance, first) = count.multipliedReportingOverflow(by: spacing)
                let (sum, second) = cursor.step.addingReportingOverflow(distance)
                cursor.step = first || second ? .max : sum
            } else {
                cursor.sum += cursor.spacing
                // Beyond 2⁵³ a sum is no exact integer any more: no run takes so many steps.
                cursor.step = cursor.sum < 0x1p53 ? Int(cursor.sum) : .max
                cursor.spacing *= growth
                if cursor.spacing >= Double(max) { cursor.final = max }
            }
        }
    }
}
