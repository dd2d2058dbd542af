import Compute
import Datasets
import Dynamics
import Foundation
import Networks
import Objectives

extension Run {
    /// All of the run's state, as it stands.
    var state: RunState {
        get throws {
            RunState(
                parameters: theta, statistics: try oracle.running.values(), fixed: try fixedValues,
                previousParameters: previousParameters,
                known: RunState.KnownQuantities(
                    evaluation: isKnown(cachedEvaluation), testEvaluation: isKnown(cachedTestEvaluation),
                    gradient: isKnown(cachedGradient)),
                step: step, time: time, batchLoss: batchLoss, batchSize: batchSize, sampler: sampler, version: version,
                assignments: assignments, rule: rule, edges: edgeHistory, schedules: schedules, trackers: trackers,
                warmStarts: eigenCache.contents, work: oracle.work, probeWork: probeWork, training: training,
                budget: budget, averages: averages, actions: actions, actionCount: actionCount, journal: journal,
                origin: origin,
                program: try keepsAtRest ?? programKeeps?(self) ?? [:])
        }
    }

    /// What is fixed in the model, where anything is.
    private var fixedValues: Vector? {
        get throws { objective.model.fixed.entries.isEmpty ? nil : try oracle.fixed.values() }
    }

    private func isKnown<Value>(_ cached: Cached<Value>?) -> Bool { cached?.version == version }

    /// Takes a state over, from another run or from a checkpoint; all but trackers, averages and actions.
    func assume(_ state: RunState) throws {
        try oracle.running.assign(state.statistics)
        // A fork whose loss is an expansion has a point of its own, one that is restricted directions, too.
        if let fixed = state.fixed, fixed.count == oracle.fixed.layout.count { try oracle.fixed.assign(fixed) }
        theta = state.parameters
        previousParameters = state.previousParameters
        (step, time, batchLoss) = (state.step, state.time, state.batchLoss)
        (batchSize, sampler, rule) = (state.batchSize, state.sampler, state.rule)
        (version, assignments, edgeHistory) = (state.version, state.assignments, state.edges)
        eigenCache.contents = state.warmStarts
        schedules = state.schedules
        (probeWork, training, budget) = (state.probeWork, state.training, state.budget)
        (actionCount, journal, origin) = (state.actionCount, state.journal, state.origin)
        nextDue = step
    }

    /// The run `parent` as it stands, to go on by itself: ``fork(name:on:)``.
    /// - Parameter objective: what it trains on in place of the loss.
    convenience init(forking parent: Run, name: String, objective: Objective? = nil) throws {
        try self.init(likeness: parent, name: name, objective: objective)
        try assume(parent.state)
        // A fork's oracle has an account of its own, which begins where its parent's stood.
        oracle.work = parent.oracle.work
        (functions, functionCount) = (parent.functions, parent.functionCount)
        averages = parent.averages
        (trackers, actions, registered) = (parent.trackers.map { $0.forked() }, parent.actions, parent.registered)
        (seriesNames, chunks) = (parent.seriesNames, parent.chunks)
        recorded = parent.recorded.mapValues { $0.forked() }
        eigenCache = parent.eigenCache.copy()
        if objective == nil {
            (cachedEvaluation, cachedTestEvaluation) = (parent.cachedEvaluation, parent.cachedTestEvaluation)
            cachedGradient = parent.cachedGradient
        }
        (journal, origin, keeps, checkpoints) = (Journal(), nil, parent.keeps, parent.checkpoints)
    }

    // MARK: - Checkpoints

    /// The bytes of a checkpoint of this moment: a safetensors file with the parameters under their names, all other vectors under
    /// names that begin with `@`, and everything else as JSON under `eoss` in its metadata.
    public func checkpointBytes() throws -> Data {
        try requireNotMeasuring("a checkpoint", "be made")
        return try Checkpoint(state, of: self).bytes()
    }

    /// Restores the state that a checkpoint holds.
    ///
    /// The run is one that was made anew, of the same model and data, and that was asked for nothing yet, or a fork of a run that is
    /// being resumed. Its program is executed again from the beginning (``Replay``).
    /// - Parameters:
    ///   - source: what the checkpoint is called in messages.
    ///   - forced: whether differences of the program are no errors.
    /// - Throws: `ExperimentError`, `DatasetError` for a checkpoint of another model, or one that is damaged.
    public func resume(from checkpoint: Data, called source: String, forced: Bool = false) throws {
        let checkpoint = try Checkpoint(checkpoint, called: source)
        try resume(from: checkpoint.reading(for: objective.model), called: source, forced: forced)
    }

