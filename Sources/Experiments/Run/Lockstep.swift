import Compute
import Foundation

/// Several runs that take their steps together, and how far they are from each other along the way: gradient descent beside the flow
/// that approximates it, forks with other noise, one trajectory in f32 and in f64.
public final class Lockstep {
    /// What is compared of two runs: as ``Run/distance(to:in:over:)`` has it, or the angle.
    public enum Quantity: String, Sendable, CaseIterable {
        /// ‖θ_a − θ_b‖₂.
        case parameters = "params"
        /// √((1/n) Σᵢ ‖f_a(xᵢ) − f_b(xᵢ)‖²), over the training samples.
        case outputs
        /// ‖S(θ_a − θ_b)‖ with the default ``RandomProjection``.
        case sketch
        /// The angle between the ways the two have gone since they walk together, in radians, from 0 to π; not a number where one
        /// of them has not moved.
        case angle
        /// The norm of the difference of their midpoints (θₜ₋₁ + 2θₜ + θₜ₊₁)/4, where an oscillation of period two cancels: of descent at
        /// the edge of stability from the flow that it oscillates around (Cohen et al. 2024). Recorded at t, the step before the last.
        case midpoints
    }

    public let names: [String]
    public let runs: [Run]
    public let quantities: [Quantity]
    private var origins: [Vector]
    /// Where midpoints are compared: the last three points of each run.
    private var recent: [[Vector]]
    /// By quantity, then by the places of the two runs, the smaller first.
    private var distances: [Quantity: [[Int]: Series]] = [:]
    /// Up to which step of the first run they were compared.
    private var compared = -1

    /// - Parameters:
    ///   - runs: by name, in the order in which they take their steps.
    /// - Throws: `ExperimentError.invalid` for fewer than two runs, one named twice, and runs at different steps.
    public init(_ runs: [(name: String, run: Run)], comparing quantities: [Quantity]) throws {
        (names, self.runs, self.quantities) = (runs.map(\.name), runs.map(\.run), quantities)
        guard runs.count >= 2 else {
            throw ExperimentError.invalid("lockstep takes two runs or more, not \(runs.count)")
        }
        for (index, one) in runs.enumerated() {
            if runs[..<index].contains(where: { $0.run === one.run }) {
                throw ExperimentError.invalid(
                    "lockstep: '\(one.name)' is a run that is in the list already; fork it first")
            }
            if one.run.programStep != runs[0].run.programStep {
                throw ExperimentError.invalid(
                    "lockstep: '\(runs[0].name)' is at step \(runs[0].run.programStep), '\(one.name)' at step \(one.run.programStep); "
                        + "train the one that is behind first")
            }
        }
        origins = self.runs.map(\.parameters)
        recent = origins.map { [$0] }
    }

    /// Takes `steps` steps of each run, in turns, and compares them before the first, after every `every` of them, and after the
    /// last. What ends one run ends all, with what was compared so far kept.
    ///
    /// The distances are series of the first run (``name(of:_:_:)``), and so in its file. Where runs are resumed, they go on from the
    /// last step of which all of them have a checkpoint; what was compared until then is known.
    /// - Parameter each: called after each step of all of them.
    public func advance(steps: Int, every: Int, each: ((_ step: Int) throws -> Void)? = nil) throws {
        guard let going = try begin(steps: steps, every: every) else { return }
        try walk(going, every: every, each)
        end(going)
        for run in runs { try run.file?.commit() }
    }

