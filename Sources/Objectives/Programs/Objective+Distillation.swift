import Graph
import Networks

extension Objective {
    /// ℓ(f, y) + λτ²·KL(softmax(z/τ) ‖ softmax(f/τ)): the loss, and how far the outputs f are from outputs z that the sample had
    /// before, or has elsewhere. The target is one row: y, z, then λ, 0 for a sample that has no z.
    /// - Parameter temperature: τ.
    /// - Throws: `GraphError` for a network whose outputs are not one row of classes.
    public func distilling(temperature: Double) throws -> Objective {
        guard model.outputShape.count == 1, model.outputCount > 1, positions.isEmpty else {
            throw GraphError(
                "\(model.name) has outputs of shape \(model.outputShape): distillation compares those of one row of classes, "
                    + "two or more")
        }
        let (own, classes) = (targetShape.reduce(1, *), model.outputCount)
        return try Objective(
            model: model, lossName: "\(lossName), distilled", targetShape: [own + classes + 1]
        ) { output, row in
            func part(_ range: Range<Int>, _ shape: [Int]) throws(GraphError) -> Symbolic {
                try row.with(Slice(starts: [range.lowerBound], limits: [range.upperBound], strides: [1]))
                    .reshaped(to: shape)
            }
            let target = try part(0..<own, targetShape)
            let reference = try part(own..<own + classes, [classes])
            let weight = try part(own + classes..<own + classes + 1, [])
            let loss = Symbolic(
                row.builder.inline(losses, inputs: [output.value, target.value])[0], in: row.builder)
            let before = try ((1 / temperature) * reference).logSoftmax()
            let now = try ((1 / temperature) * output).logSoftmax()
            let divergence = try (before.exp() * (before - now)).sum()
            return try loss + temperature * temperature * (weight * divergence)
        }
    }
}
