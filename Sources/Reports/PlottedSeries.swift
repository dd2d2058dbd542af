/// Measured values over x. Where a value is not finite (or not positive on a logarithmic axis) the line has a gap, and the figure a note.
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
    /// In place of errors, where the band or bar of each value ends: quartiles over seeds, say.
    public var band: (low: [Double], high: [Double])?
    public var style: Style
    /// The number of the colour in the palette; `nil`: the next one of the panel. Series that belong together in several
    /// panels are given one colour.
    public var colour: Int?
    /// The number of the dash pattern, 0 for an unbroken line.
    public var dashes = 0

    public init(
        name: String, x: [Double], y: [Double], errors: [Double]? = nil, band: (low: [Double], high: [Double])? = nil,
        style: Style = .line, colour: Int? = nil, dashes: Int = 0
    ) {
        (self.name, self.x, self.y, self.errors, self.band) = (name, x, y, errors, band)
        (self.style, self.colour, self.dashes) = (style, colour, dashes)
    }

    func check() throws(ReportError) {
        let lengths = [errors?.count, band?.low.count, band?.high.count].compactMap { $0 }
        guard x.count == y.count, lengths.allSatisfy({ $0 == y.count }) else {
            let more =
                errors.map { " and \($0.count) errors" }
                ?? band.map { " and a band of \($0.low.count) and \($0.high.count)" }
            throw ReportError("series '\(name)' has \(x.count) x values, \(y.count) y values" + (more ?? ""))
        }
    }
}
