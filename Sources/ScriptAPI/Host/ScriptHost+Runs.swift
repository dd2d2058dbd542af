import Compute
import Experiments
import Foundation
import LuaBridge

/// A run and its file, held by the script, not by the host.
struct WeakRun {
    weak var run: Run?
    weak var file: RunFile?
}

/// What the host does for the runs of its scripts: files, pauses, stops, progress.
extension ScriptHost {
    /// Ties a new run to this host.
    func adopt(_ run: Run) {
        let path = place.path
        run.makeFile = { [unowned self] run in try HandOver.perform { try makeFile(for: run, madeAt: path) } }
        run.atStepBoundary = { [unowned self] run in
            if path == nil, trained == nil { try HandOver.perform { trained = trained ?? run.name } }
            try stepBoundary(of: run)
        }
        run.atCancellation = { [unowned self] run in try answerCancellation(of: run) }
        run.standsForCancellation = { [unowned self] error in takeBackStop(error) }
        // A run may be told of the end by a host that is ending itself.
        run.programKeeps = { [weak self] run in try HandOver.perform { try self?.keeps(of: run) ?? [:] } }
        run.didCatchUp = { [unowned self] run in try catchUp(run) }
        run.restoreFork = { [unowned self] fork, parent in try resume(fork: fork, of: parent) }
        run.isInteractive = { [weak self] in self?.isAtPrompt ?? false }
    }

    // MARK: - Requests

    /// Runs what `cancellation` may end; by hand, and so with what estimates have found by then.
    func cancellable<Result>(_ body: () throws -> Result) throws -> Result {
        try Cancellation.$current.withValue(cancellation) {
            try Cancellation.$keepsUnfinished.withValue(true, operation: body)
        }
    }

    /// All that was asked for is answered.
    func clearRequests() {
        interrupt.clearStop()
        interrupt.clearPause()
        cancellation.clear()
    }

    /// A measurement of a training was cancelled, and waits before its beginning.
    private func answerCancellation(of run: Run) throws {
        if HandOver.isElsewhere {
            try HandOver.meet()
            // A pause is over then, and what it had cancelled is done again.
            return try cancellation.check()
        }
        if interrupt.stopReason != nil { try stop([run]) }
        guard interrupt.isPauseRequested else { throw Cancelled() }
        try pause([run])
    }

    /// Whether an error of a script's own quantity stands for long work in it that a pause has cancelled. Lua then ended by a
    /// stop, which is none for the training.
    private func takeBackStop(_ error: any Error) -> Bool {
        guard let error = error as? LuaError, error.kind == .stopped(.requested), interrupt.isPauseRequested else {
            return false
        }
        interrupt.clearStop()
        return true
    }

    // MARK: - Between two steps

    /// Two flags are looked at after each step; the clock, for the progress line, only now and then.
    func stepBoundary(of run: Run) throws {
        if HandOver.isElsewhere { return try stepBoundaryElsewhere(of: run) }
        afterStep?(run)
        if interrupt.stopReason != nil { try stop([run]) }
        if interrupt.isPauseRequested { try pause([run]) }
        if let progress = options.progress, meter.isDue(run) { progress(meter.snapshot(of: run)) }
    }

    func pause(_ runs: [Run]) throws {
        interrupt.clearPause()
        cancellation.clear()
        guard let prompt = options.pause else {
            interrupt.requestStop()
            return try stop(runs)
        }
        for run in runs {
            try run.file?.addEvent(step: run.step, kind: "pause", message: "paused")
            run.file?.note(step: run.step, state: .paused)
            try run.file?.commit()
        }
        let words = runs.map { "run '\($0.name)' at step \($0.step)" }.joined(separator: ", ")
        options.message("paused: \(words); continue() goes on")
        pauseDepth += 1
        let end = prompt(self)
        pauseDepth -= 1
        for run in runs { run.file?.note(step: run.step, state: .running) }
        interrupt.clearPause()
        cancellation.clear()
        if end == .stop {
            interrupt.requestStop()
            try stop(runs)
        }
    }