    func resume(from coder: StateCoder, called source: String = "a checkpoint", forced: Bool = false) throws {
        coder.omitted = omittedFromCheckpoints
        var state = try state
        try state.code(coder, model: .catalogue)
        try Self.check(state, objective.model, source)
        let (inheritedTrackers, inheritedActions, inheritedAverages) = (trackers, registered, averages)
        (trackers, actions, averages) = ([], [], [])
        let given = rule
        try assume(state)
        absent = state.rule as? AbsentRule
        // What is at hand was computed at other parameters, though their count of changes be the same: those of a fork's run.
        (cachedEvaluation, cachedTestEvaluation, cachedGradient) = (nil, nil, nil)
        // The program asks for its actions again, from the first on; a fork has those of its run.
        actionCount = inheritedActions.count
        functionCount = functions.count
        keeps = state.program
        for index in schedules.indices {
            guard let number = schedules[index].function else { continue }
            schedules[index].value = functions[number]
        }
        let replay = try Replay(state, epoch: epoch, from: coder, forced: forced)
        for var tracker in inheritedTrackers {
            try replay.restore(&tracker)
            trackers.append(tracker)
        }
        for var average in inheritedAverages {
            try replay.restore(&average)
            averages.append(average)
        }
        for var action in inheritedActions where try replay.restore(&action) { actions.append(action) }
        self.replay = replay
        bind(given)
        registered = inheritedActions
        // What was known at this point costs nobody anything.
        if state.known.evaluation { _ = try evaluation() }
        if state.known.testEvaluation { _ = try testEvaluation() }
        if state.known.gradient { _ = try gradient() }
        oracle.work = state.work
        lastCheckpoint = step
        if let loop = state.journal.entries.last, loop.kind == .loop, loop.end == nil { self.loop = nil }
    }

    /// A fork that was made again is the branch that it was.
    public func become(branchOf parent: RunParent?) { self.parent = parent }

    /// A number that tells the training and test data, as the run sees them, from others.
    public var dataDigest: String {
        var fingerprint = Fingerprint()
        for split in [data.train] + (data.test.map { [$0] } ?? []) {
            let (inputs, targets) = (objective.model.inputElement, objective.model.element)
            for (rows, width) in [
                (try? split.inputs(as: inputs), split.inputWidth * inputs.byteCount),
                (try? split.targets(as: targets), split.targetWidth * targets.byteCount),
            ] {
                guard let rows else { continue }
                withExtendedLifetime(rows) {
                    fingerprint.add(UnsafeRawBufferPointer(start: rows.base, count: split.count * width))
                }
            }
        }
        return fingerprint.text
    }

    /// Goes on in the file that the run has had, with the measurements that stand there up to the present step.
    public func goOn(in file: RunFile, _ reader: RunFileReader) throws {
        self.file = file
        notedChunks = chunks.count
        for name in try reader.seriesNames() {
            if recorded[name] == nil { seriesNames.append(name) }
            // A fork has its parent's before its own.
            var series = recorded[name] ?? RecordedSeries(name: name)
            series.cut(after: parent?.step ?? -1)
            series.append(file: reader.url, through: step)
            recorded[name] = series
        }
        note("resume", "at step \(step)")
    }

    private static func check(_ state: RunState, _ model: Model, _ source: String) throws {
        let own = state.rule.state
        let vectors = own.vectors + [state.previousParameters, state.origin].compactMap { $0 }
        let fits = vectors.allSatisfy { $0.count == model.layout.count && $0.element == model.element }
        let states = (state.rule as? any ElementwiseRule)?.update.states.count
        guard fits, states == nil || own.vectors.isEmpty || own.vectors.count == states, state.step >= 0 else {
            throw ExperimentError.invalid(
                "'\(source)' is damaged: its state is not one of this model and this optimizer")
        }
    }
}

extension RunModel {
    /// Rules of the catalogue; one that a program has made is known by its name alone.
    static var catalogue: RunModel {
        RunModel { name, settings in
            if let declaration = RuleCatalogue.declaration(of: name) {
                return try declaration.make(Dictionary(settings.map { ($0.name, $0.value) }) { $1 })
            }
            return AbsentRule(name: name, learningRate: settings.first { $0.name == "lr" }?.value ?? 1)
        }
    }
}
