import Dynamics
import Experiments
import LuaBridge

/// What a setting follows along the steps of a run.
final class ScheduleObject: LuaObject {
    let schedule: Schedule
    init(_ schedule: Schedule) { self.schedule = schedule }
}

extension ScriptHost {
    /// `schedule`: a number along the steps.
    func scheduleClass() -> ObjectClass<ScheduleObject> {
        let schedules = ObjectClass<ScheduleObject>("schedule", "A number along the steps of a run; a value.")
        schedules.callable(
            "Its value at a step.",
            parameters: [Parameter("step", .integer(.nonNegative), unit: "steps", "Counted from its beginning.")],
            results: [Parameter("value", .number, "The value.")]
        ) { schedule, call in schedule.schedule.value(at: try call.get("step")) }
        schedules.description { "\($0.schedule)" }
        return schedules
    }
}

extension LuaType {
    /// A number that may follow a schedule: also a function of the steps since it was given and of the run, or a table of values
    /// from their steps on.
    static func scheduled(_ number: LuaType) -> LuaType {
        number.or(.object("schedule").quietly).or(
            .function(("step", .integer), ("run", .object("run")), returns: .number).quietly
        ).or(.table.quietly)
    }
}

/// What can be given for a setting.
enum SettingValue {
    case number(Double)
    case schedule(Schedule)
    case function(LuaFunction)

    /// - Throws: `ArgumentError` for a table that is no list of steps.
    init(_ value: LuaValue, _ name: String) throws {
        if let number = Double.read(value) {
            self = .number(number)
        } else if let object = ScheduleObject.read(value) {
            self = .schedule(object.schedule)
        } else if case .function(let function) = value {
            self = .function(function)
        } else if case .table(let table) = value {
            self = .schedule(try Schedule(steps: table, name))
        } else {
            throw ArgumentError("\(name): expected a number or a schedule, got \(value.typeName)")
        }
    }

    /// Gives it to a run.
    func assign(to setting: String, of run: Run, _ number: (Double) throws -> Void) throws {
        switch self {
        case .number(let value): try number(value)
        case .schedule(let schedule): try run.follow(schedule, for: setting)
        case .function(let function):
            let callback = try function.captured(by: run)
            try run.follow(setting) { step, run in
                let result = try callback.call(step, run).first ?? .nil
                guard let value = Double.read(result) else {
                    throw ArgumentError(
                        "the schedule of \(setting) returned \(result.typeName) at step \(run.step), a number is needed"
                    )
                }
                return value
            }
        }
    }
}

extension Schedule {
    /// `{ [0] = 0.1, [1000] = 0.01 }`: each value from its step on.
    init(steps table: LuaTable, _ name: String, isLinear: Bool = false) throws {
        var points: [Point] = []
        func add(_ step: Int, _ value: LuaValue) throws {
            guard let number = Double.read(value), step >= 0 else {
                throw ArgumentError(
                    "\(name): a table of steps has steps from 0 on, each with a number: { [0] = 0.1, [1000] = 0.01 }")
            }
            points.append(Point(step, number))
        }
        for (place, value) in table.array.enumerated() { try add(place + 1, value) }
        for (key, value) in table.others { try add(Int.read(key) ?? -1, value) }
        guard table.fields.isEmpty, !points.isEmpty else {
            throw ArgumentError(
                "\(name): a table of steps has steps from 0 on, each with a number: { [0] = 0.1, [1000] = 0.01 }")
        }
        self = .piecewise(points.sorted { $0.step < $1.step }, isLinear: isLinear)
    }
}
