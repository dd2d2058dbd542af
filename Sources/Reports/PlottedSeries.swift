/// Measured values over x. Where a value is not finite (or not positive on a logarithmic axis) the line has a gap.
public struct PlottedSeries: Sendable {
    public enum Style: Sendable {
        /// A line, with dots where there are few points.
        case line
        /// Dots alone.
        case points
        /// Dots on stems that stand on the x axis: single values such as eigenvalues.
        case stems
        /// A line through the points in their order, wherever it leads, with a dot at each: a trajectory on a surface.
        case path
    }

    public var name: String
    public var x: [Double]
    public var y: [Double]
    /// Standard errors of `y`: a band about a line, bars at points. Those that are not finite or not positive are left out.
    public var errors: [Double]?
    public var style: Style
    /// The number of the colour in the palette; `nil`: the next one of the panel. Series that belong together in several
    /// panels are given one colour.
    public var colour: Int?

    public init(
        name: String, x: [Double], y: [Double], errors: [Double]? = nil, style: Style = .line, colour: Int? = nil
    ) {
        (self.name, self.x, self.y, self.errors) = (name, x, y, errors)
        (self.style, self.colour) = (style, colour)
    }
}
