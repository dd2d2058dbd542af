import Experiments
import LuaBridge
import Objectives
import Sweeps

/// `eoss.sweep`: one call of it, from plan to rows.
extension ScriptHost {
    func sweep(
        _ grid: [String: LuaValue], repeats: Int?, jobs: Int, _ function: LuaFunction
    ) throws -> SweepObject {
        let sweep = try ScriptSweep(grid, repeats: repeats, number: place.beginSweep(), function)
        if let worker = options.worker, place.path == nil {
            if sweep.number < worker.task.sweep { return try sweep.object(worker.task.before[sweep.number - 1]) }
            return try work(at: sweep, worker)
        }
        if jobs > 1 {
            try stopWhereParametersAreWanted()
            try checkCanBeDivided(jobs)
        }
        let results =
            if jobs > 1, let processes = options.processes {
                try divide(sweep, processes, jobs: min(jobs, sweep.plan.points.count))
            } else { try goThrough(sweep) }
        if place.path == nil { sweepResults.append(results) }
        return try sweep.object(results)
    }

    /// One point after the other.
    private func goThrough(_ sweep: ScriptSweep) throws -> [PointResult] {
        let random = state.randomState
        return try sweep.plan.names.indices.map { number in
            sayBeginning(of: number, sweep)
            return try at(sweep.plan.names[number], ofSweep: sweep.number, random: random) { try sweep.result(number) }
        }
    }

    func sayBeginning(of number: Int, _ sweep: ScriptSweep) {
        options.message("sweep: point \(number + 1) of \(sweep.plan.points.count), \(sweep.plan.names[number])")
    }
}

/// What a script sweeps, and with what.
struct ScriptSweep {
    let plan: SweepPlan
    /// Which call of `eoss.sweep` of those at its place it is, from 1.
    let number: Int
    /// The values of the parameters by the texts that stand for them in names.
    private let values: [String: [String: LuaValue]]
    private let function: LuaFunction

    /// - Throws: `ArgumentError` for nothing to go through, values that are given twice, and too many points.
    init(_ grid: [String: LuaValue], repeats: Int?, number: Int, _ function: LuaFunction) throws {
        if grid.isEmpty, repeats == nil {
            throw ArgumentError("eoss.sweep: there is nothing to sweep: give a grid with values, or repeats")
        }
        if repeats != nil, grid[SweepPlan.seed] != nil {
            throw ArgumentError("eoss.sweep: the grid has seeds, and repeats gives others: leave one of them out")
        }
        var (axes, values) = Self.axes(grid)
        do { plan = try SweepPlan(axes, repeats: repeats) } catch { throw ArgumentError("eoss.sweep: \(error)") }
        if let repeats {
            values[SweepPlan.seed] = Dictionary(uniqueKeysWithValues: (1...repeats).map { ("\($0)", .integer($0)) })
        }
        axes = plan.axes
        (self.number, self.values, self.function) = (number, values, function)
    }

    /// The axes of a grid in their order, and their values by the texts that stand for them in names.
    private static func axes(
        _ grid: [String: LuaValue]
    ) -> (axes: [SweepPlan.Axis], values: [String: [String: LuaValue]]) {
        var (axes, values): ([SweepPlan.Axis], [String: [String: LuaValue]]) = ([], [:])
        let others = grid.keys.filter { $0 != SweepPlan.seed }.sorted()
        for name in others + [SweepPlan.seed] {
            guard case .table(let table)? = grid[name] else { continue }
            let texts = table.array.map { value in if case .string(let text) = value { text } else { value.literal } }
            axes.append(SweepPlan.Axis(name, texts))
            values[name] = Dictionary(zip(texts, table.array)) { first, _ in first }
        }
        return (axes, values)
    }

    /// The rows.
    func object(_ results: [PointResult]) throws -> SweepObject {
        let rows = zip(results, plan.points.indices).compactMap { result, number -> SweepObject.Row? in
            var row = SweepObject.Row(name: plan.names[number], settings: plan.points[number].settings)
            switch result {
            case .done(let columns): row.columns = columns.mapValues(\.value)
            case .diverged(let message): (row.isDiverged, row.message) = (true, message)
            case .failed: return nil
            }
            return row
        }
        let columns = Set(rows.flatMap(\.columns.keys)).sorted()
        return SweepObject(plan.axes, values: values, rows: rows, columns: columns)
    }

    /// Calls the function at a point.
    /// - Throws: what it throws, but for a divergence.
    func result(_ number: Int) throws -> PointResult {
        let name = plan.names[number]
        var parameters: [String: LuaValue] = [:]
        for setting in plan.points[number].settings { parameters[setting.name] = values[setting.name]?[setting.value] }
        let record = LuaRecord(parameters, called: "the point")
        do {
            return .done(try Self.columns(function.call(record, name), record, name).mapValues(ColumnValue.init))
        } catch {
            if let divergence = Self.divergence(error) { return .diverged(divergence.description) }
            guard var failure = error as? LuaError else { throw error }
            if case .stopped = failure.kind { throw failure }
            failure.message = "point \(name): \(failure.message)"
            throw failure
        }
    }

    /// The divergence of a run that an error is, or stands for.
    private static func divergence(_ error: any Error) -> ExperimentError? {
        switch error {
        case let error as ExperimentError: if case .diverged = error { error } else { nil }
        case let error as LuaError: error.underlying.flatMap(divergence)
        case let error as Parallel.Failure: divergence(error.error)
        default: nil
        }
    }

    private static func columns(
        _ results: [LuaValue], _ parameters: LuaRecord, _ name: String
    ) throws -> [String: LuaValue] {
        guard let result = results.first, !result.isNil else { return [:] }
        func failure(_ what: String) -> ArgumentError {
            ArgumentError(
                "eoss.sweep, point \(name): the function returned \(what), and should return a table of numbers, texts and booleans by "
                    + "name, as in { loss = run.loss }")
        }
        guard case .table(let table) = result, table.array.isEmpty, table.others.isEmpty else {
            throw failure("a \(result.typeName == "table" ? "list" : result.typeName)")
        }
        var columns: [String: LuaValue] = [:]
        for (column, value) in try table.fields.named(in: "eoss.sweep, point \(name), what the function returned") {
            if parameters.fields[column] != nil || ["name", "diverged", "message"].contains(column) {
                throw failure("'\(column)', which a row has already")
            }
            switch value {
            case .integer, .number, .string, .boolean: columns[column] = value
            default: throw failure("a \(value.typeName) as '\(column)'")
            }
        }
        return columns
    }
}
