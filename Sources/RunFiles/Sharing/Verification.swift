import Experiments
import Foundation

/// Compares run files with those that the same script has made again.
public struct Verification {
    /// By how much two values of one metric may differ.
    public enum Tolerance: Sendable, Hashable {
        /// Made by the same kernels and the same math library: not by a bit.
        case none
        /// Sums were taken in another order: the error bars that are stored decide; where there are none, a share of the larger value.
        case errorBars(else: Double, because: String)
    }

    /// What became of one metric.
    public struct Metric: Sendable {
        public var name: String
        /// Values that were compared.
        public var points = 0
        /// Values that the second file does not have.
        public var missing = 0
        /// The largest |a − b|, and where it is; infinite where one is a number and the other is none.
        public var largest = 0.0
        public var step: Int?
        /// Values that differ by more than may be.
        public var outside = 0

        public var isWithin: Bool { outside == 0 && missing == 0 }
    }

    /// What became of one run.
    public struct Outcome: Sendable {
        public var run: String
        public var tolerance: Tolerance
        public var metrics: [Metric]
        /// What else differs.
        public var failures: [String]

        public var isWithin: Bool { failures.isEmpty && metrics.allSatisfy(\.isWithin) }
    }

    /// How many standard errors of their difference two estimates may lie apart.
    public static let standardErrors = 4.0

    /// Of a value without an error bar: the share of it by which another machine's may differ. At the edge of stability rounding grows
    /// with the steps, so this is a convention, not a bound.
    public var relative = 1e-3

    public init() {}

    /// Compares a file with the one that belongs to it among those made again: the run of the same name, of a fork that of the same parent
    /// and step. Of several of one name it is the one that differs least.
    public func outcome(_ file: RunFileReader, among repeated: [RunFileReader]) throws -> Outcome {
        let candidates = repeated.filter {
            $0.givenName == file.givenName && $0.parent?.name == file.parent?.name
                && $0.parent?.step == file.parent?.step
        }
        let outcomes = try candidates.map { try compare(file, $0) }
        if let best = outcomes.min(by: { Self.misses($0) < Self.misses($1) }) { return best }
        let data = try Self.data(file).map { "; its data were '\($0.name)', digest \($0.digest)" } ?? ""
        let made = repeated.map { "'\($0.givenName.printable)'" }.joined(separator: ", ")
        return Outcome(
            run: file.name, tolerance: .none, metrics: [],
            failures: [
                "the script made no run '\(file.givenName.printable)'\(file.parent == nil ? "" : " as this fork") ("
                    + (made.isEmpty ? "it made none" : "it made \(made)") + ")" + data
            ])
    }

    private static func misses(_ outcome: Outcome) -> Int {
        outcome.failures.count + outcome.metrics.reduce(0) { $0 + $1.outside + $1.missing }
    }

    private func compare(_ file: RunFileReader, _ repeated: RunFileReader) throws -> Outcome {
        let tolerance = try tolerance(file.environment(), repeated.environment())
        var outcome = Outcome(run: file.name, tolerance: tolerance, metrics: [], failures: [])
        if let (name, then, now) = try Self.otherData(file, repeated) {
            outcome.failures.append(
                "the data '\(name)' are not those of the file: digest \(then) there, \(now) here; put the same data there, or see "
                    + "'eoss run --help' for --allow-read")
        }
        let known = try Set(repeated.seriesNames())
        for name in try file.seriesNames() {
            guard known.contains(name) else {
                outcome.failures.append("'\(name.printable)' was not measured again")
                continue
            }
            outcome.metrics.append(try metric(name, file, repeated, tolerance))
        }
        return outcome
    }

    /// What decides the last bits: the kernels, the library for dense products, the one for sines and powers.
    private func tolerance(_ then: [String: String], _ now: [String: String]) -> Tolerance {
        for key in ["kernels", "openblas", "libc"] where then[key] != now[key] {
            let words = [then, now].map { ($0[key] ?? "unknown").printable }
            return .errorBars(else: relative, because: "\(key): \(words[0]) there, \(words[1]) here")
        }
        return .none
    }

    /// The first data that have another digest.
    private static func otherData(
        _ file: RunFileReader, _ repeated: RunFileReader
    ) throws -> (name: String, then: String, now: String)? {
        guard let then = try data(file), let now = try data(repeated), then.digest != now.digest else { return nil }
        return (then.name, then.digest, now.digest)
    }

    private static func data(_ reader: RunFileReader) throws -> (name: String, digest: String)? {
        guard let data = try reader.events().last(where: { $0.kind == "data" })?.data,
            case .string(let name)? = data["name"], case .string(let digest)? = data["digest"]
        else { return nil }
        return (name.printable, digest.printable)
    }

    private func metric(
        _ name: String, _ file: RunFileReader, _ repeated: RunFileReader, _ tolerance: Tolerance
    ) throws -> Metric {
        var metric = Metric(name: name)
        let (there, here) = (try SeriesCursor(file, name), try SeriesCursor(repeated, name))
        while let a = there.current {
            while let b = here.current, b.step < a.step { try here.advance() }
            if let b = here.current, b.step == a.step {
                metric.points += 1
                let deviation = Self.deviation(a.value, b.value)
                if deviation > metric.largest { (metric.largest, metric.step) = (deviation, a.step) }
                if !isAllowed(deviation, a, b, tolerance) { metric.outside += 1 }
            } else {
                metric.missing += 1
            }
            try there.advance()
        }
        return metric
    }

    /// 0 where both are the same, or both no number.
    private static func deviation(_ a: Double, _ b: Double) -> Double {
        if a == b || a.isNaN && b.isNaN { return 0 }
        return a.isFinite && b.isFinite ? abs(a - b) : .infinity
    }

    /// The file says its own errors, and may come from a stranger: they count as at most so many times those of the repetition.
    private static let credit = 3.0

    private func isAllowed(
        _ deviation: Double, _ a: Experiments.Measurement, _ b: Experiments.Measurement, _ tolerance: Tolerance
    ) -> Bool {
        guard deviation > 0, deviation.isFinite, case .errorBars(let share, _) = tolerance else {
            return deviation == 0
        }
        if let first = a.standardError, let second = b.standardError {
            let believed = min(first, Self.credit * second)
            return deviation <= Self.standardErrors * (believed * believed + second * second).squareRoot()
        }
        // An eigenvalue lies as close to the computed one as its residual is large.
        if let first = a.residual, let second = b.residual, deviation <= min(first, Self.credit * second) + second {
            return true
        }
        return deviation <= share * max(abs(a.value), abs(b.value))
    }
}
