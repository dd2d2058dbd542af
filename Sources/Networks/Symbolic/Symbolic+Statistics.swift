import Graph

// What is made of all elements along some axes (from 0; by default all), in operations whose derivatives are right at every point
// to every order that exists.

extension Symbolic {
    /// −1, 0 or 1; its derivative is taken as 0.
    public func sign() throws(GraphError) -> Symbolic { try with(Sign()) }

    /// The product. By halves, without a division: right where elements are 0.
    public func product(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "product")
        if axes.isEmpty { return self }
        var x = try lastly(axes)
        let rows = Array(x.shape.dropLast())
        let last = rows.count
        var odd: Symbolic?
        while x.shape[last] > 1 {
            let (count, half) = (x.shape[last], x.shape[last] / 2)
            if count % 2 == 1 {
                let end = try x.slice(axis: last, from: count - 1, to: count)
                odd = if let factor = odd { try factor * end } else { end }
            }
            x = try x.slice(axis: last, from: 0, to: half) * x.slice(axis: last, from: half, to: 2 * half)
        }
        if let odd { x = try x * odd }
        return try x.reshaped(to: rows)
    }

    /// √Σx². Where all elements are 0 all derivatives are taken as 0. The sum is of x over the largest magnitude, which is a
    /// constant to derivatives (the function does not depend on it), so that no square leaves the range of the element type.
    public func norm(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "norm")
        let (zero, one) = (try constant(0), try constant(1))
        let largest = try abs().max(axes).detached()
        let above = try largest.selected(where: largest.compared(.gt, to: zero), otherwise: one)
        let scale = try above.selected(where: above.compared(.lt, to: constant(.infinity)), otherwise: one)
        let y = try self / scale.reshaped(to: shape.indices.map { axes.contains($0) ? 1 : shape[$0] })
        let sum = try (y * y).sum(axes)
        // Of nan too: it is not equal to 0. The root is taken of 1 where the sum is 0, and not chosen.
        let isPositive = try sum.compared(.ne, to: zero)
        let root = try sum.selected(where: isPositive, otherwise: one).sqrt()
        return try (scale * root).selected(where: isPositive, otherwise: zero)
    }

    /// The mean of (x − mean)², without a correction for the mean.
    public func variance(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let difference = try deviations(axes)
        return try (difference * difference).mean(axes)
    }

    /// The root of the variance; where all elements are equal its derivatives are taken as 0.
    public func standardDeviation(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "standard deviation")
        let count = axes.reduce(1) { $0 * shape[$1] }
        return try (1 / Double(count).squareRoot()) * deviations(axes).norm(axes)
    }

    private func deviations(_ axes: [Int]?) throws(GraphError) -> Symbolic {
        let mean = try mean(axes)
        return try self - mean.reshaped(to: shape.indices.map { axes?.contains($0) ?? true ? 1 : shape[$0] })
    }

    /// The most elements of a ``median(_:)``, which compares each with each.
    public static let mostOfMedian = 4096

    /// The median: the middle element, or the mean of the two in the middle; nan where one is. Its derivative is that of these
    /// elements; of equal ones the first are taken as smaller.
    public func median(_ axes: [Int]? = nil) throws(GraphError) -> Symbolic {
        let axes = try checked(axes, "median")
        if axes.isEmpty { return self }
        let x = try lastly(axes)
        let rows = Array(x.shape.dropLast())
        guard let count = x.shape.last, count <= Self.mostOfMedian else {
            throw GraphError(
                "median of \(x.shape.last ?? 0) elements of a tensor of shape \(shape): it compares each with each, and takes at most \(Self.mostOfMedian)"
            )
        }
        let own = try x.reshaped(to: rows + [count, 1])
        let other = try x.reshaped(to: rows + [1, count])
        func place(_ dimension: Int) throws(GraphError) -> Symbolic {
            try Symbolic(
                builder.apply(Iota(type: TensorType(.i32, [count, count]), dimension: dimension)), in: builder)
        }
        let isBefore = try place(1).compared(.lt, to: place(0)).with(Convert(to: type.element))
        let isSmaller = try other.compared(.lt, to: own).with(Convert(to: type.element))
        let isEqual = try other.compared(.eq, to: own).with(Convert(to: type.element))
        let rank = try (isSmaller + isEqual * isBefore).sum([rows.count + 1])
        let zero = try constant(0)
        func element(_ place: Int) throws(GraphError) -> Symbolic {
            let isHere = try rank.compared(.eq, to: constant(Double(place)))
            return try x.selected(where: isHere, otherwise: zero).sum([rows.count])
        }
        let middle =
            try count % 2 == 1
            ? element(count / 2) : 0.5 * element(count / 2 - 1) + 0.5 * element(count / 2)
        let strangers = try x.compared(.ne, to: x).with(Convert(to: type.element)).sum([rows.count])
        return try middle.selected(where: strangers.compared(.eq, to: zero), otherwise: constant(.nan))
    }

    /// The tensor with some axes as one axis, which is the last.
    private func lastly(_ axes: [Int]) throws(GraphError) -> Symbolic {
        let kept = shape.indices.filter { !axes.contains($0) }
        let count = axes.reduce(1) { $0 * shape[$1] }
        let order = kept + axes
        let turned = order == Array(shape.indices) ? self : try transposed(order)
        return try turned.reshaped(to: kept.map { shape[$0] } + [count])
    }
}
