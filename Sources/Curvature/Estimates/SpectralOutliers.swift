/// Eigenvalues that stand apart from the bulk of a spectrum, as far as the quadrature tells.
public struct SpectralOutlier: Sendable {
    /// The mean of the Ritz values of the random vectors.
    public let value: Double
    /// The largest of their residuals: for each vector an eigenvalue lies within this of its Ritz value.
    public let residual: Double
    /// How many eigenvalues are there: p times the weight. A vector has a random share of each, so a few vectors tell a
    /// single eigenvalue from many, not one from two: the standard error is about √(2m/vectors) for m eigenvalues.
    public let multiplicity: Estimate

    public init(value: Double, residual: Double, multiplicity: Estimate) {
        self.value = value
        self.residual = residual
        self.multiplicity = multiplicity
    }
}

extension SpectralDensity {
    /// The eigenvalues that stand apart at either end of the spectrum, largest first.
    ///
    /// Counted from an end inwards, a Ritz value belongs to an outlier while every random vector has found it and its residual
    /// is small; Ritz values nearer to each other than `tolerance` of the norm are one. Outliers end at the last gap that is
    /// wider than `separation`, and hold a tenth of the weight at most: the ends of a continuous bulk converge too, but
    /// without a gap.
    ///
    /// - Parameters:
    ///   - separation: the least gap, in units of eigenvalues; by default three times ``defaultWidth``, where the density
    ///     drawn shows a peak of its own.
    ///   - tolerance: the largest residual, relative to the largest absolute value of the support.
    public func outliers(separation: Double? = nil, tolerance: Double = 0.01) -> [SpectralOutlier] {
        let (lower, upper) = support
        let scale = max(abs(lower), abs(upper))
        let gap = separation ?? 3 * defaultWidth
        let rules = zip(zip(nodes, weights), residuals).map { rule, residuals in
            zip(zip(rule.0, rule.1), residuals).map { Ritz(value: $0.0, weight: $0.1, residual: $1) }
        }
        let top = outermost(rules.map { $0.reversed() }, gap: gap, radius: tolerance * scale)
        // The other end of A is the top of −A.
        let mirrored = rules.map { $0.map { Ritz(value: -$0.value, weight: $0.weight, residual: $0.residual) } }
        let bottom = outermost(mirrored, gap: gap, radius: tolerance * scale).map {
            SpectralOutlier(value: -$0.value, residual: $0.residual, multiplicity: $0.multiplicity)
        }
        return top + bottom.reversed()
    }

    private struct Ritz {
        let value: Double
        let weight: Double
        let residual: Double
    }

    /// The outliers at the top of descending Ritz values, largest first.
    private func outermost(_ rules: [[Ritz]], gap: Double, radius: Double) -> [SpectralOutlier] {
        var rest = rules
        var found: [SpectralOutlier] = []
        var kept = 0
        var share = 0.0
        while let first = rest.compactMap(\.first?.value).max() {
            let clusters = rest.map { rule in Array(rule.prefix { $0.value >= first - radius }) }
            let members = clusters.joined()
            guard !clusters.contains(where: \.isEmpty), members.allSatisfy({ $0.residual <= radius }) else { break }
            let weights = clusters.map { $0.reduce(0) { $0 + $1.weight } }
            let mean = weights.reduce(0, +) / Double(weights.count)
            share += mean
            // Of the function that is 1 on the cluster and 0 elsewhere.
            let error = SphereMoments(
                weights.map { [(value: 1, weight: $0), (value: 0, weight: 1 - $0)] }, mean: mean, dimension: dimension)
            guard share <= 0.1 else { break }
            let p = Double(dimension)
            found.append(
                SpectralOutlier(
                    value: members.reduce(0) { $0 + $1.value } / Double(members.count),
                    residual: members.reduce(0) { max($0, $1.residual) },
                    multiplicity: Estimate(
                        value: p * mean, standardError: isExact ? 0 : p * error.error, samples: rules.count,
                        products: products, seconds: seconds, degreesOfFreedom: error.degrees)))
            let lowest = members.reduce(first) { min($0, $1.value) }
            rest = zip(rest, clusters).map { Array($0.dropFirst($1.count)) }
            guard let next = rest.compactMap(\.first?.value).max() else { break }
            if lowest - next > gap { kept = found.count }
        }
        return Array(found.prefix(kept))
    }
}
