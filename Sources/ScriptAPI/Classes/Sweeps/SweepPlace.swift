import LuaBridge

/// Where a script stands among its sweeps.
struct SweepPlace {
    /// A point at which it is, in a sweep that may stand inside of another one's point.
    struct Point {
        let name: String
        /// Names the point among all of the execution: the number of its sweep, its name, after those of the point around it.
        let path: String
    }

    /// The points that it is at, the outermost first.
    private(set) var points: [Point] = []
    /// How many sweeps have begun, outside of points and then inside of each.
    private var sweeps = [0]

    /// The path of the point that it is at, nil outside of all.
    var path: String? { points.last?.path }

    /// Counts a sweep. Returns its number, from 1.
    mutating func beginSweep() -> Int {
        sweeps[sweeps.count - 1] += 1
        return sweeps[sweeps.count - 1]
    }

    mutating func enter(_ point: String, ofSweep number: Int) {
        let own = "\(number)/\(point)"
        points.append(Point(name: point, path: path.map { "\($0)/\(own)" } ?? own))
        sweeps.append(0)
    }

    mutating func leave() {
        points.removeLast()
        sweeps.removeLast()
    }

    /// What a run made here is called: with the names of the points behind its own where it does not have them in it, so that those of
    /// points that are worked at side by side do not come to the same file.
    func name(of run: String) -> String {
        points.reversed().reduce(run) { name, point in name.contains(point.name) ? name : "\(name)-\(point.name)" }
    }
}

extension ScriptHost {
    /// The event of a run file that says at which point its run was made.
    static let pointEvent = "point"

    /// Calls `body` at a point. `math.random` has a stream of its own there, which follows from where it stood before the sweep and from
    /// the point's name, so that none depends on the points before.
    func at<Result>(
        _ point: String, ofSweep number: Int, random: [UInt64]?, _ body: () throws -> Result
    ) rethrows -> Result {
        place.enter(point, ofSweep: number)
        state.randomState = random.map { Self.randomStream(from: $0, of: point) }
        defer {
            place.leave()
            state.randomState = random
        }
        return try body()
    }

    /// - Throws: `ArgumentError` in a process that works at one point, for a run that was made outside: another process has it, too.
    func checkIsOfPoint(_ run: String, madeAt path: String?) throws {
        guard options.worker != nil, path != place.path else { return }
        throw ArgumentError(
            "run '\(run)' was made outside of the sweep's function, and with 'jobs' each point is in a process of its own: make the run "
                + "in the function, or take jobs = 1")
    }
}
