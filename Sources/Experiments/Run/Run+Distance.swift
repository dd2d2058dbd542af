import Compute
import Datasets
import Foundation
import Objectives

extension Run {
    /// How the states of two runs are compared.
    public enum DistanceKind: String, Sendable, CaseIterable {
        /// ‖θ_a − θ_b‖₂, which permuting neurons changes.
        case parameters = "params"
        /// √((1/n) Σᵢ ‖f_a(xᵢ) − f_b(xᵢ)‖²), over the same samples.
        case outputs
        /// ‖S(θ_a − θ_b)‖ with the default ``RandomProjection``, as recorded sketches are compared.
        case sketch
    }

    /// Which samples outputs are compared on.
    public enum DataPart: String, Sendable, CaseIterable { case train, test }

    /// How far this run is from another, both where they stand.
    /// - Throws: `ExperimentError.invalid` for runs that cannot be compared: other parameters, other outputs, other samples.
    public func distance(
        to other: Run, in kind: DistanceKind = .parameters, over part: DataPart = .train
    ) throws -> Double {
        switch kind {
        case .parameters: return try displacement(from: other).norm()
        case .sketch:
            let sketch = try RandomProjection()(displacement(from: other))
            return sketch.reduce(0) { $0 + $1 * $1 }.squareRoot()
        case .outputs:
            try requireSameSamples(as: other, part)
            let (mine, theirs) =
                part == .train
                ? (try evaluation(), try other.evaluation()) : (try testEvaluation(), try other.testEvaluation())
            var sum = 0.0
            for i in 0..<mine.outputs.count {
                let difference = mine.outputs[i] - theirs.outputs[i]
                sum += difference * difference
            }
            return (sum / Double(mine.losses.count)).squareRoot()
        }
    }

    private func displacement(from other: Run) throws -> Vector {
        let (mine, theirs) = (objective.model.layout, other.objective.model.layout)
        guard mine == theirs else {
            let difference: String
            if let (a, b) = zip(mine.entries, theirs.entries).first(where: { $0 != $1 }) {
                difference = "'\(a.name)' \(a.shape) here is '\(b.name)' \(b.shape) there"
            } else {
                difference = "\(mine.count) here, \(theirs.count) there"
            }
            throw ExperimentError.invalid(
                "runs '\(name)' and '\(other.name)' have different parameters: \(difference); their outputs may be compared"
            )
        }
        if parameters.element == other.parameters.element { return try parameters - other.parameters }
        return try parameters.converted(to: .f64) - other.parameters.converted(to: .f64)
    }

    /// Outputs compare sample by sample.
    private func requireSameSamples(as other: Run, _ part: DataPart) throws {
        let (width, otherWidth) = (objective.model.outputCount, other.objective.model.outputCount)
        guard width == otherWidth else {
            throw ExperimentError.invalid(
                "runs '\(name)' and '\(other.name)' have \(width) and \(otherWidth) outputs, which do not compare")
        }
        func split(of run: Run) throws -> Split {
            if part == .train { return run.data.train }
            guard let test = run.data.test else {
                throw ExperimentError.invalid("run '\(run.name)': data '\(run.data.name)' has no test samples")
            }
            return test
        }
        let (mine, theirs) = (try split(of: self), try split(of: other))
        let refusal =
            "runs '\(name)' and '\(other.name)' have different \(part == .train ? "training" : "test") samples"
        guard mine.count == theirs.count, mine.inputWidth == theirs.inputWidth else {
            throw ExperimentError.invalid(
                "\(refusal): \(mine.count) of \(mine.inputWidth) numbers, \(theirs.count) of \(theirs.inputWidth)")
        }
        let element = objective.model.inputElement
        let (rows, otherRows) = (try mine.inputs(as: element), try theirs.inputs(as: element))
        let bytes = mine.count * mine.inputWidth * element.byteCount
        let same = withExtendedLifetime((rows, otherRows)) {
            rows.base == otherRows.base || memcmp(rows.base, otherRows.base, bytes) == 0
        }
        guard same else {
            throw ExperimentError.invalid("\(refusal), though as many: give both the same data, with the same seed")
        }
    }
}

extension Series {
    /// The Euclidean distance between the lists of numbers of two series, such as the sketches of two runs, at the steps that
    /// both were measured at.
    /// - Parameter list: the name of the lists.
    /// - Throws: `ExperimentError.invalid` where a series has no such lists, or they were made in different ways.
    public func distance(to other: Series, list: String = "sketch") throws -> Series {
        for series in [self, other] where series.count > 0 && !series.arrayNames.contains(list) {
            let known = series.arrayNames.isEmpty ? "none" : series.arrayNames.joined(separator: ", ")
            throw ExperimentError.invalid("the series '\(series.name)' has no lists '\(list)' (it has \(known))")
        }
        var result = Series(name: "\(name) distance")
        var j = 0
        for (i, step) in stepList.enumerated() {
            while j < other.count, other.stepList[j] < step { j += 1 }
            guard j < other.count, other.stepList[j] == step, let mine = arrays[i], let theirs = other.arrays[j],
                let a = mine[list], let b = theirs[list]
            else { continue }
            guard a.count == b.count, mine[Self.recipe] == theirs[Self.recipe] else {
                throw ExperimentError.invalid(
                    "the lists '\(list)' of the series '\(name)' were made in different ways (\(a.count) and \(b.count) "
                        + "numbers at step \(step)): projection, dim, seed and the model must agree")
            }
            let sum = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            result.append(Measurement(step: step, value: sum.squareRoot()))
        }
        return result
    }

    /// The name of a list that tells how the others of a measurement were made: lists compare where it is the same.
    static let recipe = "recipe"
}
