import Experiments
import Foundation

/// What differs between runs, the first of which the others are compared with: what went in, then what came out.
public struct RunComparison: Sendable {
    /// Something that a run has one of, or none: a parameter, a setting, a fact of the machine.
    public struct Difference: Sendable {
        public let name: String
        /// Of each run; nil where it has none.
        public let values: [JSONValue?]
    }

    /// A script or a module of another run, against that of the same place in the first.
    public struct ScriptDifference: Sendable {
        /// Which of the runs, from 1 on.
        public let run: Int
        /// Its path; of the script itself the one in the first run.
        public let path: String
        public let kind: Kind

        public enum Kind: Sendable {
            case differs(LineDifference)
            /// From the first run as another one before it does.
            case sameAs(run: Int)
            case onlyInFirst
            case onlyInOther
        }
    }

    /// The curves of one quantity.
    public struct Curves: Sendable {
        public let name: String
        /// The last value in each run; nil where it has none.
        public let last: [Experiments.Measurement?]
        /// Of each run but the first against that; nil where one of the two has no values.
        public let deviations: [Deviation?]
    }

    /// How far two curves lie apart at the steps that both have.
    public struct Deviation: Sendable {
        /// How many steps both have.
        public let common: Int
        /// How many steps one of them alone has.
        public let alone: Int
        /// The first step at which they differ, by a bit or more; nil where there is none.
        public let first: Int?
        /// The largest distance of two values, infinite where one of them alone is no number, and its step; nil without common steps.
        public let largest: (value: Double, step: Int)?
        /// The largest distance over the size of the first run's value there; infinite where that is 0.
        public let relative: Double?

        /// Whether there is no difference.
        public var isNone: Bool { first == nil && alone == 0 }
    }

    /// What the runs are called here: by their files, each by another name.
    public let names: [String]
    public let scripts: [ScriptDifference]
    public let parameters: [Difference]
    public let settings: [Difference]
    public let environment: [Difference]
    /// Which of the runs, by their places, are forks of which, and where they left them.
    public let forks: [(run: Int, parent: Int, step: Int)]
    public let states: [String]
    public let steps: [Int?]
    /// In the order in which the series of the first run began, then those that others have besides.
    public let curves: [Curves]

    /// - Parameter readers: two or more.
    public init(_ readers: [RunFileReader]) throws(RunFileError) {
        precondition(readers.count > 1, "one run differs from nothing")
        names = Self.names(readers.map(\.url))
        scripts = try Self.scripts(readers)
        var overviews: [RunSummary] = []
        var (environments, events): ([[String: JSONValue]], [[RunEvent]]) = ([], [])
        for reader in readers {
            overviews.append(try RunSummary(reader))
            environments.append(try reader.environment().mapValues { .string($0) })
            events.append(try reader.events())
        }
        forks = readers.enumerated().compactMap { run, reader in
            guard let parent = reader.parent, let place = readers.firstIndex(where: { $0.uuid == parent.uuid })
            else { return nil }
            return (run, place, parent.step)
        }
        (states, steps) = (overviews.map(\.state), overviews.map(\.step))
        parameters = Self.differences(overviews.map(\.parameters))
        settings = Self.differences(
            events.map { Dictionary(RunSetting.all(in: $0).map { ($0.name, .string($0.value)) }) { $1 } })
        environment = Self.differences(environments)
        curves = try Self.curves(readers, overviews)
    }

    /// Whether nothing differs but what runs are called.
    public var areTheSame: Bool {
        scripts.isEmpty && parameters.isEmpty && settings.isEmpty && environment.isEmpty && Set(steps).count == 1
            && curves.allSatisfy { $0.deviations.allSatisfy { $0?.isNone ?? false } }
    }

    private static func differences(_ runs: [[String: JSONValue]]) -> [Difference] {
        Set(runs.flatMap(\.keys)).sorted().compactMap { name in
            let values = runs.map { $0[name] }
            return values.allSatisfy { $0 == values[0] } ? nil : Difference(name: name, values: values)
        }
    }