    func stop(_ runs: [Run]) throws {
        for run in runs {
            try run.file?.addEvent(step: run.step, kind: "stop", message: "stopped")
            try run.writeLastCheckpoint()
            run.file?.note(step: run.step, state: .stopped)
            try run.file?.commit()
        }
        let steps = Set(runs.map(\.step)).sorted().map(String.init).joined(separator: ", ")
        throw LuaError(.stopped(interrupt.stopReason ?? .requested), "stopped at step \(steps)")
    }

    // MARK: - Files

    var openFiles: [RunFile] { files.compactMap(\.file) }

    /// Writes something that concerns all runs into their files.
    func note(_ kind: String, _ message: String) {
        for entry in files {
            // A file that cannot be written any more says so when it is committed or closed.
            try? entry.file?.addEvent(step: entry.run?.step ?? 0, kind: kind, message: message)
        }
    }

    /// What decides the last bits of numbers, and how many threads there are.
    func environment() throws -> [String: String] {
        var environment = try Engine.shared.environment()
        environment["threads"] = "\(Engine.shared.threads)"
        return environment.merging(options.environment) { $1 }
    }

    /// - Parameter path: of the point at which the run was made.
    private func makeFile(for run: Run, madeAt path: String?) throws -> RunFile {
        try checkIsOfPoint(run.name, madeAt: path)
        if path == nil { trained = trained ?? run.name }
        // An execution that was killed may have made the file, and no checkpoint to go on from.
        let reader = options.resumption?.take(
            run.name, parent: run.parent?.uuid, point: path, having: { $0.parent?.step == run.parent?.step })
        if let reader {
            let file = try RunFile.reopen(reader.url, warn: options.warning)
            try file.cut(after: run.step - 1)
            files.append(WeakRun(run: run, file: file))
            return file
        }
        let header = RunHeader(session: session, parent: run.parent, environment: try environment())
        let file = try RunFile.create(
            name: run.name, in: options.outputFolder, header: header, warn: options.warning)
        for script in scripts { try file.addScript(script) }
        try file.setParameters(parameters.json)
        try file.addEvent(
            step: run.step, kind: "start", message: run.configuration, data: run.settingsForFile)
        try file.addEvent(
            step: run.step, kind: "data", message: "\(run.data.summary), digest \(run.dataDigest)",
            data: ["name": .string(run.data.name), "digest": .string(run.dataDigest)])
        if let archive = options.archive, archive.run == run.name, let then = archive.digest, then != run.dataDigest {
            options.warning(
                "run '\(run.name)': the data '\(run.data.name)' are not those of \(Self.shortPath(archive.url)): digest "
                    + "\(then.printable) there, \(run.dataDigest) here")
        }
        if let path {
            try file.addEvent(step: run.step, kind: Self.pointEvent, message: path, data: ["point": .string(path)])
        }
        for read in filesRead { try add(read, to: file, step: run.step) }
        if let parent = run.parent {
            try file.addEvent(step: run.step, kind: "fork of", message: "'\(parent.name)' at step \(parent.step)")
        }
        // A file has its script from its first moment, whenever its process is killed.
        try file.commit()
        files.removeAll { $0.file == nil }
        files.append(WeakRun(run: run, file: file))
        options.message("run file: \(Self.shortPath(file.url))")
        return file
    }

    /// Returns what went wrong.
    /// - Parameter state: how the runs stand that have not said so themselves.
    func closeFiles(_ state: RunStatus.State = .done) -> [String] {
        let failures = files.compactMap { entry -> String? in
            guard let file = entry.file else { return nil }
            do {
                if let run = entry.run {
                    try run.writeLastCheckpoint(isOver: state == .done)
                    file.note(step: run.step, state: run.batchLoss?.isFinite ?? true ? state : .failed)
                }
                try file.close()
                return nil
            } catch { return words(for: error) }
        }
        files = []
        return failures
    }
}
