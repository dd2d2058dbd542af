import Dynamics
import Foundation

/// Under which settings a run was at which steps, of a live run or as its file tells it: its edges, what was changed, and what the
/// epoch and the time were at a step.
public struct RunHistory {
    /// Under this events of a file have ``catalogueNames``.
    static let seriesKey = "series"

    /// Something that was changed after `step` steps.
    public struct Change: Sendable, Hashable {
        public let step: Int
        /// In few words: "lr 0.05 to 0.1".
        public let message: String
    }

    /// How many epochs a step is.
    struct EpochLength {
        var keepsLast = false
        /// Each sample of a batch is drawn by itself.
        var isReplacement = false
        /// Batches in a list of the program's own, which is an epoch.
        var listed: Int?

        func epochs(ofBatch batch: Int, of count: Int) -> Double {
            if let listed { return 1 / Double(max(1, listed)) }
            if isReplacement { return Double(batch) / Double(count) }
            let batches = keepsLast ? (count - 1) / batch + 1 : count / batch
            return 1 / Double(max(1, batches))
        }
    }

    var settings: EdgeHistory
    var epochLength: EpochLength
    /// The last step that it goes to.
    var last: Int
    /// Whether what comes after that is not to be seen, as while a program is executed again.
    var isCut = false
    /// Of series that the program gave names of its own (`as`): the names that the probes behind them have for these.
    var catalogueNames: [String: String] = [:]

    /// The name of the rule at the end, and its learning rate; nil where nothing is known.
    public var rule: (name: String, learningRate: Double)? {
        settings.regimes.last.map { ($0.rule.name, $0.rule.learningRate) }
    }

    /// The name by which a series says what it measures: the probe's, whatever the program calls it. Of a file that does not tell, and of
    /// a quantity of the program's own, the series' name.
    public func catalogueName(of series: String) -> String { catalogueNames[series] ?? series }

    // MARK: - Edges

    /// Whether a series is one of edges, whatever the program calls it.
    public func isEdge(_ series: String) -> Bool { Edge.names.contains(catalogueName(of: series)) }

    /// Which of the tracked series has the edge of another one: that of its own curvature, else that of the rule if it was the same all
    /// along. Nil where there is none, or where the series is itself an edge.
    public func edgeName(for series: String, among tracked: some Collection<String>) -> String? {
        guard !isEdge(series), let quantity = EdgeQuantity(series: catalogueName(of: series)) else { return nil }
        func tracking(_ name: String) -> String? { tracked.first { catalogueName(of: $0) == name } }
        if let own = tracking(Edge.name(quantity)) { return own }
        func bits(_ quantity: EdgeQuantity?) -> [[UInt64]] {
            edges(of: quantity).map { [UInt64(bitPattern: Int64($0.step)), $0.value.bitPattern] }
        }
        return bits(quantity) == bits(nil) ? tracking(Edge.name(nil)) : nil
    }

    /// An edge along the run, each value with the first step whose probes see it: a change after step t and its probes counts
    /// from t + 1 on. `upper` is the other end of an interval. Not a number from where there was none; empty where there never was
    /// one.
    public func edges(of quantity: EdgeQuantity?) -> [(step: Int, value: Double, upper: Double)] {
        settings.entries(of: quantity, through: last).filter { !isCut || $0.step <= last }
            .map { ($0.step, $0.edge.lower, $0.edge.upper) }
    }

    /// Whether an edge is that of gradient descent, 2/η, all along.
    public func isPlain(_ quantity: EdgeQuantity) -> Bool {
        !settings.regimes.isEmpty
            && settings.regimes.allSatisfy {
                $0.rule.edge(of: quantity, on: BatchExtent($0.batch, of: $0.count))
                    == StabilityEdge(2 / $0.rule.learningRate)
            }
    }