    /// As short as they are still different.
    private static func names(_ files: [URL]) -> [String] {
        let paths = files.map { Array($0.deletingPathExtension().pathComponents.reversed()) }
        for length in 1...(paths.map(\.count).max() ?? 1) {
            let names = paths.map { $0.prefix(length).reversed().joined(separator: "/") }
            if Set(names).count == Set(files).count { return names }
        }
        return files.map(\.path)
    }

    // MARK: - Scripts

    private static func scripts(_ readers: [RunFileReader]) throws(RunFileError) -> [ScriptDifference] {
        var all: [[RunScript]] = []
        for reader in readers { all.append(try reader.scripts()) }
        var found: [ScriptDifference] = []
        // The script may have been moved; modules are known by their paths.
        let scripts = all.map(\.first)
        found += differences(scripts, path: scripts.lazy.compactMap { $0?.path }.first ?? "")
        let modules = all.map { Dictionary($0.dropFirst().map { ($0.path, $0) }) { $1 } }
        for path in Set(modules.flatMap(\.keys)).sorted() {
            found += differences(modules.map { $0[path] }, path: path)
        }
        return found
    }

    private static func differences(_ scripts: [RunScript?], path: String) -> [ScriptDifference] {
        scripts.indices.dropFirst().compactMap { run in
            switch (scripts[0], scripts[run]) {
            case (nil, nil): return nil
            case (nil, _): return ScriptDifference(run: run, path: path, kind: .onlyInOther)
            case (_, nil): return ScriptDifference(run: run, path: path, kind: .onlyInFirst)
            case (let first?, let other?):
                if first.source == other.source { return nil }
                if let same = (1..<run).first(where: { scripts[$0]?.source == other.source }) {
                    return ScriptDifference(run: run, path: path, kind: .sameAs(run: same))
                }
                let difference = LineDifference(
                    String(decoding: first.source, as: UTF8.self), String(decoding: other.source, as: UTF8.self))
                return ScriptDifference(run: run, path: path, kind: .differs(difference))
            }
        }
    }

    // MARK: - Curves

    private static func curves(
        _ readers: [RunFileReader], _ overviews: [RunSummary]
    ) throws(RunFileError) -> [Curves] {
        let lasts = overviews.map { Dictionary($0.last.map { ($0.name, $0.value) }) { $1 } }
        var known: Set<String> = []
        var curves: [Curves] = []
        for name in overviews.flatMap({ $0.last.map(\.name) }) where known.insert(name).inserted {
            let last = lasts.map { $0[name] }
            var deviations: [Deviation?] = Array(repeating: nil, count: readers.count - 1)
            if last[0] != nil {
                let first = try readers[0].values(of: name)
                for run in 1..<readers.count where last[run] != nil {
                    deviations[run - 1] = Deviation(first, try readers[run].values(of: name))
                }
            }
            curves.append(Curves(name: name, last: last, deviations: deviations))
        }
        return curves
    }
}

extension RunComparison.Deviation {
    /// Of two series whose steps ascend.
    init(_ a: Series, _ b: Series) {
        var (i, j, common) = (0, 0, 0)
        var first: Int?
        var largest: (value: Double, step: Int)?
        var relative: Double?
        while i < a.count, j < b.count {
            let (step, other) = (a.stepList[i], b.stepList[j])
            if step != other {
                if step < other { i += 1 } else { j += 1 }
                continue
            }
            let (x, y) = (a.values[i], b.values[j])
            let isSame = x == y || x.isNaN && y.isNaN
            if !isSame, first == nil { first = step }
            let distance = isSame ? 0 : (x - y).isNaN ? .infinity : abs(x - y)
            if distance > largest?.value ?? -1 {
                largest = (distance, step)
                relative = isSame ? 0 : x == 0 || !x.isFinite ? .infinity : distance / abs(x)
            }
            (i, j, common) = (i + 1, j + 1, common + 1)
        }
        self.init(
            common: common, alone: a.count + b.count - 2 * common, first: first, largest: largest, relative: relative)
    }
}
