import Compute
import Objectives

/// What is cancelled has not happened: the run stands where it stood, and its numbers will be what they would have been.
extension Run {
    /// Does what may be cancelled, and does it again, from its beginning, whenever `atCancellation` has returned.
    func persisting<Result>(_ body: () throws -> Result) throws -> Result {
        while true {
            do { return try body() } catch let cancelled as Cancelled {
                guard let atCancellation else { throw cancelled }
                try atCancellation(self)
            }
        }
    }

    /// A measurement that is recorded: all of it or none.
    func wholly<Result>(_ body: () throws -> Result) throws -> Result {
        try Cancellation.$keepsUnfinished.withValue(false) { try restoringWhenCancelled(body) }
    }

    /// Takes back what a measurement has kept for those that follow, and its cost, where it is cancelled: what is measured later
    /// then costs as much as without it, and budgets meet the same steps.
    func restoringWhenCancelled<Result>(_ body: () throws -> Result) throws -> Result {
        func current<Value>(_ cached: Cached<Value>?) -> Cached<Value>? { cached?.version == version ? cached : nil }
        let kept = (current(cachedEvaluation), current(cachedTestEvaluation), current(cachedGradient))
        let (pairs, spent) = (eigenCache.contents, (oracle.work, probeWork))
        do { return try body() } catch {
            guard error is Cancelled || standsForCancellation?(error) ?? false else { throw error }
            (cachedEvaluation, cachedTestEvaluation, cachedGradient) = kept
            eigenCache.contents = pairs
            oracle.forgetWork(since: spent.0)
            probeWork = spent.1
            throw Cancelled()
        }
    }
}