    private func walk(_ going: Going, every: Int, _ each: ((_ step: Int) throws -> Void)?) throws {
        for run in runs {
            run.trainingDepth += 1
            run.companions = others(than: run, step: nil)
            run.leaveRest()
            run.isComparedAtMidpoints = quantities.contains(.midpoints)
        }
        defer {
            for run in runs {
                (run.trainingDepth, run.companions) = (run.trainingDepth - 1, [])
                run.isComparedAtMidpoints = false
            }
        }
        // Of runs that are resumed, the point before the present one is that of their checkpoints.
        recent = runs.map { run in
            (run.step > going.start ? [run.previousParameters].compactMap { $0 } : []) + [run.parameters]
        }
        if runs[0].step == going.start { try compare() }
        while runs[0].step < going.end {
            try writeCheckpoints()
            do {
                for run in runs { try run.advanceWithOthers() }
                if quantities.contains(.midpoints) {
                    for i in runs.indices { recent[i] = (recent[i] + [runs[i].parameters]).suffix(3) }
                }
                let count = runs[0].step - going.start
                if count % max(1, every) == 0 || runs[0].step == going.end { try compare() }
                try call(each, going.places)
            } catch {
                // What was done of a step cannot be gone on with.
                for run in runs { run.isTorn = true }
                throw error
            }
            for run in runs { try run.atStepBoundary?(run) }
        }
    }

    private func others(than run: Run, step: Int?) -> [OtherRun] {
        runs.filter { $0 !== run }.map { OtherRun(run: $0, step: step) }
    }

    /// What is under way: from which step of the first run to which, and its places in the journals, where the program asked for it.
    private struct Going {
        let start: Int
        let end: Int
        let places: [Int]?
    }

    private func call(_ each: ((_ step: Int) throws -> Void)?, _ places: [Int]?) throws {
        guard let each else { return }
        // It is the body of a loop.
        let outer = runs.map(\.loop)
        if let places { for (run, place) in zip(runs, places) { run.loop = place } }
        defer { for (run, loop) in zip(runs, outer) { run.loop = loop } }
        try each(runs[0].step)
    }

    /// One of each, at one step, where one of them is due.
    private func writeCheckpoints() throws {
        guard runs.contains(where: \.isCheckpointDue) else { return }
        for run in runs { try run.openFile() }
        for run in runs where run.file != nil {
            try run.write(run.state, isPinned: run.checkpoints.steps.contains(run.step))
        }
    }

    // MARK: - Beginning and end

    /// - Returns: nil where it had ended before the checkpoints.
    private func begin(steps: Int, every: Int) throws -> Going? {
        func going(from start: Int, _ places: [Int]? = nil) -> Going {
            let (end, overflow) = start.addingReportingOverflow(steps)
            return Going(start: start, end: overflow ? .max : end, places: places)
        }
        guard runs.allSatisfy(\.isProgram) else { return going(from: runs[0].step) }
        let value: JSONValue = [
            "steps": .integer(steps), "every": .integer(every), "runs": .array(names.map { .string($0) }),
            "compared": .array(quantities.map { .string($0.rawValue) }),
        ]
        let known = try runs.map { try $0.takeLockstep(value) }
        let start = known[0]?.step ?? runs[0].step
        if known.allSatisfy({ $0 == nil }) {
            if quantities.contains(.angle) { for (run, origin) in zip(runs, origins) { run.origin = origin } }
            for run in runs { run.journal.append(run.entry(.lockstep, "lockstep", value)) }
        } else {
            let isOver = known.contains { $0?.end != nil }
            try check(known, start)
            origins = runs.map { $0.origin ?? $0.parameters }
            try takeDistances(from: start, to: isOver ? going(from: start).end : runs[0].step)
            if isOver {
                // The others have come to the end, too, and nothing but that is missing.
                for (run, entry) in zip(runs, known) where entry?.end == nil {
                    if let place = run.journal.open { run.journal.entries[place].end = run.step }
                    run.origin = nil
                }
                return nil
            }
        }
        return going(from: start, runs.map { $0.journal.open ?? -1 })
    }

    /// Whether all runs stand at one step of it.
    private func check(_ known: [Journal.Entry?], _ start: Int) throws {
        let steps = zip(runs, known).map { run, entry in entry.map { $0.end ?? run.step } }
        if Set(steps).count == 1 { return }
        let words = zip(names, steps).map { "'\($0)' \($1.map { "at step \($0)" } ?? "before it")" }
        if runs.contains(where: \.wasForced) { return }
        throw ExperimentError.invalid(
            "the lockstep that began at step \(start) cannot be resumed: its runs have no checkpoint of one step "
                + "(\(words.joined(separator: ", "))); --force goes on from those there are")
    }

