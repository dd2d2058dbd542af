import Graph

extension Symbolic {
    /// The mean over some axes and the mean squared distance to it, with extents of 1 where the axes were.
    func centred(over axes: [Int]) throws(GraphError) -> (difference: Symbolic, variance: Symbolic) {
        let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
        let difference = try self - mean(axes).reshaped(to: kept)
        return (difference, try (difference * difference).mean(axes).reshaped(to: kept))
    }

    /// (x − mean)/√(variance + ε) over the last `count` axes: layer norm without its affine map.
    public func normalized(last count: Int = 1, epsilon: Double = 1e-5) throws(GraphError) -> Symbolic {
        guard (1...Swift.max(1, shape.count)).contains(count), !shape.isEmpty else {
            throw GraphError("normalisation over the last \(count) axes of a tensor of shape \(shape)")
        }
        let (difference, variance) = try centred(over: Array(shape.indices.suffix(count)))
        return try difference * (variance + epsilon).sqrt().reciprocal()
    }

    /// Normalised within each of so many groups of channels `[C, …]`: group norm without its affine map.
    public func groupNormalized(groups: Int, epsilon: Double = 1e-5) throws(GraphError) -> Symbolic {
        guard groups >= 1, let channels = shape.first, channels % groups == 0 else {
            throw GraphError(
                "\(groups) groups of the channels of a tensor of shape \(shape): they must divide the first axis")
        }
        let count = shape.reduce(1, *) / groups
        return try reshaped(to: [groups, count]).normalized(epsilon: epsilon).reshaped(to: shape)
    }

    /// x/√(mean x² + ε) over the last axis.
    public func rootMeanSquareNormalized(epsilon: Double = 1e-5) throws(GraphError) -> Symbolic {
        guard let last = shape.indices.last else { throw GraphError("normalisation of a scalar") }
        let square = try (self * self).mean([last]).expanded(axis: -1)
        return try self * (square + epsilon).sqrt().reciprocal()
    }

    /// 1/x. A tensor is multiplied by the reciprocals of its few deviations rather than divided: derivatives of the quotient then are
    /// taken where there are few numbers.
    func reciprocal() throws(GraphError) -> Symbolic { try constant(1) / self }

    /// A vector with one number a channel, shaped to go with `[C, …]`.
    func perChannel(of x: Symbolic) throws(GraphError) -> Symbolic {
        try reshaped(to: shape + [Int](repeating: 1, count: Swift.max(0, x.shape.count - 1)))
    }
}
