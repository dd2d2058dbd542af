import Datasets
import Graph
import Networks
import Objectives

extension Objective {
    /// The objective of a model on a data set with one of our losses.
    /// - Throws: `GraphError` where outputs, targets and loss do not fit.
    public init(model: Model, loss: LossName, data: Dataset) throws {
        try self.init(
            model: model, loss: loss, targetShape: Self.targetShape(model, data), positions: Self.positions(data))
    }

    /// As above, with a loss of the caller's. It gives a scalar, or for labelled sequences one number for each place.
    public init(
        model: Model, lossName: String, data: Dataset, loss: (_ output: Symbolic, _ target: Symbolic) throws -> Symbolic
    ) throws {
        try self.init(
            model: model, lossName: lossName, targetShape: Self.targetShape(model, data),
            positions: Self.positions(data), loss: loss)
    }

    /// A target has the shape of the output where their sizes agree.
    private static func targetShape(_ model: Model, _ data: Dataset) -> [Int] {
        data.targetShape.reduce(1, *) == model.outputCount ? model.outputShape : data.targetShape
    }

    /// The mean goes over each place that has a label of its own.
    private static func positions(_ data: Dataset) -> [Int] {
        data.train.labels != nil && data.train.labelsPerSample > 1 ? [data.train.labelsPerSample] : []
    }

    /// - Throws: `GraphError` that names the first sample whose target the loss cannot take. Labels always can be taken.
    func checkTargets(of split: Split, called name: String) throws {
        guard let loss, split.labels == nil else { return }
        let targets = try split.targets(as: model.element)
        let range = loss.targetRange
        try withExtendedLifetime(targets) {
            for i in 0..<targets.count * targets.width {
                let value =
                    targets.element == .f64
                    ? targets.base.load(fromByteOffset: i * 8, as: Double.self)
                    : Double(targets.base.load(fromByteOffset: i * 4, as: Float.self))
                if range.contains(value) { continue }
                throw GraphError(
                    "loss '\(lossName)' takes \(range.text); sample \(i / targets.width + 1) of the \(name) has "
                        + "the target \(value)")
            }
        }
    }
}
