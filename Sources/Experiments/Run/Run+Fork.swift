import Compute
import Curvature
import Objectives

/// What a fork trains on in place of its run's loss: a function that the run's parameters and data decide, at the step of the fork.
public enum ForkObjective: Equatable, Sendable {
    case expansion(Expansion)
    /// With the top k eigenvectors of the Hessian over all samples.
    case restriction(Restriction, k: Int)

    /// In journals.
    var json: JSONValue {
        switch self {
        case .expansion(let kind): .string(kind.rawValue)
        case .restriction(let kind, let k): .object(["restriction": .string(kind.rawValue), "k": .integer(k)])
        }
    }
}

extension Run {
    /// The run as it stands, to go on by itself: the same future batches and noise, so that parent and forks that do the same thing
    /// have the same bits, and nothing that one of them does moves another.
    ///
    /// Copied are parameters and running statistics, the rule with its state, the place in the data, all that is tracked with what
    /// it keeps, the series so far, budgets and what they know, and actions that are still to come. Vectors are shared until one of
    /// the two writes them. The fork has a file of its own, made at its first step or measurement, which names this run's file and
    /// step (``RunParent``) and does not repeat what that one holds.
    ///
    /// - Parameter other: what the fork trains on in place of the loss.
    /// - Throws: `ExperimentError.invalid` from within a probe; `GraphError` where the loss cannot be expanded or restricted; `MemoryError`; what
    ///   making this run's file throws.
    public func fork(name: String, on other: ForkObjective? = nil) throws -> Run {
        try requireNotMeasuring("a fork", "be made")
        let value: JSONValue = other?.json ?? .null
        if let redo {
            _ = try redo.take(.fork, name, value)
            return try restoredFork(name, other)
        }
        if isProgram, let replay {
            if try replay.take(.fork, name, value) != nil {
                let fork = try restoredFork(name, other)
                try catchUpIfOver()
                return fork
            }
            try goOn()
        }
        let fork = try Run(
            forking: self, name: name, objective: other.map { try objective(for: $0, isRestored: false) })
        connect(fork)
        others.append(OtherRun(run: fork, step: nil))
        if isProgram {
            journal.append(entry(.fork, name, value))
            noteRest()
            fork.keepsAtRest = keepsAtRest
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
    private func restoredFork(_ name: String, _ other: ForkObjective?) throws -> Run {
        guard let restoreFork else {
            throw ExperimentError.invalid(
                "the fork '\(name)' left run '\(self.name)' at a step that is past, and nobody knows its checkpoint (restoreFork)"
            )
        }
        let fork = try Run(
            forking: self, name: name, objective: other.map { try objective(for: $0, isRestored: true) })
        connect(fork)
        try restoreFork(fork, self)
        return fork
    }

    /// - Parameter isRestored: what is fixed in it comes from a checkpoint; only its shapes are wanted.
    private func objective(for other: ForkObjective, isRestored: Bool) throws -> Objective {
        switch other {
        case .expansion(let kind): return try objective.expanded(kind, about: theta)
        case .restriction(let kind, let k):
            guard k <= theta.count else {
                throw ExperimentError.invalid("k = \(k) directions of a space of \(theta.count)")
            }
            if isRestored {
                let zero = try Vector(zeros: theta.count, element: theta.element)
                return try objective.restricted(kind, by: [Vector](repeating: zero, count: k), about: theta)
            }
            // Looking does not move the run: neither its account of work nor its streams.
            let work = oracle.work
            defer { oracle.work = work }
            var stream = RandomStream(seed: seed, purpose: .eigensolver, index: 1 << 61 | UInt64(step))
            let pairs = try topEigenpairs(
                of: CurvatureOperator(of: oracle, at: theta), k: k, tolerance: 1e-3, stream: &stream)
            if !pairs.isFinished { throw Cancelled() }
            return try objective.restricted(kind, by: pairs.vectors, about: theta)
        }
    }

    /// What a fork has in common with its run beside its state.
    private func connect(_ fork: Run) {
        fork.forkedFrom = self
        (fork.makeFile, fork.attachment) = (makeFile, attachment)
        (fork.atStepBoundary, fork.atCancellation) = (atStepBoundary, atCancellation)
        (fork.standsForCancellation, fork.restoreFork) = (standsForCancellation, restoreFork)
        (fork.isInteractive, fork.programKeeps, fork.didCatchUp) = (isInteractive, programKeeps, didCatchUp)
    }
}
