import Experiments
import Foundation
import LuaBridge
import Sweeps

/// `eoss.sweep` with several jobs: the points are worked at by processes that execute the script anew, up to the sweep.
extension ScriptHost {
    /// - Throws: `ArgumentError` where another process would not come to this sweep, or not with what this one has.
    func checkCanBeDivided(_ jobs: Int) throws {
        let remedy = "take jobs = 1"
        if place.path != nil {
            throw ArgumentError(
                "eoss.sweep: jobs = \(jobs) inside of another sweep's point: \(remedy) here, and give the outer one more jobs"
            )
        }
        if isAtPrompt || scripts.isEmpty {
            throw ArgumentError(
                "eoss.sweep: jobs = \(jobs) at the prompt: other processes execute a script up to its sweep, and know no typed lines: "
                    + "write it into a script and call 'eoss run FILE', or \(remedy)")
        }
        if !isScriptPlain {
            throw ArgumentError(
                "eoss.sweep: jobs = \(jobs), but the script '\(scripts[0].path)' is no file that other processes can read again: write "
                    + "it into a file and call 'eoss run FILE', or \(remedy)")
        }
        if let trained {
            throw ArgumentError(
                "eoss.sweep: run '\(trained)' was trained or measured before the sweep, and with jobs = \(jobs) each point is in a process "
                    + "of its own that would do so again: do it in the function or behind the sweep, or \(remedy)")
        }
    }

    func divide(_ sweep: ScriptSweep, _ processes: SweepProcesses, jobs: Int) throws -> [PointResult] {
        let count = sweep.plan.points.count
        var results: [Int: PointResult] = [:]
        var lost: [Int: String] = [:]
        var written: [String: Int] = [:]
        var isStopped = false
        var pool = WorkerPool(program: processes.program, arguments: processes.arguments(jobs), jobs: jobs)
        pool.began = { [unowned self] in sayBeginning(of: $0, sweep) }
        let task = SweepTask(
            session: session, sweep: sweep.number, point: 0, names: Self.digest(of: sweep), before: sweepResults,
            scripts: scriptsRead, random: state.randomState)
        try pool.run(
            points: count,
            task: { point in
                var task = task
                task.point = point
                return try JSONEncoder().encode(task)
            },
            stops: { [unowned self] in
                if interrupt.stopReason != nil || interrupt.isPauseRequested || cancellation.isRequested {
                    // It is answered: processes that write their checkpoints may take their time.
                    clearRequests()
                    isStopped = true
                    options.message("stopping: each point at work writes its checkpoint")
                }
                return isStopped
            }, print: { [options] in try options.print(LuaBytes($0)) },
            ended: { [unowned self] point, ending in
                switch ending {
                case .told(let data):
                    guard let news = try? JSONDecoder().decode(PointNews.self, from: data) else { break }
                    for file in news.filesWritten { noteWritten(file, by: point, before: &written, sweep) }
                    results[point] = news.result
                    if case .failed = news.result { return .endsSweep }
                    return .goOn
                case .exited, .killed: break
                }
                if !isStopped { lost[point] = Self.description(of: ending) }
                return .goOn
            })
        if isStopped {
            interrupt.requestStop()
            throw LuaError(.stopped(.requested), "stopped in a sweep")
        }
        return try (0..<count).map { point in
            if let result = results[point] {
                if case .failed(let failure) = result { throw failure.error }
                return result
            }
            let over = results.count
            throw ArgumentError(
                "eoss.sweep, point \(sweep.plan.names[point]): \(lost[point] ?? "its process has not begun"); \(over) of \(count) points "
                    + "are over: 'eoss run --resume FILE', with the run file of any of them, goes on with the rest")
        }
    }

    private static func description(of ending: WorkerPool.Ending) -> String {
        switch ending {
        case .told: "its process said what cannot be read"
        case .exited(let status): "its process ended with status \(status) and did not say what came of it"
        case .killed(let signal): "its process was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }

    /// Two points that write one file leave it as the one that came last has it.
    private func noteWritten(_ file: String, by point: Int, before: inout [String: Int], _ sweep: ScriptSweep) {
        filesWritten.insert(file)
        guard let other = before.updateValue(point, forKey: file) else { return }
        let points = [other, point].sorted().map { sweep.plan.names[$0] }
        options.warning(
            "the points \(points[0]) and \(points[1]) both wrote '\(Self.shortPath(URL(fileURLWithPath: file)))', which is that of the "
                + "one that came last: give it the point's name")
    }

    /// What has been read so far, to be compared.
    private var scriptsRead: [SweepTask.Script] { scripts.map { .init(path: $0.path, sha256: $0.sha256) } }

    private static func digest(of sweep: ScriptSweep) -> String {
        RunScript(path: "", source: Data(sweep.plan.names.joined(separator: "\n").utf8)).sha256
    }

    // MARK: - In the other process

    /// Works at the point that this process is for, tells what has come of it, and ends the script.
    func work(at sweep: ScriptSweep, _ worker: SweepWorker) throws -> SweepObject {
        let task = worker.task
        guard scriptsRead == task.scripts else {
            try end(
                worker, .init(words: "the script, or a module of it, has changed since the sweep began"))
        }
        guard sweep.number == task.sweep, Self.digest(of: sweep) == task.names,
            sweep.plan.points.indices.contains(task.point)
        else {
            try end(
                worker,
                .init(
                    words:
                        "eoss.sweep: executed anew, the script came to a sweep over other values: what they are may depend on nothing "
                        + "but the script and its parameters, or take jobs = 1"))
        }
        worker.isAtPoint = true
        let written = Set(filesWritten)
        do {
            let result = try at(sweep.plan.names[task.point], ofSweep: sweep.number, random: task.random) {
                try sweep.result(task.point)
            }
            let figures = writtenFigures.keys.map { $0 }
            try worker.tell(
                PointNews(result: result, filesWritten: filesWritten.subtracting(written).union(figures).sorted()))
            worker.end = .done
        } catch {
            if let error = error as? LuaError, error.kind == .stopped(.requested) { throw error }
            note("error", failure(of: error).description)
            try end(worker, .init(error))
        }
        try stopScript()
    }

    private func end(_ worker: SweepWorker, _ failure: PointResult.Failure) throws -> Never {
        worker.end = .failed
        try worker.tell(PointNews(result: .failed(failure)))
        try stopScript()
    }

    /// No `pcall` of the script's goes on behind the sweep.
    private func stopScript() throws -> Never {
        interrupt.requestStop()
        throw LuaError(.stopped(.requested), "its point is over")
    }
}
