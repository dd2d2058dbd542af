import Compute
import Datasets
import Foundation
import Graph
import Networks
import Objectives

/// The state of a run as a safetensors file.
///
/// Parameters and running statistics stand under their names, in PyTorch's shapes, so that the file loads there as any other; further
/// vectors (momentum, eigenvectors to start from) under names that begin with `@`; all else as one JSON object in the file's metadata,
/// under `eoss`.
struct Checkpoint {
    /// The version of what stands in the JSON object.
    static let version = 1

    private let contents: ArrayFile.Contents
    private let source: String

    init(_ state: RunState, of run: Run) throws {
        var state = state
        let coder = StateCoder()
        coder.omitted = run.omittedFromCheckpoints
        try state.code(coder, model: RunModel { _, _ in state.rule })
        var arrays = try run.objective.model.arrays(of: state.parameters, statistics: state.statistics)
        for (name, vector) in coder.vectors where name != Self.parameters && name != Self.statistics {
            arrays["@" + name] = try NDArray(
                shape: [vector.count], element: vector.element == .f64 ? .f64 : .f32
            ) { target in vector.withUnsafeBytes { target.copyMemory(from: $0) } }
        }
        var values = coder.values
        values["version"] = .integer(Self.version)
        contents = ArrayFile.Contents(arrays: arrays, metadata: ["eoss": try JSONValue.object(values).json()])
        source = "a checkpoint"
    }

    /// - Parameter source: what messages call it.
    init(_ bytes: Data, called source: String) throws {
        contents = try ArrayFile.contents(of: bytes, name: source)
        self.source = source
    }

    func bytes() throws -> Data { try ArrayFile.safetensors(contents) }

    private static let parameters = "point.parameters"
    private static let statistics = "point.statistics"

    /// Everything, ready to be read.
    /// - Throws: `ExperimentError` for a checkpoint of another model, or one that is damaged.
    func reading(for model: Model) throws -> StateCoder {
        guard let text = contents.metadata["eoss"], case .object(var values)? = try? JSONValue(json: text) else {
            throw ExperimentError.invalid("'\(source)' is no checkpoint of a run: it has parameters at most")
        }
        guard let version = values.removeValue(forKey: "version")?.wholeNumber, version <= Self.version else {
            throw ExperimentError.invalid("'\(source)' was written by a newer eoss: update eoss")
        }
        let point = try model.state(from: contents.arrays.filter { !$0.key.hasPrefix("@") }, source: source)
        var vectors = [Self.parameters: point.parameters, Self.statistics: point.statistics]
        for (name, array) in contents.arrays where name.hasPrefix("@") {
            guard let element: ElementType = array.element == .f64 ? .f64 : array.element == .f32 ? .f32 : nil else {
                throw ExperimentError.invalid("'\(source)' is damaged: '\(name.printable)' is in \(array.element)")
            }
            vectors[String(name.dropFirst())] = try array.withUnsafeBytes {
                try Vector(copying: $0, element: element, for: "a checkpoint")
            }
        }
        return StateCoder(reading: values, vectors)
    }
}

/// When checkpoints are made, and how many are kept.
public struct CheckpointPolicy: Sendable {
    /// After each multiple of so many steps; nil for none.
    public var every: Int?
    /// After so many seconds without one; nil for none.
    public var seconds: Double?
    /// After these steps; they stay.
    public var steps: Set<Int> = []
    /// At the end of a training, of which the last one is kept.
    public var atEnd: Bool
    /// How many are kept beside those named, the last ones.
    public var keep: Int

    /// One a minute, and one at the end; the last of them is kept.
    public static let standard = CheckpointPolicy(every: nil, seconds: 60, atEnd: true, keep: 1)
    /// None but those that are asked for.
    public static let none = CheckpointPolicy(every: nil, seconds: nil, atEnd: false, keep: 1)

    public init(every: Int?, seconds: Double?, steps: Set<Int> = [], atEnd: Bool = true, keep: Int) {
        (self.every, self.seconds, self.steps, self.atEnd, self.keep) = (every, seconds, steps, atEnd, keep)
    }
}

extension Run {
    /// Writes a checkpoint of this moment into the run's file, which is made where there is none.
    public func checkpoint() throws {
        try requireNotMeasuring("a checkpoint", "be made")
        if isBehind { return }
        if replay != nil, isProgram {
            try goOn()
        }
        try openFile()
        guard file != nil else {
            throw ExperimentError.invalid("run '\(name)' has no file that a checkpoint could be written to")
        }
        keepsAtRest = nil
        try write(state, isPinned: true)
    }

