import Compute
import Curvature

/// A plane to be sliced: two directions at right angles, of length 1, from an origin, and the points that lie in it or near it.
/// Coordinates are distances in parameter space.
public struct SlicePlane: Sendable {
    public let origin: Vector
    public let directions: [Vector]
    /// Names of the directions, for axes.
    public let units: [String]
    /// Of principal components: their shares of the trajectory's variance.
    public let explained: [Double]?
    public let marks: [LossSlice.Mark]
    public let marksArePath: Bool

    /// The plane through three points; the first direction goes from the origin to `first`.
    /// - Throws: `ExperimentError.invalid` where they lie on a line.
    public init(through origin: Vector, _ first: Vector, _ second: Vector) throws {
        let orthonormaliser = Orthonormaliser(dimension: origin.count, element: origin.element)
        let sides = try [first - origin, second - origin]
        guard sides.allSatisfy(\.isFinite) else {
            throw ExperimentError.invalid("a point of the plane holds nan or infinite numbers: has the run diverged?")
        }
        guard let u = try orthonormaliser.next(after: [], from: sides[0])?.vector,
            let w = try orthonormaliser.next(after: [u], from: sides[1])?.vector
        else {
            throw ExperimentError.invalid(
                "the three points lie on a line, or two are the same: to_point gives the loss along a line")
        }
        self.origin = origin
        directions = [u, w]
        units = ["distance towards the first point", "distance at right angles to it, towards the second"]
        explained = nil
        marks = try Self.marks(of: [origin, first, second], from: origin, directions)
        marksArePath = false
    }

    /// The plane through an origin along the two principal components of a trajectory. Where its points lie on a line the second
    /// direction is `fallback`, as far as it is at right angles to the line.
    /// - Parameter fallback: a direction that means something, as the gradient does.
    /// - Throws: `CurvatureError.badSetting` for fewer than two points, and points that are all the same.
    public init(from origin: Vector, principal points: [Vector], fallback: Vector) throws {
        let components = try PrincipalComponents(of: points, count: 2)
        var directions = components.directions
        var units = directions.indices.map { "distance along component \($0 + 1)" }
        if directions.count < 2 {
            let orthonormaliser = Orthonormaliser(dimension: origin.count, element: origin.element)
            var stream = RandomStream(seed: 1, purpose: .vector, index: 1 << 40 | 7)
            let random = try Vector.randomNormal(count: origin.count, element: origin.element, stream: &stream)
            guard
                let next = try orthonormaliser.next(after: directions, from: fallback)
                    ?? orthonormaliser.next(after: directions, from: random)
            else {
                throw ExperimentError.invalid("a model of one parameter has no plane: components = 1 gives the line")
            }
            directions.append(next.vector)
            units.append("distance at right angles to the trajectory's line")
        }
        self.origin = origin
        self.directions = directions
        self.units = units
        explained = components.explained + Array(repeating: 0, count: 2 - components.explained.count)
        marks = try Self.marks(of: points, from: origin, directions)
        marksArePath = true
    }

    /// The line through an origin along the first principal component.
    public init(from origin: Vector, principalLine points: [Vector]) throws {
        let components = try PrincipalComponents(of: points, count: 1)
        self.origin = origin
        directions = components.directions
        units = ["distance along component 1"]
        explained = components.explained
        marks = try Self.marks(of: points, from: origin, directions)
        marksArePath = true
    }

    private static func marks(
        of points: [Vector], from origin: Vector, _ directions: [Vector]
    ) throws -> [LossSlice.Mark] {
        try points.map { point in
            var rest = try point - origin
            let coordinates = try directions.map { try $0.dot(rest) }
            for (direction, x) in zip(directions, coordinates) { try rest.add(-x, direction) }
            return LossSlice.Mark(coordinates: coordinates, distance: rest.norm())
        }
    }

    /// The axes of a grid over all marks and the origin, and beyond them by a share of their extent on each side. A direction in
    /// which they do not differ is taken half as wide as the other.
    public func axes(points: Int, margin: Double) throws -> [LossSlice.Axis] {
        let extents = directions.indices.map { axis -> (Double, Double) in
            let places = marks.map { $0.coordinates[axis] } + [0]
            return (places.min() ?? 0, places.max() ?? 0)
        }
        let widths = extents.map { $0.1 - $0.0 }
        let widest = widths.max() ?? 0
        return try directions.indices.map { axis in
            let (low, high) = extents[axis]
            let isFlat = widths[axis] < 1e-6 * widest
            let reach = isFlat ? widest / 4 : margin * widths[axis]
            return try LossSlice.Axis(
                directions[axis], ends: (low - reach, high + reach), points: points, unit: units[axis],
                explained: explained?[axis])
        }
    }
}