    /// The edge that belongs to a series, from each step on at which it changed: of its own curvature, never of another one; of an
    /// interval the lower end. Whatever the program calls it, the probe says what it measures. A quantity of the user's own has that
    /// which the rule is best known for. Nil where no rule of the run had such an edge.
    /// - Parameter tracked: a series that was tracked, by its name; nil where it was not.
    public func knownEdge(for series: String, tracked: (String) throws -> Series?) throws -> Series? {
        let name = catalogueName(of: series)
        let quantity = EdgeQuantity(series: name)
        guard quantity != nil || name == Edge.name(nil) || !ProbeCatalogue.has(series: name) else { return nil }
        let edges = edges(of: quantity)
        if edges.isEmpty {
            // An edge that depends on the gradient is known where it was tracked; and so is any, of a file that does not tell the settings.
            let dependsOnGradient = settings.regimes.last?.rule.edgeNeedsGradientNorm ?? true
            guard dependsOnGradient, quantity == .lambdaMax || settings.regimes.isEmpty else { return nil }
            return try tracked(Edge.name(quantity)) ?? (settings.regimes.isEmpty ? nil : tracked(Edge.name(nil)))
        }
        return Series(name: Edge.name(quantity), steps: edges.map(\.step), values: edges.map(\.value))
    }

    /// The series `edge`, tracked, with the edges of all curvatures beside it (``Series/edges``). Of a run whose settings are not known,
    /// as it was.
    /// - Parameter tracked: a series that was tracked, by its name; nil where it was not.
    public func withOwnEdges(_ series: Series, tracked: (String) throws -> Series?) throws -> Series {
        guard let rule = settings.regimes.last?.rule else { return series }
        var result = series
        result.catalogueNames = catalogueNames
        result.edges = Dictionary(
            uniqueKeysWithValues: try EdgeQuantity.allCases.map { quantity in
                if rule.edgeNeedsGradientNorm, quantity == .lambdaMax,
                    let series = try tracked(Edge.name(.lambdaMax))
                {
                    return (quantity, series)
                }
                let edges = edges(of: quantity)
                return (
                    quantity, Series(name: Edge.name(quantity), steps: edges.map(\.step), values: edges.map(\.value))
                )
            })
        return result
    }

    // MARK: - Changes

    /// What was changed, in order.
    public var changes: [Change] {
        zip(settings.regimes, settings.regimes.dropFirst()).compactMap { before, after in
            if isCut, after.step > last { return nil }
            var words: [String] = []
            if before.rule.name != after.rule.name {
                words.append("\(before.rule.name) to \(after.rule.name)")
            } else {
                let followed = Set(before.schedules.map(\.setting))
                let old = Dictionary(before.rule.settings.map { ($0.name, $0.value) }) { $1 }
                for (name, value) in after.rule.settings where old[name] != value {
                    if after.schedules.contains(where: { $0.setting == name }) { continue }
                    let from = old[name].map { followed.contains(name) ? "" : "\(digits($0)) " } ?? ""
                    words.append("\(name) \(from)to \(digits(value))")
                }
            }
            if before.batch != after.batch, !after.schedules.contains(where: { $0.setting == "batch_size" }) {
                words.append("batch \(before.batch) to \(after.batch)")
            }
            for schedule in after.schedules
            where !before.schedules.contains(where: { $0.setting == schedule.setting && $0.origin == schedule.origin })
            {
                words.append("\(schedule.setting) on a schedule")
            }
            return words.isEmpty ? nil : Change(step: max(0, after.step - 1), message: words.joined(separator: ", "))
        }
    }

    private func digits(_ x: Double) -> String { Int(exactly: x).map { "\($0)" } ?? String(format: "%.6g", x) }

    // MARK: - Clocks

    /// The epochs that were over after each of these numbers of steps, which ascend; nil where the settings are not known.
    public func epochs(after steps: some Sequence<Int>) -> [Double]? {
        accumulated(steps, followed: "batch_size") { regime, batch in
            let size = batch.flatMap { Int(exactly: $0.rounded()) } ?? regime.batch
            return epochLength.epochs(ofBatch: min(max(1, size), regime.count), of: regime.count)
        }
    }

