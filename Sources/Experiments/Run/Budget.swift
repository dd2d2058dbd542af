/// A share of the run's work for its probes, in the cost model's operations: P ≤ share·(T + P), where T is what training took
/// and P what all probes took since the first of them had a budget.
///
/// Each step earns share/(1 − share) of its own work. Probes without a budget are paid first. What is left is divided equally
/// among those that have one; what a cheap one cannot use, because it is measured at every step that its spacing allows, goes
/// to the dear ones. A probe is measured once its account holds what it cost the last time, or for its first measurement what
/// that is expected to cost (`Probe.expectedOperations`). What it costs more is on credit, and so is the first measurement of a
/// probe whose price nobody knows, one written by the user. A probe pays its debt back before its next measurement, out of three
/// quarters of what is left: the others go on meanwhile. So the share holds up to what measurements cost more than expected.
struct Budget {
    /// Between 0 and 1.
    private(set) var share: Double
    /// What probes without a budget took, as far as no step has made up for it.
    private var debt = 0.0

    init(share: Double) { self.share = share }

    mutating func code(_ coder: StateCoder) throws {
        try coder.code("share", &share)
        try coder.code("debt", &debt)
    }

    /// A probe without a budget took so much.
    mutating func owe(_ operations: Double) { debt += operations }

    /// Pays into overdrawn accounts, equal parts, until they are level or nothing is left.
    /// - Returns: how much.
    private func repayDebts(of trackers: inout [Tracker], from amount: Double) -> Double {
        var left = amount
        for _ in trackers.indices {
            let owing = trackers.count { $0.account?.isOverdrawn ?? false }
            guard owing > 0, left > 0 else { break }
            let part = left / Double(owing)
            for i in trackers.indices where trackers[i].account?.isOverdrawn ?? false {
                left -= trackers[i].account?.repay(part) ?? 0
            }
        }
        return amount - left
    }

    /// A step took so much: pays into the accounts.
    mutating func earn(_ training: Double, for trackers: inout [Tracker]) {
        var income = training * share / (1 - share)
        let repaid = min(debt, income)
        debt -= repaid
        income -= repaid
        income -= repayDebts(of: &trackers, from: 0.75 * income)
        // Each round fills an account, or is the last.
        for _ in trackers.indices {
            let open = trackers.count { $0.account?.isOpen ?? false }
            guard open > 0, income > 0 else { return }
            let part = income / Double(open)
            income = 0
            for i in trackers.indices where trackers[i].account?.isOpen ?? false {
                income += trackers[i].account?.add(part) ?? 0
            }
        }
    }
}

/// What a probe with a budget may spend.
struct BudgetAccount {
    /// Negative after a measurement that was dearer than expected.
    private(set) var balance = 0.0
    /// What the next measurement will cost, going by the last.
    private(set) var expected: Double

    init(expecting expected: Double) { self.expected = expected }

    mutating func code(_ coder: StateCoder) throws {
        try coder.code("balance", &balance)
        try coder.code("expected", &expected)
    }

    var canPay: Bool { balance >= expected }

    /// An account holds up to two measurements: with a spacing of which each allows 3/4 of a measurement, three of four are then
    /// used. More would be spent in a burst.
    private var limit: Double { 2 * expected }

    var isOpen: Bool { balance < limit }

    var isOverdrawn: Bool { balance < 0 }

    /// Takes what makes up for the debt.
    /// - Returns: how much that is.
    mutating func repay(_ amount: Double) -> Double {
        if amount >= -balance {
            defer { balance = 0 }
            return -balance
        }
        balance += amount
        return amount
    }

    /// Adds what there is room for.
    /// - Returns: the rest.
    mutating func add(_ amount: Double) -> Double {
        let taken = min(amount, limit - balance)
        balance += taken
        return amount - taken
    }

    mutating func pay(_ cost: Double, measured: Bool) {
        balance -= cost
        if measured { expected = cost }
    }
}
