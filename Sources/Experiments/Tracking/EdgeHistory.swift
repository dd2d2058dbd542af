import Dynamics
import Objectives

/// Under which settings a run was at which steps: by them the edges along it are known, of each curvature, and of the one that the
/// rule is best known for.
struct EdgeHistory {
    /// An edge, and the first step whose probes see it.
    struct Entry {
        let step: Int
        /// Not a number where no edge is known any more.
        let edge: StabilityEdge
    }

    /// From a step on.
    struct Regime {
        let step: Int
        /// Without what it has gathered.
        var rule: any UpdateRule
        var batch: Int
        let count: Int
        /// What settings follow from here on.
        var schedules: [SettingSchedule]

        /// The edge that probes see at a step of it.
        func edge(of quantity: EdgeQuantity?, at step: Int) -> StabilityEdge? {
            var (rule, batch) = (rule, batch)
            for schedule in schedules {
                let value = schedule.schedule.value(at: max(0, step - schedule.origin))
                switch schedule.setting {
                case "lr": rule.learningRate = value
                case "batch_size": batch = Int(exactly: value.rounded()) ?? batch
                default: rule = (try? rule.with(schedule.setting, value)) ?? rule
                }
            }
            let extent = BatchExtent(batch, of: count)
            guard let quantity else { return rule.firstEdge(on: extent)?.edge }
            return rule.edge(of: quantity, on: extent)
        }

        func isSame(_ other: Regime) -> Bool {
            rule.summary == other.rule.summary && batch == other.batch && count == other.count
                && schedules.map { "\($0.setting) \($0.origin) \($0.schedule)" }
                    == other.schedules.map { "\($0.setting) \($0.origin) \($0.schedule)" }
        }
    }

    private(set) var regimes: [Regime] = []

    init() {}

    /// What settings follow now.
    var schedules: [SettingSchedule] { regimes.last?.schedules ?? [] }

    /// The changes of an edge up to a step; empty where there never was one.
    func entries(of quantity: EdgeQuantity?, through last: Int) -> [Entry] {
        var entries: [Entry] = []
        func add(_ edge: StabilityEdge?, at step: Int) {
            if let known = entries.last {
                let before = known.edge.lower.isNaN ? nil : known.edge
                if before != edge { entries.append(Entry(step: step, edge: edge ?? StabilityEdge(.nan))) }
            } else if let edge {
                entries.append(Entry(step: step, edge: edge))
            }
        }
        for (index, regime) in regimes.enumerated() {
            add(regime.edge(of: quantity, at: regime.step), at: regime.step)
            guard !regime.schedules.isEmpty else { continue }
            let end = index + 1 < regimes.count ? regimes[index + 1].step - 1 : last
            guard regime.step < end else { continue }
            // Of a run that is longer than anybody looks at step by step, some.
            let stride = max(1, (end - regime.step) / 2_000_000)
            for step in Swift.stride(from: regime.step + 1, through: end, by: stride) {
                add(regime.edge(of: quantity, at: step), at: step)
            }
        }
        return entries
    }

    /// Takes note of what holds from now on.
    mutating func note(_ run: Run) {
        var rule = run.rule
        rule.state = UpdateState()
        let first = run.step == 0 ? 0 : run.step + 1
        if regimes.last?.step == first { regimes.removeLast() }
        let regime = Regime(
            step: first, rule: rule, batch: run.batchCount, count: run.data.train.count, schedules: run.schedules)
        if let last = regimes.last, last.isSame(regime) { return }
        regimes.append(regime)
    }

    /// A function that a setting follows has given another value: the schedule of the last regime is what it has given so far.
    mutating func update(_ schedules: [SettingSchedule]) {
        if let last = regimes.indices.last { regimes[last].schedules = schedules }
    }

    mutating func code(_ coder: StateCoder, _ model: RunModel) throws {
        var stored = json
        try coder.code("regimes", &stored)
        guard coder.isReading else { return }
        self = try EdgeHistory(json: stored, model)
    }

    /// As checkpoints have it.
    var json: JSONValue {
        .array(
            regimes.map { regime in
                let own: [String: JSONValue] = [
                    "step": .integer(regime.step), "batch": .integer(regime.batch), "count": .integer(regime.count),
                    "schedules": .array(regime.schedules.map(\.json)),
                ]
                return .object(own.merging(Self.json(of: regime.rule)) { $1 })
            })
    }

