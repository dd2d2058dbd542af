import Graph

/// Which mean and variance normalisation layers work with.
public enum StatisticsUse: String, Sendable, Hashable, CaseIterable {
    /// Those of the batch, through which derivatives go: training.
    case batch
    /// The running values, which are constants: evaluation.
    case running
}

/// Given to a model's `forward`: the moments of activations over a batch.
///
/// A network is traced for one sample; `BatchMean` stands for the mean over the batch that the sample will be part of. Where a
/// model has statistics, `forward` is traced twice: with the batch's own moments, and with the running ones as inputs.
public final class BatchStatistics {
    public let use: StatisticsUse
    private let declared: [Model.Statistic]
    /// For each statistic asked for: its moments, and how many elements of one sample they are taken over.
    private(set) var moments: [String: (mean: Value, variance: Value, elements: Int)] = [:]

    init(_ use: StatisticsUse, declared: [Model.Statistic]) {
        self.use = use
        self.declared = declared
    }

    /// Mean and biased variance of `x` over the batch and over `axes` (from 0) of one sample; both have the shape of the
    /// remaining axes.
    /// - Parameter name: one of the model's statistics: `bn1` for running values `bn1.running_mean` and `bn1.running_var`.
    /// - Throws: `GraphError` for a name that is not declared, has another shape or is asked for twice.
    public func moments(
        _ name: String, of x: Symbolic, over axes: [Int]
    ) throws -> (mean: Symbolic, variance: Symbolic) {
        guard let statistic = declared.first(where: { $0.name == name }) else {
            let known = declared.map { "'\($0.name)'" }.joined(separator: ", ")
            throw GraphError(
                "batch statistics '\(name)' are not among the model's: it has \(known.isEmpty ? "none" : known)")
        }
        if moments[name] != nil {
            throw GraphError("batch statistics '\(name)' are used twice: each use needs its own")
        }
        for axis in axes where !x.shape.indices.contains(axis) {
            throw GraphError("batch statistics '\(name)' over axis \(axis + 1) of a tensor of shape \(x.shape)")
        }
        let kept = x.shape.indices.filter { !axes.contains($0) }
        let shape = kept.map { x.shape[$0] }
        guard shape == statistic.shape else {
            throw GraphError(
                "batch statistics '\(name)' have shape \(statistic.shape), a sample of shape \(x.shape) has moments of "
                    + "shape \(shape)")
        }
        let elements = axes.reduce(1) { $0 * x.shape[$1] }
        guard elements > 0 else { throw GraphError("batch statistics '\(name)' of no elements: shape \(x.shape)") }
        let result: (mean: Symbolic, variance: Symbolic)
        switch use {
        case .batch:
            // Two passes: the variance of numbers far from zero keeps its digits.
            let share = 1 / Double(elements)
            let mean = try share * x.sum(axes).with(BatchMean())
            let spread = axes.reduce(into: x.shape) { $0[$1] = 1 }
            let difference = try x - mean.reshaped(to: spread)
            result = (mean, try share * (difference * difference).sum(axes).with(BatchMean()))
        case .running:
            let type = TensorType(x.type.element, shape)
            result = (
                Symbolic(x.builder.input(statistic.meanName, type), in: x.builder),
                Symbolic(x.builder.input(statistic.varianceName, type), in: x.builder)
            )
        }
        moments[name] = (result.mean.value, result.variance.value, elements)
        return result
    }

    /// - Throws: `GraphError` that names a statistic which `forward` did not ask for.
    func checkAllWereUsed(by model: String) throws(GraphError) {
        if let idle = declared.first(where: { moments[$0.name] == nil }) {
            throw GraphError("\(model) declares batch statistics '\(idle.name)' and does not use them")
        }
    }
}

extension Model {
    /// The running mean and variance of one normalisation layer, as PyTorch's `BatchNorm` keeps them.
    public struct Statistic: Sendable, Hashable {
        /// The layer: `bn1`, `layer1.0.bn2`.
        public let name: String
        /// One mean and one variance for each channel: `[C]`.
        public let shape: [Int]

        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }

        public var meanName: String { "\(name).running_mean" }
        public var varianceName: String { "\(name).running_var" }
    }

    /// The weight of a new batch in the running values (PyTorch's default).
    public static let statisticsMomentum = 0.1
}
