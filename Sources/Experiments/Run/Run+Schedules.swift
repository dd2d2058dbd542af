import Dynamics

/// What a setting of a run follows: a schedule, or a function of its program.
public struct SettingSchedule {
    /// `lr`, `batch_size`, or a setting of the rule.
    public let setting: String
    /// The step that it began at.
    let origin: Int
    /// What it is; of a function, what that has given so far.
    var schedule: Schedule
    /// The number of a function among those that the program gave; nil for a schedule.
    let function: Int?
    /// Asked at each step: of a function.
    var value: ((Int, Run) throws -> Double)?

    func current(_ run: Run) throws -> Double {
        try value?(run.step - origin, run) ?? schedule.value(at: run.step - origin)
    }
}

extension Run {
    /// Lets a setting follow a schedule from now on, counted from the present step, until it is assigned anew. It is recorded once.
    /// - Throws: `ExperimentError.invalid`, `UpdateRuleError` where its first value cannot be.
    public func follow(_ schedule: Schedule, for setting: String) throws {
        try requireNotMeasuring(setting)
        try assigning(setting, .string("\(schedule)")) {
            try begin(
                SettingSchedule(setting: setting, origin: step, schedule: schedule, function: nil), "\(schedule)")
        }
    }

    /// The same along a function of the steps since then and of the run.
    public func follow(_ setting: String, _ value: @escaping (Int, Run) throws -> Double) throws {
        try requireNotMeasuring(setting)
        var number = 0
        if isProgram {
            functionCount += 1
            number = functionCount
            functions[number] = value
            if let replay {
                // It may be the one that is followed at the checkpoint.
                for index in schedules.indices where schedules[index].function == number {
                    schedules[index].value = value
                    replay.found(function: number)
                }
            }
        }
        try assigning(setting, .string("a function")) {
            try begin(
                SettingSchedule(
                    setting: setting, origin: step, schedule: .piecewise([], isLinear: false), function: number,
                    value: value), "a function")
        }
    }

    private func begin(_ schedule: SettingSchedule, _ words: String) throws {
        let value = try checked(measuring { try schedule.current(self) }, of: schedule.setting)
        try set(schedule.setting, value)
        note(
            schedule.setting, "\(words) from step \(step) on",
            schedule.function == nil ? ["schedule": schedule.schedule.json] : nil)
        schedules.removeAll { $0.setting == schedule.setting }
        var schedule = schedule
        if schedule.function != nil { schedule.schedule = .piecewise([Schedule.Point(0, value)], isLinear: false) }
        schedules.append(schedule)
        noteEdge()
    }

    /// A setting was assigned a number: it follows nothing any more.
    func endSchedule(of setting: String) { schedules.removeAll { $0.setting == setting } }

    /// The settings of the step that comes next.
    func applySchedules() throws {
        for index in schedules.indices {
            let setting = schedules[index].setting
            let value = try checked(measuring { try schedules[index].current(self) }, of: setting)
            try set(setting, value)
            guard schedules[index].function != nil, case .piecewise(var points, _) = schedules[index].schedule,
                points.last?.value != value
            else { continue }
            // What the function has given so far grows in place: nobody else holds it meanwhile.
            schedules[index].schedule = .constant(0)
            edgeHistory.update([])
            points.append(Schedule.Point(step - schedules[index].origin, value))
            schedules[index].schedule = .piecewise(points, isLinear: false)
            edgeHistory.update(schedules)
        }
    }

    private func checked(_ value: Double, of setting: String) throws -> Double {
        let isRate = setting == "lr"
        guard value.isFinite, !isRate || value > 0 else {
            throw ExperimentError.invalid(
                "the schedule of \(setting) gives \(value.isNaN ? "nan" : "\(value)") at step \(step): "
                    + (isRate ? "a positive number is needed" : "a number is needed"))
        }
        return value
    }

    private func set(_ setting: String, _ value: Double) throws {
        switch setting {
        case "lr": rule.learningRate = value
        case "batch_size":
            guard let size = Int(exactly: value.rounded()), size >= 1, size <= data.train.count else {
                throw ExperimentError.invalid(
                    "the schedule of batch_size gives \(value) at step \(step): a number from 1 to \(data.train.count)")
            }
            batchSize = .samples(size)
        default: rule = try rule.with(setting, value)
        }
    }
}

extension Schedule {
    /// For checkpoints and run files.
    public var json: JSONValue {
        func numbers(_ values: [Double]) -> JSONValue { .array(values.map { JSONValue(exactly: $0) }) }
        switch self {
        case .constant(let value): return ["constant": numbers([value])]
        case .step(let from, let factor, let every): return ["step": numbers([from, factor, Double(every)])]
        case .linear(let from, let to, let steps): return ["linear": numbers([from, to, Double(steps)])]
        case .cosine(let from, let to, let steps): return ["cosine": numbers([from, to, Double(steps)])]
        case .cyclic(let low, let high, let period): return ["cyclic": numbers([low, high, Double(period)])]
        case .warmup(let from, let steps, let then):
            return ["warmup": numbers([from, Double(steps)]), "then": then.json]
        case .piecewise(let points, let isLinear):
            return [
                isLinear ? "lines" : "levels": numbers(points.map(\.value)),
                "steps": .array(points.map { .integer($0.step) }),
            ]
        case .sequence(let parts):
            return ["sequence": .array(parts.map(\.schedule.json)), "steps": .array(parts.map { .integer($0.steps) })]
        }
    }

    /// Nil for what is no schedule: also for numbers by which none could be computed.
    public init?(json: JSONValue) {
        guard case .object(let object) = json else { return nil }
        func numbers(_ name: String, _ count: Int) -> [Double]? {
            object[name]?.list(\.realNumber).flatMap { $0.count == count ? $0 : nil }
        }
        // No run is longer, and differences of such steps are numbers.
        let possible = -(1 << 40)...(1 << 40)
        func whole(_ number: Double) -> Int? { Int(exactly: number).flatMap { $0 > 0 ? $0 : nil } }
        if let n = numbers("constant", 1) {
            self = .constant(n[0])
        } else if let n = numbers("step", 3), let every = whole(n[2]) {
            self = .step(from: n[0], factor: n[1], every: every)
        } else if let n = numbers("linear", 3), let steps = whole(n[2]) {
            self = .linear(from: n[0], to: n[1], steps: steps)
        } else if let n = numbers("cosine", 3), let steps = whole(n[2]) {
            self = .cosine(from: n[0], to: n[1], steps: steps)
        } else if let n = numbers("cyclic", 3), let period = whole(n[2]) {
            self = .cyclic(low: n[0], high: n[1], period: period)
        } else if let n = numbers("warmup", 2), let steps = whole(n[1]),
            let then = object["then"].flatMap(Schedule.init)
        {
            self = .warmup(from: n[0], steps: steps, then: then)
        } else if let values = (object["lines"] ?? object["levels"])?.list(\.realNumber),
            let steps = object["steps"]?.list(\.wholeNumber), steps.count == values.count, !steps.isEmpty,
            zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 }), steps.allSatisfy(possible.contains)
        {
            self = .piecewise(zip(steps, values).map { Point($0, $1) }, isLinear: object["lines"] != nil)
        } else if let parts = object["sequence"]?.list({ Schedule(json: $0) }),
            let steps = object["steps"]?.list(\.wholeNumber), steps.count == parts.count, !parts.isEmpty,
            steps.allSatisfy(possible.contains)
        {
            self = .sequence(zip(parts, steps).map { Part($0, steps: $1) })
        } else {
            return nil
        }
    }
}
