import Compute
import Graph
import Objectives

/// tr A = tr QᵀAQ + tr (I − QQᵀ)A(I − QQᵀ) with Q an orthonormal basis of AS for random signs S: the first part exactly, by
/// block products, the second by Hutchinson's estimator, by quadratic forms. The error bar is that of the second part; given
/// Q it is unbiased.
///
/// With a fixed number of products a third each goes to AS, AQ and the quadratic forms. With an error to reach Q grows
/// until the quadratic forms that are still needed by then, told from the norm of what new columns of AS have outside of Q,
/// are as few as Q has columns. Meyer, Musco, Musco & Woodruff 2021; the growth is in the manner of Persson, Cortinovis &
/// Kressner 2022.
func hutchPlusPlus(
    _ matrix: some LinearOperator, _ samples: MonteCarlo, _ stream: inout RandomStream
) throws -> Estimate {
    let watch = Stopwatch()
    let largestRank = max(1, min(samples.maxSamples / 3, matrix.dimension / 6))
    let step = min(largestRank, max(1, samples.relativeError > 0 ? samples.minSamples / 3 : largestRank))
    let orthonormaliser = Orthonormaliser(dimension: matrix.dimension, element: matrix.element)
    var basis: [Vector] = []
    var known = 0.0
    var products = 0
    var rank = 0
    while rank < largestRank, basis.count < matrix.dimension {
        let count = min(step, largestRank - rank)
        var image = try matrix.products(signs(count, matrix, &stream))
        rank += count
        products += count
        // E‖(I − QQᵀ)As‖² = ‖(I − QQᵀ)A‖²_F for signs s that Q knows nothing of: at least the remainder's norm.
        var outside = 0.0
        for w in image { outside += w.squaredNorm }
        let c = try VectorBlock.dots(basis, image)
        outside -= c.values.reduce(0) { $0 + $1 * $1 }
        let remainder = max(0, outside) / Double(count)
        let old = basis.count
        for w in image {
            if let next = try orthonormaliser.next(after: basis, from: w) { basis.append(next.vector) }
        }
        image = []
        let new = Array(basis[old...])
        guard !new.isEmpty else { break }
        for (q, aq) in try zip(new, matrix.products(new)) { known += try q.dot(aq) }
        products += new.count
        let goal = samples.relativeError * abs(known)
        if samples.relativeError > 0, 2 * remainder <= goal * goal * Double(basis.count) { break }
    }
    let left = max(2, samples.maxSamples - products)
    let rule = try MonteCarlo(
        relativeError: samples.relativeError, minSamples: min(left, max(2, samples.minSamples - products)),
        maxSamples: left, chunk: samples.chunk)
    var estimate = try quadraticMean(matrix, rule) { count in
        var block = try signs(count, matrix, &stream)
        let c = try VectorBlock.dots(basis, block)
        _ = try VectorBlock.subtract(basis, times: c, from: &block)
        return try matrix.quadratics(block).map { $0 + known }
    }
    estimate.products += products
    estimate.seconds = watch.seconds
    return estimate
}
