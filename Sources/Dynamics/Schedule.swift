import Foundation

/// A number along the steps of a run: what a learning rate, a batch size or any other setting follows.
///
/// Steps are counted from where the schedule began; the value of step t holds for the step from t to t + 1. Behind its end the last
/// value holds.
public indirect enum Schedule: Sendable, Hashable {
    case constant(Double)
    /// from·factor^⌊t/every⌋.
    case step(from: Double, factor: Double, every: Int)
    /// On a line over so many steps.
    case linear(from: Double, to: Double, steps: Int)
    /// to + (from − to)(1 + cos(πt/steps))/2 (Loshchilov & Hutter 2017).
    case cosine(from: Double, to: Double, steps: Int)
    /// On a line to the first value of what comes then, over so many steps.
    case warmup(from: Double, steps: Int, then: Schedule)
    /// Each value from its step on; between them on lines where `isLinear`. Steps increase; before the first its value holds.
    case piecewise([Point], isLinear: Bool)
    /// From low to high and back within a period, on lines (Smith 2017).
    case cyclic(low: Double, high: Double, period: Int)
    /// One after the other, each for so many steps; the last goes on.
    case sequence([Part])

    public struct Point: Sendable, Hashable {
        public var step: Int
        public var value: Double

        public init(_ step: Int, _ value: Double) { (self.step, self.value) = (step, value) }
    }

    public struct Part: Sendable, Hashable {
        public var schedule: Schedule
        public var steps: Int

        public init(_ schedule: Schedule, steps: Int) { (self.schedule, self.steps) = (schedule, steps) }
    }

    /// The value of step t, t ≥ 0.
    public func value(at t: Int) -> Double {
        func line(_ from: Double, _ to: Double, _ share: Double) -> Double {
            // The ends are met exactly.
            share >= 1 ? to : from + (to - from) * share
        }
        switch self {
        case .constant(let value): return value
        case .step(let from, let factor, let every): return from * pow(factor, Double(t / every))
        case .linear(let from, let to, let steps): return line(from, to, Double(t) / Double(steps))
        case .cosine(let from, let to, let steps):
            if t >= steps { return to }
            return to + (from - to) * (1 + cos(.pi * Double(t) / Double(steps))) / 2
        case .warmup(let from, let steps, let then):
            return t < steps ? line(from, then.value(at: 0), Double(t) / Double(steps)) : then.value(at: t - steps)
        case .piecewise(let points, let isLinear):
            // The first point behind t.
            var (low, high) = (0, points.count)
            while low < high {
                let middle = (low + high) / 2
                if points[middle].step <= t { low = middle + 1 } else { high = middle }
            }
            guard low > 0 else { return points[0].value }
            let last = points[low - 1]
            guard isLinear, low < points.count else { return last.value }
            let next = points[low]
            return line(last.value, next.value, Double(t - last.step) / Double(next.step - last.step))
        case .cyclic(let low, let high, let period):
            let share = Double(t % period) / Double(period)
            return low + (high - low) * (share < 0.5 ? 2 * share : 2 - 2 * share)
        case .sequence(let parts):
            var t = t
            for part in parts.dropLast() {
                if t < part.steps { return part.schedule.value(at: t) }
                t -= part.steps
            }
            return parts[parts.count - 1].schedule.value(at: t)
        }
    }
}

extension Schedule: CustomStringConvertible {
    /// As scripts write it: `cosine{ from = 0.1, to = 0, steps = 3000 }`.
    public var description: String {
        func words(_ pairs: (String, String)...) -> String { pairs.map { "\($0.0) = \($0.1)" }.joined(separator: ", ") }
        switch self {
        case .constant(let value): return "constant(\(value))"
        case .step(let from, let factor, let every):
            return "step{ \(words(("from", "\(from)"), ("factor", "\(factor)"), ("every", "\(every)"))) }"
        case .linear(let from, let to, let steps):
            return "linear{ \(words(("from", "\(from)"), ("to", "\(to)"), ("steps", "\(steps)"))) }"
        case .cosine(let from, let to, let steps):
            return "cosine{ \(words(("from", "\(from)"), ("to", "\(to)"), ("steps", "\(steps)"))) }"
        case .warmup(let from, let steps, let then):
            return "warmup{ \(words(("from", "\(from)"), ("steps", "\(steps)"), ("after", "\(then)"))) }"
        case .piecewise(let points, let isLinear):
            let shown = points.prefix(20).map { "[\($0.step)] = \($0.value)" }.joined(separator: ", ")
            let rest = points.count > 20 ? ", … (\(points.count) points)" : ""
            return "piecewise{ { \(shown)\(rest) }\(isLinear ? ", linear = true" : "") }"
        case .cyclic(let low, let high, let period):
            return "cyclic{ \(words(("low", "\(low)"), ("high", "\(high)"), ("period", "\(period)"))) }"
        case .sequence(let parts):
            return "sequence{ \(parts.map { "\($0.schedule) for \($0.steps)" }.joined(separator: ", ")) }"
        }
    }
}
