import Compute
import Dynamics

/// A restored run whose program is executed again from its beginning: how far the program has come, and what it did before.
///
/// While the program is behind the step that the run was restored at, what has happened is not done twice: trainings and loops that
/// had ended are passed over, assignments are compared with those recorded, numbers that were read are given again, and actions that
/// were done stay done. What cannot be had again (parameters of a step that is gone) is an error that says so, and so is a program
/// that does something else than it did. The rules are those of `docs/resuming.md`.
final class Replay {
    /// The step that the run was restored at.
    let step: Int
    /// Whether what differs, or cannot be had again, is no error: then the present state serves.
    let isForced: Bool
    private let coder: StateCoder
    private let journal: Journal
    private var next = 0
    /// The place of what was taken last.
    var taken: Int { next - 1 }
    /// Where the program is.
    private(set) var clock: (step: Int, epoch: Double, time: Double) = (0, 0, 0)
    private let epoch: Double
    private let time: Double
    /// The numbers of trackers and actions that the checkpoint has and the program has not asked for yet.
    private var trackers: Set<Int>
    private var actions: Set<Int>
    private var averages: Set<Int>
    private let actionCount: Int
    /// The numbers of functions that settings follow, and that the program has not given again.
    private var functions: Set<Int>

    init(_ state: RunState, epoch: Double, from coder: StateCoder, forced: Bool) throws {
        (step, time, self.epoch, isForced) = (state.step, state.time, epoch, forced)
        (self.coder, journal, actionCount) = (coder, state.journal, state.actionCount)
        if let gap = journal.gap, !forced {
            throw ExperimentError.invalid("the run cannot be resumed: \(gap); --force goes on from its checkpoint")
        }
        func numbers(_ prefix: String) -> Set<Int> {
            Set(
                coder.values.keys.compactMap { name in
                    guard name.hasPrefix(prefix) else { return nil }
                    return Int(name.dropFirst(prefix.count).prefix { $0 != "." })
                })
        }
        functions = Set(state.schedules.filter { $0.value == nil }.compactMap(\.function))
        (trackers, actions, averages) = (numbers("tracker."), numbers("action."), numbers("average."))
        if actions.contains(0), !forced {
            throw ExperimentError.invalid(
                "the run cannot be resumed: an action had asked for another one, which is still to come and which the program "
                    + "will not ask for again; --force goes on without it")
        }
        actions.remove(0)
        if let first = journal.entries.first {
            clock = (first.step, first.epoch, first.time)
        } else {
            clock = (step, epoch, time)
        }
    }

    /// What actions did during the training that was taken last, as far as they have forked the run.
    var deeds: [Journal.Deed] { journal.deeds.filter { $0.during == taken } }

    /// Whether all that was recorded has been passed.
    var isOver: Bool { next == journal.entries.count }

    /// What the program does next, as it was recorded.
    /// - Throws: `ExperimentError.invalid` where it did something else.
    func take(_ kind: Journal.Entry.Kind, _ what: String, _ value: JSONValue?) throws -> Journal.Entry? {
        guard !isOver else { return nil }
        let entry = journal.entries[next]
        let isSame = entry.kind == kind && entry.what == what && (value == nil || entry.value == value)
        guard isSame || isForced else {
            var now = entry
            (now.kind, now.what, now.value) = (kind, what, value ?? .null)
            now.step = clock.step
            throw ExperimentError.invalid(
                "the program does something else than it did before the checkpoint of step \(step): now \(now.words), then "
                    + "\(entry.words); --force goes on from the checkpoint")
        }
        guard isSame else { return nil }
        next += 1
        if next < journal.entries.count {
            let following = journal.entries[next]
            clock = (following.step, following.epoch, following.time)
        } else {
            clock = (step, epoch, time)
        }
        return entry
    }

    /// Gives a tracker that the program has made again what it had.
    func restore(_ tracker: inout Tracker) throws {
        guard trackers.remove(tracker.index) != nil else {
            if isForced || isOver { return }
            throw ExperimentError.invalid(
                "the program tracks \(tracker.summary), and did not before the checkpoint of step \(step); --force goes on "
                    + "with it")
        }
        do {
            try coder.group("tracker.\(tracker.index)") { try tracker.code(coder) }
        } catch let error as ExperimentError {
            if isForced { return }
            throw ExperimentError.invalid(
                "the program tracks something else than before the checkpoint of step \(step): \(error); --force goes on"
            )
        }
    }

    /// Gives an average that the program has begun again what it had.
    func restore(_ average: inout WeightAverage) throws {
        guard averages.remove(average.number) != nil else {
            if isForced || isOver { return }
            throw ExperimentError.invalid(
                "the program begins an \(average.summary), and did not before the checkpoint of step \(step); --force goes on"
            )
        }
        do {
            try coder.group("average.\(average.number)") { try average.code(coder) }
        } catch let error as ExperimentError {
            if isForced { return }
            throw ExperimentError.invalid(
                "the program averages something else than before the checkpoint of step \(step): \(error); --force goes on"
            )
        }
    }

    /// Gives an action what it had.
    /// - Returns: false where it was done already.
    func restore(_ action: inout Action) throws -> Bool {
        if action.number > actionCount { return true }
        guard actions.remove(action.number) != nil else { return false }
        try coder.group("action.\(action.number)") { try action.code(coder) }
        return true
    }

    /// The program has given a function again.
    func found(function number: Int) { functions.remove(number) }

    /// What the checkpoint has and the program has not asked for again.
    var leftOver: String? {
        let summaries = trackers.sorted().map { number -> String in
            coder.values["tracker.\(number).summary"]?.text ?? "tracker \(number)"
        }
        if let first = summaries.first { return "it no longer tracks \(first)" }
        if !averages.isEmpty { return "it no longer averages its parameters" }
        if let first = actions.min() { return "the \(first). of its actions (at, every, when) is not there any more" }
        if !functions.isEmpty { return "a setting followed a function that it does not give any more" }
        return nil
    }
}
