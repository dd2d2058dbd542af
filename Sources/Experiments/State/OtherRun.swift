/// Another run whose checkpoint has to be there when a run's own is: without it nobody could execute the program of both again.
struct OtherRun {
    weak var run: Run?
    /// Of this step or a later one; nil: of any.
    let step: Int?

    /// Whether it is there, or nobody will ask for it any more.
    var isThere: Bool {
        guard let run else { return true }
        guard let last = run.lastCheckpoint else { return false }
        return step.map { last >= $0 } ?? true
    }
}

extension Run {
    /// The files of what goes in lockstep with it now, for the event beside a checkpoint.
    func uuidsOfCompanions() throws -> JSONValue? {
        if companions.isEmpty { return nil }
        return .array(companions.compactMap { $0.run?.file.map { .string($0.header.uuid.uuidString) } })
    }

    /// What was recorded of a lockstep that the program asks for again; nil where it is new.
    func takeLockstep(_ value: JSONValue) throws -> Journal.Entry? {
        guard let replay else { return nil }
        guard let known = try replay.take(.lockstep, "lockstep", value) else {
            try goOn()
            return nil
        }
        if known.reads, !replay.isForced {
            throw ExperimentError.invalid(
                "'each' of the lockstep that began at step \(known.step) reads what its runs measured, or forks them, and what it did "
                    + "with that up to step \(step) is not known: keep it in run.state, in a function that run:every calls; --force goes on"
            )
        }
        try redoDeeds()
        if known.end == nil { try goOn() } else { try catchUpIfOver() }
        return known
    }
}
