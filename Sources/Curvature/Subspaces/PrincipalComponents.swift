import Compute
import Graph

/// The directions along which points of a trajectory differ most: the eigenvectors of their covariance, from that of their inner
/// products, since points are few and coordinates many (Pearson 1901).
public struct PrincipalComponents: Sendable {
    /// Unit vectors, orthogonal to each other, of the largest variance first; each turned from the first point towards the last. Fewer
    /// than asked for where the points span fewer dimensions.
    public let directions: [Vector]
    /// Which share of the points' variance lies along each of them.
    public let explained: [Double]

    /// Below this part of the variance a direction is made of rounding.
    private static let smallestShare = 1e-13

    /// - Parameter count: how many directions, at most.
    /// - Throws: ``CurvatureError/badSetting(_:)`` for fewer than two points, or points that are all the same;
    ///   ``CurvatureError/notFinite(what:)``; `VectorError` for points of different spaces.
    public init(of points: [Vector], count: Int) throws {
        guard points.count >= 2 else {
            throw CurvatureError.badSetting(
                "\(points.count) point\(points.count == 1 ? "" : "s") of a trajectory: principal components take two at least"
            )
        }
        for (index, point) in points.enumerated() where !point.isFinite {
            throw CurvatureError.notFinite(what: "point \(index + 1) of the trajectory")
        }
        let n = points.count
        let mean = try VectorBlock.combinations(
            points, DenseMatrix(rows: n, columns: 1, values: Array(repeating: 1 / Double(n), count: n)))[0]
        let deviations = try points.map { try $0 - mean }
        let eigen = DenseEigen(symmetric: try VectorBlock.dots(deviations, deviations))
        let variance = eigen.values.reduce(0) { $0 + max(0, $1) }
        // The mean of points that are the same differs from them by rounding.
        let rounding = (mean.element == .f32 ? 1e-6 : 1e-14) * mean.norm()
        guard let largest = eigen.values.first, largest > max(rounding * rounding, .leastNormalMagnitude) else {
            throw CurvatureError.badSetting(
                "the \(n) points of the trajectory are all the same: they have no direction")
        }
        let orthonormaliser = Orthonormaliser(dimension: mean.count, element: mean.element)
        let way = try points[n - 1] - points[0]
        var directions: [Vector] = []
        var explained: [Double] = []
        for index in 0..<min(count, n) where eigen.values[index] > Self.smallestShare * largest {
            let column = DenseMatrix(rows: n, columns: 1, values: eigen.vectors.column(index))
            let combined = try VectorBlock.combinations(deviations, column)[0]
            guard let next = try orthonormaliser.next(after: directions, from: combined) else { break }
            directions.append(try way.dot(next.vector) < 0 ? -1 * next.vector : next.vector)
            explained.append(eigen.values[index] / variance)
        }
        self.directions = directions
        self.explained = explained
    }
}
