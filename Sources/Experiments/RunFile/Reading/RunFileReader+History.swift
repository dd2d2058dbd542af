import Dynamics
import Foundation

extension RunFileReader {
    /// The settings along the run, by its last checkpoint, what it began with, and the changes since. Without what cannot be understood:
    /// a file may be a stranger's.
    public func history() throws(RunFileError) -> RunHistory {
        let events = try events()
        let steps = try lastSteps()
        var history = RunHistory(settings: EdgeHistory(), epochLength: .init(), last: steps)
        var known = -1
        if let start = events.first(where: { $0.kind == "start" }), let data = start.data {
            if case .bool(true)? = data["keep_last"] { history.epochLength.keepsLast = true }
            if case .bool(true)? = data["replacement"] { history.epochLength.isReplacement = true }
            history.epochLength.listed = data["listed"]?.wholeNumber
            if let settings = data["settings"], let own = Self.settings(settings) {
                (history.settings, known) = (own, start.step)
            }
        }
        if let step = try lastCheckpointStep(), step >= known, let settings = try settings(ofCheckpoint: step),
            let own = Self.settings(settings)
        {
            (history.settings, known) = (own, step)
        }
        for event in events where event.step >= known { history.take(event) }
        for event in events { history.takeNames(event) }
        return history
    }

    /// Regimes in the order of their steps, from 0 on.
    private static func settings(_ json: JSONValue) -> EdgeHistory? {
        guard let settings = try? EdgeHistory(json: json, .catalogue), !settings.regimes.isEmpty,
            zip(settings.regimes, settings.regimes.dropFirst()).allSatisfy({ $0.step < $1.step }),
            settings.regimes.allSatisfy({ (0...RunHistory.longest).contains($0.step) }),
            settings.regimes.flatMap(\.schedules).allSatisfy({ (0...RunHistory.longest).contains($0.origin) })
        else { return nil }
        return settings
    }

    /// The last step that anything in the file is of, as far as a run can go.
    private func lastSteps() throws(RunFileError) -> Int {
        let queries =
            ["SELECT max(step) FROM measurement"]
            + (version >= 3 ? ["SELECT max(last) FROM chunk", "SELECT step FROM run"] : [])
        var last = 0
        for query in queries {
            let found = try rows(query) { try $0.decode(Int?.self, atIndex: 0) }
            last = max(last, found.first.flatMap { $0 } ?? 0)
        }
        return min(last, RunHistory.longest)
    }

    /// The regimes of a checkpoint, of which its header alone is read.
    private func settings(ofCheckpoint step: Int) throws(RunFileError) -> JSONValue? {
        if version < 3 { return nil }
        let longest = 16 << 20
        var (bytes, length) = (Data(), 8)
        var part = 0
        while bytes.count < length {
            let found = try rows(
                """
                SELECT substr(checkpoint_part.bytes, 1, ?) FROM checkpoint_part
                JOIN checkpoint ON checkpoint.id = checkpoint_part.checkpoint WHERE checkpoint.step = ?
                ORDER BY checkpoint.id DESC, part LIMIT 1 OFFSET ?
                """, [longest + 8, step, part]
            ) { try $0.decode(Data.self, atIndex: 0) }
            guard let next = found.first, !next.isEmpty else { return nil }
            bytes.append(next)
            part += 1
            guard length == 8, bytes.count >= 8 else { continue }
            let header = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard header <= longest else { return nil }
            length = 8 + Int(header)
        }
        let header = String(decoding: bytes.dropFirst(8).prefix(length - 8), as: UTF8.self)
        guard case .object(let names)? = try? JSONValue(json: header),
            case .object(let metadata)? = names["__metadata__"], let text = metadata["eoss"]?.text,
            case .object(let values)? = try? JSONValue(json: text)
        else { return nil }
        return values["edges.regimes"]
    }
}

extension RunHistory {
    /// More steps than any run takes: what a file says beyond is not believed.
    static let longest = 1 << 40

    /// What series measure that the program calls otherwise, where an event tells of it.
    mutating func takeNames(_ event: RunEvent) {
        guard ["start", Self.seriesKey].contains(event.kind), case .object(let names)? = event.data?[Self.seriesKey]
        else { return }
        catalogueNames.merge(names.compactMapValues(\.text)) { $1 }
    }

    /// A change that an event tells of.
    mutating func take(_ event: RunEvent) {
        guard (0...Self.longest).contains(event.step) else { return }
        let to = event.data?["to"]
        if let json = event.data?["schedule"], let schedule = Schedule(json: json) {
            settings.append(after: event.step) { regime in
                regime.schedules.removeAll { $0.setting == event.kind }
                regime.schedules.append(
                    SettingSchedule(setting: event.kind, origin: event.step, schedule: schedule, function: nil))
            }
            return
        }
        switch event.kind {
        case "lr":
            settings.append(after: event.step) { regime in
                regime.schedules.removeAll { $0.setting == "lr" }
                // A function of the program's, of which the file knows no more.
                guard let rate = to?.realNumber, rate > 0 else {
                    regime.rule = regime.unknownRule
                    return
                }
                regime.rule.learningRate = rate
            }
        case "batch_size":
            settings.append(after: event.step) { regime in
                regime.schedules.removeAll { $0.setting == "batch_size" }
                guard let words = to?.text else { return }
                regime.batch =
                    words.contains("full")
                    ? regime.count : Int(words.filter(\.isNumber)).map { max(1, $0) } ?? regime.batch
            }
        case _ where event.kind == "optimizer" || event.kind.hasPrefix("optimizer."):
            settings.append(after: event.step) { regime in
                regime.rule = event.data.flatMap(EdgeHistory.rule) ?? regime.unknownRule
                let setting = event.kind.dropFirst("optimizer.".count)
                regime.schedules.removeAll { setting.isEmpty ? $0.setting != "batch_size" : $0.setting == setting }
            }
        default: break
        }
    }
}

extension EdgeHistory.Regime {
    /// What a rule is called of which no more is known: it has no edge.
    fileprivate var unknownRule: any UpdateRule { AbsentRule(name: rule.name, learningRate: rule.learningRate) }
}