    /// Σ η after each of these numbers of steps, which ascend; nil where the settings are not known, and where a rule took a time of its
    /// own for a step, as flows do.
    public func times(after steps: some Sequence<Int>) -> [Double]? {
        if settings.regimes.contains(where: { $0.rule.elapsed != nil || $0.rule is AbsentRule }) { return nil }
        return accumulated(steps, followed: "lr") { regime, rate in rate ?? regime.rule.learningRate }
    }

    /// Sums over steps of what each gives under the settings it was taken with.
    /// - Parameter followed: the setting that may follow a schedule; `rate` is called with its value then.
    private func accumulated(
        _ steps: some Sequence<Int>, followed setting: String, _ rate: (EdgeHistory.Regime, Double?) -> Double
    ) -> [Double]? {
        guard !settings.regimes.isEmpty else { return nil }
        var (sum, taken, index) = (0.0, 0, 0)
        let regimes = settings.regimes
        return steps.map { step in
            while taken < step {
                // The step that comes next is number taken + 1.
                while index + 1 < regimes.count, regimes[index + 1].step <= taken + 1 { index += 1 }
                let regime = regimes[index]
                let end = index + 1 < regimes.count ? min(step, regimes[index + 1].step - 1) : step
                if let schedule = regime.schedules.first(where: { $0.setting == setting }) {
                    // Of more steps than anybody looks at one by one, some.
                    let stride = max(1, (end - taken) / 2_000_000)
                    sum += Double(stride) * rate(regime, schedule.schedule.value(at: max(0, taken - schedule.origin)))
                    taken += stride
                } else {
                    sum += Double(end - taken) * rate(regime, nil)
                    taken = end
                }
            }
            return sum
        }
    }
}

extension Run {
    /// Its settings along the way, as far as its program has come.
    public var history: RunHistory {
        var length = RunHistory.EpochLength(keepsLast: sampler.keepsLast)
        switch sampler.sampling {
        case .replacement: length.isReplacement = true
        case .batches(let list): length.listed = list.count
        default: break
        }
        return RunHistory(
            settings: edgeHistory, epochLength: length, last: isBehind ? programStep : step, isCut: isBehind,
            catalogueNames: trackers.reduce(into: [:]) { $0.merge(Self.catalogueNames(of: $1.probe)) { $1 } })
    }

    /// Of the series of a probe that the program gave names of its own, those that the probe has for them.
    static func catalogueNames(of probe: any Probe) -> [String: String] {
        guard let named = probe as? NamedProbe else { return [:] }
        return Dictionary(zip(named.seriesNames, named.probe.seriesNames)) { $1 }.filter { $0.key != $0.value }
    }

    /// Writes into the file, if there is one yet, what the series measure that the program calls otherwise.
    func noteCatalogueNames(of probe: any Probe) {
        let names = Self.catalogueNames(of: probe)
        guard replay == nil, !names.isEmpty else { return }
        let words = names.sorted { $0.key < $1.key }.map { "\($0.key) is \($0.value)" }
        note(
            RunHistory.seriesKey, words.joined(separator: ", "),
            [RunHistory.seriesKey: .object(names.mapValues { .string($0) })])
    }

    /// The settings that it begins with, for its file.
    public var settingsForFile: [String: JSONValue] {
        let (length, names) = (history.epochLength, history.catalogueNames)
        return [
            "settings": edgeHistory.json, "keep_last": .bool(length.keepsLast),
            "replacement": .bool(length.isReplacement), "listed": length.listed.map { .integer($0) } ?? .null,
        ].merging(names.isEmpty ? [:] : [RunHistory.seriesKey: .object(names.mapValues { .string($0) })]) { $1 }
    }
}
