/// A figure: one or more panels in a grid, with a common title. It is drawn by gnuplot.
public struct Figure: Sendable {
    public var title: String
    /// The panels, row by row.
    public var panels: [Panel]
    /// How many panels stand side by side.
    public var columns: Int
    /// Width and height in pixels (for pdf 1/96 inch); `nil`: 900 wide, 520 high for one row and 320 more for each further row.
    public var size: (width: Int, height: Int)?

    public init(title: String = "", panels: [Panel], columns: Int = 1, size: (width: Int, height: Int)? = nil) {
        (self.title, self.panels, self.columns, self.size) = (title, panels, columns, size)
    }

    /// The number of rows of the grid.
    var rows: Int { (panels.count + columns - 1) / max(1, columns) }

    var pixels: (width: Int, height: Int) { size ?? (900, 520 + 320 * (rows - 1)) }
}

/// One pair of axes with what is drawn on them.
public struct Panel: Sendable {
    public enum Scale: Sendable {
        case linear
        /// Only positive values are drawn.
        case log
    }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    public var xScale: Scale
    public var yScale: Scale
    /// What is shown; `nil`: all points.
    public var xRange: ClosedRange<Double>?
    public var yRange: ClosedRange<Double>?
    public var series: [PlottedSeries]
    public var references: [ReferenceLine]
    /// Places on the x axis marked by a thin vertical line, such as the step of a switch.
    public var marks: [Double]
    /// Places on the x axis to compare with, drawn dashed and named in the legend; always within the range shown.
    public var verticals: [VerticalLine]
    /// What lies under everything else; the axes are to be its ``Surface/ends``.
    public var surface: Surface?

    public init(
        title: String = "", xLabel: String = "", yLabel: String = "", xScale: Scale = .linear, yScale: Scale = .linear,
        xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, series: [PlottedSeries] = [],
        references: [ReferenceLine] = [], marks: [Double] = [], verticals: [VerticalLine] = [],
        surface: Surface? = nil
    ) {
        (self.title, self.xLabel, self.yLabel) = (title, xLabel, yLabel)
        (self.xScale, self.yScale, self.xRange, self.yRange) = (xScale, yScale, xRange, yRange)
        (self.series, self.references, self.marks, self.verticals) = (series, references, marks, verticals)
        self.surface = surface
    }
}

/// A curve to compare with, drawn dashed: a value that holds from each `x` to the next one and from the last to the axis' end, such
/// as the stability edge 2/η while the learning rate η is switched. With `upper` it is a band between two such curves.
public struct ReferenceLine: Sendable {
    public var name: String
    public var x: [Double]
    public var y: [Double]
    /// The upper side of a band, at each `x`; where it is `y`, the band is a line.
    public var upper: [Double]?

    /// A staircase; `x` ascends.
    public init(name: String, x: [Double], y: [Double], upper: [Double]? = nil) {
        (self.name, self.x, self.y, self.upper) = (name, x, y, upper)
    }

    /// One value everywhere.
    public init(name: String, value: Double) {
        self.init(name: name, x: [-.infinity], y: [value])
    }
}

/// A place on the x axis to compare with, such as the stability edge in a spectrum.
public struct VerticalLine: Sendable {
    public var name: String
    public var x: Double

    public init(name: String, x: Double) { (self.name, self.x) = (name, x) }
}

/// Why a figure could not be drawn.
public struct ReportError: Error, Hashable, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