    /// A rule without its state.
    static func json(of rule: any UpdateRule) -> [String: JSONValue] {
        let settings = Dictionary(rule.settings.map { ($0.name, JSONValue(exactly: $0.value)) }) { $1 }
        return ["rule": .string(rule.name), "settings": .object(settings)]
    }

    private static func rule(_ object: [String: JSONValue], _ model: RunModel) throws -> (any UpdateRule)? {
        guard let name = object["rule"]?.text, case .object(let settings)? = object["settings"] else { return nil }
        return try model.rule(name, settings.compactMap { name, value in value.realNumber.map { (name, $0) } })
    }

    /// The rule that an event tells of, as ``json(of:)`` has it; nil where it does not.
    static func rule(_ object: [String: JSONValue]) -> (any UpdateRule)? { (try? rule(object, .catalogue)) ?? nil }

    init(json: JSONValue, _ model: RunModel) throws {
        let damaged = ExperimentError.invalid("the checkpoint is not complete: its edges are not")
        guard case .array(let list) = json else { throw damaged }
        regimes = try list.map { value in
            guard case .object(let object) = value, let step = object["step"]?.wholeNumber,
                let batch = object["batch"]?.wholeNumber, let count = object["count"]?.wholeNumber, batch > 0,
                count > 0, let rule = try Self.rule(object, model),
                let schedules = object["schedules"]?.list({ SettingSchedule(json: $0) })
            else { throw damaged }
            return Regime(step: step, rule: rule, batch: batch, count: count, schedules: schedules)
        }
    }

    /// A setting was changed after so many steps, by what the file says of it; the present regime goes on as it is otherwise.
    mutating func append(after step: Int, _ change: (inout Regime) -> Void) {
        guard var regime = regimes.last else { return }
        regime = Regime(
            step: step == 0 ? 0 : step + 1, rule: regime.rule, batch: regime.batch, count: regime.count,
            schedules: regime.schedules)
        change(&regime)
        if regimes.last?.step == regime.step { regimes.removeLast() }
        regimes.append(regime)
    }
}

extension SettingSchedule {
    /// With the last value of a function alone.
    var shortened: SettingSchedule {
        guard function != nil, case .piecewise(let points, _) = schedule, let last = points.last else { return self }
        var short = self
        short.schedule = .piecewise([last], isLinear: false)
        return short
    }

    /// Whether both are of one function.
    func isSame(_ other: SettingSchedule) -> Bool {
        function != nil && function == other.function && setting == other.setting && origin == other.origin
    }

    var json: JSONValue {
        [
            "setting": .string(setting), "origin": .integer(origin), "schedule": schedule.json,
            "function": function.map { .integer($0) } ?? .null,
        ]
    }

    init?(json: JSONValue) {
        guard case .object(let object) = json, let setting = object["setting"]?.text,
            let origin = object["origin"]?.wholeNumber, let schedule = object["schedule"].flatMap(Schedule.init)
        else { return nil }
        self.init(setting: setting, origin: origin, schedule: schedule, function: object["function"]?.wholeNumber)
    }
}

extension Run {
    /// `edge(of:)` along the run, for plots, each value with the first step whose probes see it: a change after step t and its
    /// probes counts from t + 1 on. `upper` is the other end of an interval. Not a number from where there was none; empty where
    /// there never was one.
    public func edges(of quantity: EdgeQuantity? = nil) -> [(step: Int, value: Double, upper: Double)] {
        history.edges(of: quantity)
    }

    /// The edge that belongs to a series, from each step on at which it changed: of its own curvature, never of another one; of an
    /// interval the lower end. A quantity of the user's own has that which the rule is best known for. Nil where no rule of the run
    /// had such an edge.
    public func knownEdge(for series: String) throws -> Series? {
        try history.knownEdge(for: series) { try recorded[$0]?.series() }
    }

    /// The same.
    /// - Throws: `ExperimentError.invalid`, which says why, where there is none.
    public func edge(for series: String) throws -> Series {
        guard let edge = try knownEdge(for: series) else {
            let name = history.catalogueName(of: series)
            let measured = name == series ? "" : ", which is \(name),"
            throw ExperimentError.invalid("no edge of \(series)\(measured) is known under \(rule.name)\(knownEdges)")
        }
        return edge
    }

    /// ", which has one of …", for messages.
    private var knownEdges: String {
        let known = EdgeQuantity.allCases.filter { rule.edge(of: $0, on: batchExtent) != nil }.map(\.rawValue)
        return known.isEmpty ? "" : ", which has one of \(known.joined(separator: ", "))"
    }
}
