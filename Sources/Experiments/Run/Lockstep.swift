import Compute
import Foundation

/// Several runs that take their steps together, and how far they are from each other along the way: gradient descent beside the flow
/// that approximates it, forks with other noise, one trajectory in f32 and in f64.
public final class Lockstep {
    /// What is compared of two runs: as ``Run/distance(to:in:over:)`` has it, or the angle.
    public enum Quantity: String, Sendable, CaseIterable {
        /// ‖θ_a − θ_b‖₂.
        case parameters = "params"
        /// √((1/n) Σᵢ ‖f_a(xᵢ) − f_b(xᵢ)‖²), over the training samples.
        case outputs
        /// ‖S(θ_a − θ_b)‖ with the default ``RandomProjection``.
        case sketch
        /// The angle between the ways the two have gone since they walk together, in radians, from 0 to π; not a number where one
        /// of them has not moved.
        case angle
    }

    public let names: [String]
    public let runs: [Run]
    public let quantities: [Quantity]
    private let origins: [Vector]
    /// By quantity, then by the places of the two runs, the smaller first.
    private var distances: [Quantity: [[Int]: Series]] = [:]
    /// Up to which step of the first run they were compared.
    private var compared = -1

    /// - Parameters:
    ///   - runs: by name, in the order in which they take their steps.
    /// - Throws: `ExperimentError.invalid` for fewer than two runs, one named twice, and runs at different steps.
    public init(_ runs: [(name: String, run: Run)], comparing quantities: [Quantity]) throws {
        (names, self.runs, self.quantities) = (runs.map(\.name), runs.map(\.run), quantities)
        guard runs.count >= 2 else {
            throw ExperimentError.invalid("lockstep takes two runs or more, not \(runs.count)")
        }
        for (index, one) in runs.enumerated() {
            if runs[..<index].contains(where: { $0.run === one.run }) {
                throw ExperimentError.invalid(
                    "lockstep: '\(one.name)' is a run that is in the list already; fork it first")
            }
            if one.run.step != runs[0].run.step {
                throw ExperimentError.invalid(
                    "lockstep: '\(runs[0].name)' is at step \(runs[0].run.step), '\(one.name)' at step \(one.run.step); "
                        + "train the one that is behind first")
            }
        }
        origins = self.runs.map(\.parameters)
    }

    /// Takes `steps` steps of each run, in turns, and compares them before the first, after every `every` of them, and after the
    /// last. What ends one run ends all, with what was compared so far kept.
    /// - Parameter each: called after each step of all of them.
    public func advance(steps: Int, every: Int, each: ((_ step: Int) throws -> Void)? = nil) throws {
        try compare()
        for count in stride(from: 1, through: steps, by: 1) {
            for run in runs { try run.advance() }
            if count % max(1, every) == 0 || count == steps { try compare() }
            try each?(runs[0].step)
        }
        for run in runs { try run.file?.commit() }
    }

    private func compare() throws {
        let step = runs[0].step
        if compared == step { return }
        for quantity in quantities {
            for a in runs.indices {
                for b in runs.indices where a < b {
                    distances[quantity, default: [:]][[a, b], default: Series(name: quantity.rawValue)].append(
                        Measurement(step: step, value: try distance(quantity, a, b)))
                }
            }
        }
        compared = step
    }

    private func distance(_ quantity: Quantity, _ a: Int, _ b: Int) throws -> Double {
        if let kind = Run.DistanceKind(rawValue: quantity.rawValue) {
            return try runs[a].distance(to: runs[b], in: kind)
        }
        let ways = try [a, b].map { try (runs[$0].parameters - origins[$0]).converted(to: .f64) }
        let cosine = try ways[0].dot(ways[1]) / (ways[0].norm() * ways[1].norm())
        return acos(cosine.isNaN ? cosine : max(-1, min(1, cosine)))
    }

    /// How far two of the runs were from each other, in either order.
    /// - Throws: `ExperimentError.invalid` for a name that is none of theirs, twice the same, or a quantity that was not compared.
    public func series(_ quantity: Quantity, _ first: String, _ second: String) throws -> Series {
        let places = try [first, second].map { name in
            guard let place = names.firstIndex(of: name) else {
                throw ExperimentError.invalid(
                    "lockstep has no run '\(name)': its runs are \(names.joined(separator: ", "))")
            }
            return place
        }
        guard places[0] != places[1] else {
            throw ExperimentError.invalid("lockstep: '\(first)' twice; a run is at no distance from itself")
        }
        guard quantities.contains(quantity) else {
            throw ExperimentError.invalid(
                "lockstep did not compare '\(quantity.rawValue)' (it compared "
                    + "\(quantities.map(\.rawValue).joined(separator: ", "))): name it in 'distance'")
        }
        return distances[quantity]?[places.sorted()] ?? Series(name: quantity.rawValue)
    }
}
