import Compute
import Curvature
import Objectives

/// The loss along a line or in a plane of parameter space, on a grid: L(o + x·u), L(o + x·u + y·w).
///
/// Losses that are infinite or not a number are values like others: a corner where the network diverges.
public struct LossSlice: Sendable {
    /// One of its directions, and where on it losses were taken.
    public struct Axis: Sendable {
        /// What one unit of the coordinate goes along, not scaled to length 1.
        public var direction: Vector
        public var coordinates: [Double]
        /// What the coordinate is in: "distance along component 1".
        public var unit: String
        /// Of a principal component: its share of the trajectory's variance.
        public var explained: Double?

        /// - Parameters:
        ///   - ends: the first and the last coordinate; the others lie between them at equal distances.
        ///   - points: how many, at least two.
        /// - Throws: `ExperimentError.invalid` for fewer points, ends that are not in their order, and a direction that is not
        ///   finite.
        public init(
            _ direction: Vector, ends: (Double, Double), points: Int, unit: String, explained: Double? = nil
        ) throws {
            guard points >= 2, points <= LossSlice.mostPoints else {
                throw ExperimentError.invalid(
                    "option 'points' is \(points): a slice has 2 to \(LossSlice.mostPoints) points along each direction"
                )
            }
            guard ends.0.isFinite, ends.1.isFinite, ends.0 < ends.1 else {
                throw ExperimentError.invalid("a slice from \(ends.0) to \(ends.1): 'from' must be below 'to'")
            }
            guard direction.isFinite else {
                throw ExperimentError.invalid(
                    "a direction of the slice holds nan or infinite numbers: has the run diverged?")
            }
            self.direction = direction
            self.unit = unit
            self.explained = explained
            // Where 0 is among them it is so without rounding.
            coordinates = (0..<points).map { i in
                let share = Double(i) / Double(points - 1)
                let value = ends.0 * (1 - share) + ends.1 * share
                return abs(value) < 1e-12 * max(abs(ends.0), abs(ends.1)) ? 0 : value
            }
        }
    }

    /// A point to be marked: one of a trajectory, or of those that the plane was laid through.
    public struct Mark: Sendable {
        public var coordinates: [Double]
        /// How far the point itself lies from the slice.
        public var distance: Double

        public init(coordinates: [Double], distance: Double = 0) {
            (self.coordinates, self.distance) = (coordinates, distance)
        }
    }

    /// The largest number of points along a direction.
    public static let mostPoints = 10_000

    /// o.
    public let origin: Vector
    /// One of a line, two of a plane.
    public let axes: [Axis]
    /// The losses, of a plane row by row: the coordinate of the first axis runs fastest.
    public let losses: [Double]
    /// In the order of the trajectory, or as they were given.
    public var marks: [Mark] = []
    /// Whether they are points of a trajectory, in their order.
    public var marksArePath = false

    public var isLine: Bool { axes.count == 1 }
    /// How many of the losses are no finite numbers.
    public var notFinite: Int { losses.count { !$0.isFinite } }
    /// The smallest and the largest finite loss; nil where none is.
    public var range: ClosedRange<Double>? {
        let finite = losses.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return nil }
        return low...high
    }

    /// The parameters at these coordinates, one for each axis.
    public func point(at coordinates: [Double]) throws -> Vector {
        try Self.point(origin, axes, coordinates)
    }

    private static func point(_ origin: Vector, _ axes: [Axis], _ coordinates: [Double]) throws -> Vector {
        var point = origin
        for (axis, x) in zip(axes, coordinates) where x != 0 { try point.add(x, axis.direction) }
        return point
    }

    /// Takes the losses. Nothing of the oracle changes by it but what has been counted as its work.
    /// - Parameters:
    ///   - axes: one or two.
    ///   - selection: the samples that the loss is of.
    /// - Throws: what evaluating throws.
    public init(
        from origin: Vector, along axes: [Axis], of oracle: Oracle, over selection: BatchSelection = .all
    ) throws {
        precondition((1...2).contains(axes.count), "a slice has one direction or two")
        self.origin = origin
        self.axes = axes
        let rows = axes.count == 2 ? axes[1].coordinates : [0]
        var losses: [Double] = []
        losses.reserveCapacity(rows.count * axes[0].coordinates.count)
        for y in rows {
            for x in axes[0].coordinates {
                try Cancellation.check()
                let point = try Self.point(origin, axes, axes.count == 2 ? [x, y] : [x])
                losses.append(try oracle.evaluate(at: point, over: selection, keepingOutputs: false).loss)
            }
        }
        self.losses = losses
    }
}
