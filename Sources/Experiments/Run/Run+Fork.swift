import Objectives

extension Run {
    /// The run as it stands, to go on by itself: the same future batches and noise, so that parent and forks that do the same thing
    /// have the same bits, and nothing that one of them does moves another.
    ///
    /// Copied are parameters and running statistics, the rule with its state, the place in the data, all that is tracked with what
    /// it keeps, the series so far, budgets and what they know, and actions that are still to come. Vectors are shared until one of
    /// the two writes them. The fork has a file of its own, made at its first step or measurement, which names this run's file and
    /// step (``RunParent``) and does not repeat what that one holds.
    ///
    /// - Parameter expansion: what the fork trains on in place of the loss: its expansion about the present parameters.
    /// - Throws: `ExperimentError.invalid` from within a probe; `GraphError` where the loss cannot be expanded; `MemoryError`; what
    ///   making this run's file throws.
    public func fork(name: String, expansion: Expansion? = nil) throws -> Run {
        try requireNotMeasuring("a fork", "be made")
        let value: JSONValue = expansion.map { .string($0.rawValue) } ?? .null
        if let redo {
            _ = try redo.take(.fork, name, value)
            return try restoredFork(name, expansion)
        }
        if isProgram, let replay {
            if try replay.take(.fork, name, value) != nil { return try restoredFork(name, expansion) }
            try goOn()
        }
        let fork = try Run(forking: self, name: name, expansion: expansion)
        connect(fork)
        others.append(OtherRun(run: fork, step: nil))
        if isProgram {
            journal.append(
                Journal.Entry(kind: .fork, what: name, value: value, step: step, epoch: epoch, time: time))
        } else if deed != nil, actionDepth == 1 {
            noteDeed(.fork, name, value)
        } else if actionDepth > 0 {
            journal.gap =
                journal.gap
                ?? "it was forked by an action that another action had asked for, which nobody will ask for again"
        } else {
            noteReading()
        }
        try openFile()
        if let file {
            try file.addEvent(step: step, kind: "fork", message: name)
            fork.parent = RunParent(uuid: file.header.uuid, name: self.name, step: step)
        }
        return fork
    }

    /// A fork that left at a step which is past: where it went on from there stands in a checkpoint of its own.
    private func restoredFork(_ name: String, _ expansion: Expansion?) throws -> Run {
        guard let restoreFork else {
            throw ExperimentError.invalid(
                "the fork '\(name)' left run '\(self.name)' at a step that is past, and nobody knows its checkpoint (restoreFork)"
            )
        }
        let fork = try Run(forking: self, name: name, expansion: expansion)
        connect(fork)
        try restoreFork(fork, self)
        return fork
    }

    /// What a fork has in common with its run beside its state.
    private func connect(_ fork: Run) {
        (fork.makeFile, fork.attachment) = (makeFile, attachment)
        (fork.atStepBoundary, fork.atCancellation) = (atStepBoundary, atCancellation)
        (fork.standsForCancellation, fork.restoreFork) = (standsForCancellation, restoreFork)
        (fork.isInteractive, fork.programKeeps, fork.didCatchUp) = (isInteractive, programKeeps, didCatchUp)
    }
}
