import Compute
import Graph

/// tr A by Hutchinson's estimator: the mean of vᵀAv over random sign vectors v.
///
/// Its variance is 2(‖A‖²_F − Σᵢ aᵢᵢ²) a sample: exact for diagonal matrices. The standard error is that of the samples.
/// Hutchinson 1990; signs rather than normal numbers because their variance is the least possible.
///
/// - Parameters:
///   - samples: when to stop; exactly n samples are `MonteCarlo(relativeError: 0, minSamples: n, maxSamples: n)`.
///   - stream: the random signs; `dimension` words a sample.
/// - Throws: what the products throw.
public func trace(
    of matrix: some LinearOperator, samples: MonteCarlo, stream: inout RandomStream
) throws -> Estimate {
    var estimate = try samples.mean { count in
        let block = try (0..<count).map { _ in
            try Vector.rademacher(count: matrix.dimension, element: matrix.element, stream: &stream)
        }
        return try matrix.quadratic(block: block)
    }
    estimate.products = estimate.samples
    return estimate
}
