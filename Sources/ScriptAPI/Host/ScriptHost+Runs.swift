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
        run.makeFile = { [unowned self] run in try makeFile(for: run) }
        run.atStepBoundary = { [unowned self] run in try stepBoundary(of: run) }
        run.atCancellation = { [unowned self] run in try answerCancellation(of: run) }
        run.standsForCancellation = { [unowned self] error in takeBackStop(error) }
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
        if interrupt.stopReason != nil { try stop(run) }
        guard interrupt.isPauseRequested else { throw Cancelled() }
        try pause(run)
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
        if interrupt.stopReason != nil { try stop(run) }
        if interrupt.isPauseRequested { try pause(run) }
        if let progress = options.progress, meter.isDue(run) { progress(meter.snapshot(of: run)) }
    }

    private func pause(_ run: Run) throws {
        interrupt.clearPause()
        cancellation.clear()
        guard let prompt = options.pause else {
            interrupt.requestStop()
            return try stop(run)
        }
        try run.file?.addEvent(step: run.step, kind: "pause", message: "paused")
        try run.file?.commit()
        options.message("paused: run '\(run.name)' at step \(run.step); continue() goes on")
        pauseDepth += 1
        let end = prompt(self)
        pauseDepth -= 1
        interrupt.clearPause()
        cancellation.clear()
        if end == .stop {
            interrupt.requestStop()
            try stop(run)
        }
    }

    private func stop(_ run: Run) throws {
        try run.file?.addEvent(step: run.step, kind: "stop", message: "stopped")
        try run.file?.commit()
        throw LuaError(.stopped(interrupt.stopReason ?? .requested), "stopped at step \(run.step)")
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

    private func makeFile(for run: Run) throws -> RunFile {
        var environment = try Engine.shared.environment()
        environment["threads"] = "\(Engine.shared.threads)"
        environment.merge(options.environment) { $1 }
        let file = try RunFile.create(
            name: run.name, in: options.outputFolder, header: RunHeader(parent: run.parent, environment: environment),
            warn: options.warning)
        for script in scripts { try file.addScript(script) }
        try file.setParameters(parameters.json)
        try file.addEvent(step: run.step, kind: "start", message: run.configuration)
        if let parent = run.parent {
            try file.addEvent(step: run.step, kind: "fork of", message: "'\(parent.name)' at step \(parent.step)")
        }
        files.removeAll { $0.file == nil }
        files.append(WeakRun(run: run, file: file))
        options.message("run file: \(Self.shortPath(file.url))")
        return file
    }

    /// Returns what went wrong.
    func closeFiles() -> [String] {
        let failures = openFiles.compactMap { file -> String? in
            do {
                try file.close()
                return nil
            } catch { return words(for: error) }
        }
        files = []
        return failures
    }
}
