import Compute
import Foundation

/// The largest principal angle between the spaces of two orthonormal families of as many vectors each, in radians from 0 to π/2:
/// how far the first space has to be turned to become the second. For one vector each, the angle between two lines.
///
/// By sine and cosine, so that it is exact to rounding for small angles and large ones (Björck and Golub 1973).
///
/// - Throws: `CurvatureError` where the numbers of vectors differ or are 0; `VectorError` for vectors of different spaces;
///   `MemoryError`.
public func largestPrincipalAngle(between u: [Vector], and v: [Vector]) throws -> Double {
    guard u.count == v.count, !u.isEmpty else {
        throw CurvatureError.badSetting(
            "an angle between a space of \(u.count) and one of \(v.count) dimensions: both need the same number, at least 1"
        )
    }
    let overlaps = try VectorBlock.dots(u, v)
    // The part of v outside of the first space: its norm is the sine.
    var outside = v
    _ = try Orthonormaliser.project(&outside, outOf: u)
    let sine = DenseEigen(symmetric: try VectorBlock.dots(outside, outside)).values.first ?? 0
    let cosine = DenseEigen(symmetric: overlaps.transposed.times(overlaps)).values.last ?? 0
    return atan2(max(0, sine).squareRoot(), max(0, cosine).squareRoot())
}
