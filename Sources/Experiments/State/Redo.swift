/// An action that is executed again after its run was restored, because it has forked the run and the program may go on with the fork.
/// What it asked of the run is not done, but taken from what was recorded.
final class Redo {
    let deed: Journal.Deed
    private var next = 0

    init(_ deed: Journal.Deed) { self.deed = deed }

    /// What the action does next, as it was recorded.
    /// - Throws: `ExperimentError.invalid` where it did something else.
    func take(_ kind: Journal.Entry.Kind, _ what: String, _ value: JSONValue?) throws -> Journal.Entry {
        guard next < deed.entries.count, deed.entries[next].kind == kind, deed.entries[next].what == what,
            value == nil || deed.entries[next].value == value
        else {
            let then = next < deed.entries.count ? deed.entries[next].words : "nothing more"
            let now = Journal.Entry(
                kind: kind, what: what, value: value ?? .null, step: deed.step, epoch: deed.epoch, time: deed.time)
            throw ExperimentError.invalid(
                "the \(deed.number). action of the program has forked its run at step \(deed.step), and does something else now "
                    + "than it did: now \(now.words), then \(then). What such an action depends on are numbers of its run and what the "
                    + "program itself has set; --force goes on without its forks")
        }
        next += 1
        return deed.entries[next - 1]
    }
}

extension Run {
    /// Executes the actions again that have forked the run during the training that the program has just passed.
    func redoDeeds() throws {
        guard let replay else { return }
        for deed in replay.deeds {
            guard let action = registered.first(where: { $0.number == deed.number }) else {
                if replay.isForced { continue }
                throw ExperimentError.invalid(
                    "the program differs from that before the checkpoint of step \(replay.step): its \(deed.number). action, which has "
                        + "forked the run at step \(deed.step), is not there any more; --force goes on without")
            }
            redo = Redo(deed)
            actionDepth += 1
            defer {
                actionDepth -= 1
                redo = nil
            }
            do { try action.body(self) } catch { if !replay.isForced { throw error } }
        }
    }

    /// What an action does that the program asked for itself is recorded, in case it forks the run.
    func recording(_ action: Action, _ body: () throws -> Void) throws {
        let outer = deed
        deed = nil
        if actionDepth == 1, action.number > 0 {
            deed = Journal.Deed(
                number: action.number, during: journal.open ?? -1, step: step, epoch: epoch, time: time)
        }
        defer { deed = outer }
        try body()
        if let deed, deed.forks { journal.deeds.append(deed) }
    }

    /// Notes what the action at work has asked for itself.
    func noteDeed(_ kind: Journal.Entry.Kind, _ what: String, _ value: JSONValue, result: String? = nil) {
        guard deed != nil, actionDepth == 1, !isMeasuring else { return }
        var entry = Journal.Entry(kind: kind, what: what, value: value, step: step, epoch: epoch, time: time)
        entry.result = result
        deed?.entries.append(entry)
    }
}