    /// - Parameter keepsBefore: whether the one before is kept, too.
    func write(_ state: RunState, isPinned: Bool, keepsBefore: Bool = false) throws {
        if lastCheckpoint == nil {
            isAskedFor = isPinned
            defer { isAskedFor = false }
            try forkedFrom?.writeForFork()
            // It has brought this one along.
            if lastCheckpoint == state.step { return }
        }
        let keepsBefore = keepsBefore || !companions.isEmpty
        isBeingWritten = true
        defer { isBeingWritten = false }
        // Whoever goes on from here needs the forks that were made before, and that have no checkpoint yet.
        if !others.isEmpty { try HandOver.perform { try writeOthers { _ in true } } }
        // So that whoever goes on with it knows at which steps the others can.
        if let companions = try uuidsOfCompanions() {
            try file?.addEvent(
                step: state.step, kind: "lockstep", message: "checkpoint of all", data: ["files": companions])
        }
        let bytes = try Checkpoint(state, of: self).bytes()
        try file?.addCheckpoint(
            step: state.step, bytes: bytes, isPinned: isPinned, keep: max(keepsBefore ? 2 : 1, checkpoints.keep))
        lastCheckpoint = state.step
        lastCheckpointTime = Stopwatch.now
    }

    private func writeOthers(where condition: (Run) -> Bool) throws {
        for other in others {
            // One that needs this one in its turn comes first, and this one after it.
            guard let run = other.run, !other.isThere, !run.isBeingWritten, condition(run) else { continue }
            try run.openFile()
            if run.file != nil {
                let isPinned = run.isAskedFor || run.checkpoints.steps.contains(run.step)
                try run.write(run.state, isPinned: isPinned, keepsBefore: true)
            }
            // Each file has commits of its own: theirs come first, whenever the process is killed.
            try run.file?.commit()
        }
        others.removeAll(where: \.isThere)
    }

    /// A fork of this run begins to have checkpoints. The last one of this run is older, where it rests since, and knows nothing of the
    /// fork: gone on with from there the fork would be made anew, and all that it has done be done again.
    private func writeForFork() throws {
        guard file != nil, checkpoints.atEnd, isProgram, replay == nil, !isTorn, !isBeingWritten, !HandOver.isElsewhere,
            batchLoss?.isFinite ?? true
        else { return }
        try write(state, isPinned: checkpoints.steps.contains(step))
        try file?.commit()
    }

    /// Before each of these has a thread of its own: none writes another one's checkpoint then.
    func writeOthers(among runs: [Run]) throws {
        func isNamed(_ other: Run) -> Bool { runs.contains { $0 === other } }
        if lastCheckpoint == nil, let forkedFrom, !isNamed(forkedFrom) { try forkedFrom.writeForFork() }
        try writeOthers { isNamed($0) && $0.checkpoints.atEnd }
        others.removeAll { $0.run.map(isNamed) ?? true }
    }

    /// The run is about to leave its present step: whatever its program does at it is done.
    func checkpointIfDue() throws {
        leaveRest()
        if isCheckpointDue { try write(state, isPinned: checkpoints.steps.contains(step)) }
    }

    var isCheckpointDue: Bool {
        guard file != nil, lastCheckpoint != step else { return false }
        let isNamed = checkpoints.steps.contains(step)
        let isMultiple = step > 0 && checkpoints.every.map { step % $0 == 0 } ?? false
        let isLate = checkpoints.seconds.map { Stopwatch.now - lastCheckpointTime > $0 } ?? false
        let isBranch = parent != nil && lastCheckpoint == nil && checkpoints.atEnd
        return isNamed || isMultiple || isLate || isBranch
    }

    /// A training has ended, or a loop: its state is kept until the next one begins, or the run ends.
    func reachEnd() {
        guard checkpoints.atEnd, file != nil, isProgram, replay == nil, batchLoss?.isFinite ?? true else { return }
        keepsAtRest = nil
        ending = try? state
        keepsAtRest = ending?.program
    }

    func leaveRest() { (ending, keepsAtRest) = (nil, nil) }

    /// The program has asked for something.
    func noteRest() {
        // Others rest while nothing else happens that a checkpoint is written for.
        guard !others.isEmpty || forkedFrom != nil else { return }
        keepsAtRest = try? programKeeps?(self)
    }

    /// Writes what the end of the last training, or an interruption, leaves; the last deed before the file is closed.
    /// - Parameter isOver: whether the program has come to its end. Where it has not, its forks go on where they are; where it has, what
    ///   it does behind its trainings is done again after another goal.
    public func writeLastCheckpoint(isOver: Bool = true) throws {
        guard checkpoints.atEnd, file != nil, replay == nil, !isTorn else { return }
        if !isOver, let ending, !isMeasuring, journal.forks > ending.journal.forks {
            self.ending = nil
            try write(state, isPinned: false)
        } else if let ending {
            self.ending = nil
            if lastCheckpoint != ending.step || checkpointsDiffer(from: ending) { try write(ending, isPinned: false) }
        } else if step > lastCheckpoint ?? 0, batchLoss?.isFinite ?? true, !isMeasuring {
            try write(state, isPinned: false)
        }
    }

    /// A checkpoint in the middle of the last step's training does not know that this has ended.
    private func checkpointsDiffer(from ending: RunState) -> Bool { ending.journal.entries.last?.end != nil }
}
