import Compute

/// An average of the parameters along a run, and of its running statistics: a companion that changes nothing of the training.
///
/// With a decay d it is the exponential one, a ← d·a + (1 − d)θ, from the parameters at which it began (Polyak & Juditsky 1992; d = 0.9998
/// in MESA); without, the plain mean of those taken (SWA, Izmailov et al. 2018). A midpoint is (θₜ₋₁ + 2θₜ + θₜ₊₁)/4 of the last three points,
/// where an oscillation of period two cancels (Cohen et al. 2024): it belongs to the step before the last.
public struct WeightAverage {
    /// The how-manieth of its run, from 1.
    let number: Int
    public let decay: Double?
    /// After each multiple of so many steps.
    public let every: Int
    public let isMidpoint: Bool
    /// The last points of a midpoint, three at most.
    private var recent: [Vector] = []
    private var recentStatistics: [Vector] = []
    /// How many points it is the mean of, beside the one at which an exponential one began.
    public private(set) var count = 0
    public private(set) var parameters: Vector
    public private(set) var statistics: Vector

    init(
        number: Int, decay: Double?, every: Int, isMidpoint: Bool = false, _ parameters: Vector, _ statistics: Vector
    ) {
        (self.number, self.decay, self.every, self.isMidpoint) = (number, decay, every, isMidpoint)
        (self.parameters, self.statistics) = (parameters, statistics)
        if isMidpoint { (recent, recentStatistics) = ([parameters], [statistics]) }
    }

    mutating func take(_ theta: Vector, _ running: Vector) throws {
        count += 1
        if isMidpoint {
            (recent, recentStatistics) = ((recent + [theta]).suffix(3), (recentStatistics + [running]).suffix(3))
            (parameters, statistics) = (try Self.midpoint(of: recent), try Self.midpoint(of: recentStatistics))
            return
        }
        let share = decay.map { 1 - $0 } ?? 1 / Double(count)
        for (path, value) in [(\WeightAverage.parameters, theta), (\WeightAverage.statistics, running)]
        where value.count > 0 {
            if share == 1 {
                self[keyPath: path] = value
            } else {
                try self[keyPath: path].scale(1 - share)
                try self[keyPath: path].add(share, value)
            }
        }
    }

    /// (a + 2b + c)/4 of three points; before there are three, the mean of one or two.
    static func midpoint(of points: [Vector]) throws -> Vector {
        guard points.count == 3, points[0].count > 0 else {
            return points.count == 2 && points[0].count > 0
                ? try 0.5 * (points[0] + points[1]) : points[points.count - 1]
        }
        var sum = try points[0] + points[2]
        try sum.add(2, points[1])
        try sum.scale(0.25)
        return sum
    }

    /// What the program says of it.
    var summary: String {
        isMidpoint ? "midpoint" : "average \(decay.map { "of decay \($0)" } ?? "of all") every \(every)"
    }

    mutating func code(_ coder: StateCoder) throws {
        var summary = summary
        try coder.code("summary", &summary)
        guard summary == self.summary else {
            throw ExperimentError.invalid("now \(self.summary), in the checkpoint \(summary)")
        }
        try coder.code("count", &count)
        try coder.code("parameters", &parameters)
        try coder.code("statistics", &statistics)
        if isMidpoint {
            try coder.code("recent.vectors", &recent)
            try coder.code("recent_statistics.vectors", &recentStatistics)
        }
    }
}

extension Run {
    /// Begins an average of the parameters, from the present ones on.
    /// - Parameters:
    ///   - decay: of an exponential one, between 0 and 1; nil for the mean of all.
    ///   - every: after each multiple of so many steps.
    /// - Returns: its place in ``averages``.
    public func average(decay: Double?, every: Int = 1) throws -> Int {
        try requireNotMeasuring("an average", "begin")
        if let decay, !(decay > 0 && decay < 1) {
            throw ExperimentError.invalid("average: decay must lie between 0 and 1, not \(decay)")
        }
        guard every >= 1 else { throw ExperimentError.invalid("average: every must be at least 1, not \(every)") }
        return try begin(
            WeightAverage(
                number: averages.count + 1, decay: decay, every: every, theta, try oracle.running.values()))
    }

    /// Begins to follow the midpoints of three points that follow each other, from the present one on.
    /// - Returns: its place in ``averages``.
    public func midpoint() throws -> Int {
        try requireNotMeasuring("a midpoint", "begin")
        return try begin(
            WeightAverage(
                number: averages.count + 1, decay: nil, every: 1, isMidpoint: true, theta, try oracle.running.values()))
    }

    private func begin(_ average: WeightAverage) throws -> Int {
        var average = average
        if let replay, isProgram || redo != nil { try replay.restore(&average) }
        averages.append(average)
        return averages.count - 1
    }

    /// A step was taken.
    func updateAverages() throws {
        for index in averages.indices where step % averages[index].every == 0 {
            try averages[index].take(theta, oracle.running.values())
        }
    }

    /// The run as it would stand at an average of its parameters: to be measured, with no file of its own.
    public func atAverage(_ index: Int) throws -> Run {
        let copy = try Run(forking: self, name: "\(name)-average")
        (copy.trackers, copy.actions, copy.averages, copy.schedules) = ([], [], [], [])
        copy.isInteractive = { true }
        try copy.setParameters(averages[index].parameters)
        if averages[index].statistics.count > 0 { try copy.setStatistics(averages[index].statistics) }
        return copy
    }
}