    private func end(_ going: Going) {
        guard let places = going.places else { return }
        for (index, run) in runs.enumerated() {
            if run.journal.entries.indices.contains(places[index]) { run.journal.entries[places[index]].end = run.step }
            run.origin = nil
        }
        for run in runs {
            // None goes on without the others' checkpoints.
            if run.file != nil { run.others += others(than: run, step: run.step) }
            run.reachEnd()
        }
    }

    // MARK: - Distances

    /// What the distances of two runs are called among the series of the first run.
    public static func name(of quantity: Quantity, _ first: String, _ second: String) -> String {
        "\(quantity.rawValue) distance of \(first.printable) and \(second.printable)"
    }

    /// Those that were measured before the checkpoint.
    private func takeDistances(from start: Int, to step: Int) throws {
        for (quantity, a, b) in pairs {
            var series = Series(name: quantity.rawValue)
            if quantity == .angle { series.append(Measurement(step: start, value: .nan)) }
            let first = quantity == .angle ? start + 1 : start
            let name = Self.name(of: quantity, names[a], names[b])
            if let known = try runs[0].recorded[name]?.series(from: first, to: step) {
                for (step, value) in zip(known.steps, known.values) {
                    series.append(Measurement(step: step, value: value))
                }
            }
            distances[quantity, default: [:]][[a, b]] = series
            compared = max(compared, series.steps.last ?? -1)
        }
    }

    private var pairs: [(Quantity, Int, Int)] {
        quantities.flatMap { quantity in
            runs.indices.flatMap { a in runs.indices.filter { a < $0 }.map { (quantity, a, $0) } }
        }
    }

    private func compare() throws {
        let step = runs[0].step
        if compared == step { return }
        for (quantity, a, b) in pairs where quantity != .midpoints || recent[0].count == 3 {
            let at = quantity == .midpoints ? step - 1 : step
            let measurement = Measurement(step: at, value: try distance(quantity, a, b))
            distances[quantity, default: [:]][[a, b], default: Series(name: quantity.rawValue)].append(measurement)
            let name = Self.name(of: quantity, names[a], names[b])
            // The end of one lockstep may be the beginning of the next; an angle is none there.
            let isNew = (runs[0].recorded[name]?.lastStep ?? -1) < at
            if isNew, !(quantity == .angle && measurement.value.isNaN) { try runs[0].keep(measurement, as: name) }
        }
        compared = step
    }

    private func distance(_ quantity: Quantity, _ a: Int, _ b: Int) throws -> Double {
        if let kind = Run.DistanceKind(rawValue: quantity.rawValue) {
            return try runs[a].distance(to: runs[b], in: kind)
        }
        if quantity == .midpoints {
            let points = try [a, b].map { try WeightAverage.midpoint(of: recent[$0]).converted(to: .f64) }
            return try (points[0] - points[1]).norm()
        }
        let ways = try [a, b].map { try (runs[$0].parameters - origins[$0]).converted(to: .f64) }
        let cosine = try ways[0].dot(ways[1]) / (ways[0].norm() * ways[1].norm())
        return acos(cosine.isNaN ? cosine : max(-1, min(1, cosine)))
    }

    /// How far two of the runs were from each other, in either order.
    /// - Throws: `ExperimentError.invalid` for a name that is none of theirs, twice the same, or a quantity that was not compared.
    public func series(_ quantity: Quantity, _ first: String, _ second: String) throws -> Series {
        let places = try [first, second].map { name in
            guard let place = names.firstIndex(of: name) else {
                throw ExperimentError.invalid(
                    "lockstep has no run '\(name)': its runs are \(names.joined(separator: ", "))")
            }
            return place
        }
        guard places[0] != places[1] else {
            throw ExperimentError.invalid("lockstep: '\(first)' twice; a run is at no distance from itself")
        }
        guard quantities.contains(quantity) else {
            throw ExperimentError.invalid(
                "lockstep did not compare '\(quantity.rawValue)' (it compared "
                    + "\(quantities.map(\.rawValue).joined(separator: ", "))): name it in 'distance'")
        }
        return distances[quantity]?[places.sorted()] ?? Series(name: quantity.rawValue)
    }
}
