/// A figure: one or more panels in a grid, with a common title. It is drawn by gnuplot.
public struct Figure: Sendable {
    public var title: String
    /// The panels, row by row.
    public var panels: [Panel]
    /// How many panels stand side by side.
    public var columns: Int
    /// Width and height in pixels (for pdf 1/96 inch); `nil`: 900 wide, 520 high for one row and 320 more for each further row.
    public var size: (width: Int, height: Int)?
    /// Of tics, labels and legend, in pixels.
    public var fontSize = 13.0
    /// Sentences below the panels, beside those that say what of the panels could not be drawn.
    public var notes: [String] = []

    public init(title: String = "", panels: [Panel], columns: Int = 1, size: (width: Int, height: Int)? = nil) {
        (self.title, self.panels, self.columns, self.size) = (title, panels, columns, size)
    }

    /// The number of rows of the grid.
    var rows: Int { (panels.count + columns - 1) / max(1, columns) }

    var pixels: (width: Int, height: Int) { size ?? (900, 520 + 320 * (rows - 1)) }

    /// Widths at which figures are printed.
    public enum Width: Sendable {
        /// A column of a journal, 86 mm.
        case column
        /// Both columns, 178 mm.
        case page
        case millimetres(Double)
    }

    /// Sets the figure for print: in its final size, with letters of 8 points.
    /// - Parameter height: of all panels together, in millimetres; by default in proportion to the width.
    public mutating func set(to width: Width, height: Double? = nil) {
        let millimetres =
            switch width {
            case .column: 86.0
            case .page: 178.0
            case .millimetres(let own): own
            }
        let pixel = 25.4 / 96
        let wide = millimetres / pixel
        let unit = 8 / 72.0 * 96
        // Axes half as high as wide, less so where there are several, and the room of what is written about them.
        let axes = wide / Double(max(1, columns)) * (0.5 + 0.42 * Double(rows - 1))
        let high = height.map { $0 / pixel } ?? axes + Double(rows) * 6.2 * unit
        (size, fontSize) = ((Int(wide.rounded()), Int(high.rounded())), unit)
    }
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
    /// What is shown; an end that is infinite is left to the values. `nil`: all points; but of y, where a few would make a flat line
    /// of the rest, not those (``RobustRange``).
    public var xRange: ClosedRange<Double>?
    public var yRange: ClosedRange<Double>?
    public var series: [PlottedSeries]
    public var references: [ReferenceLine]
    /// Places on the x axis marked by a thin vertical line, such as the step of a switch.
    public var marks: [PanelMark]
    /// Places on the x axis to compare with, drawn dashed and named in the legend; always within the range shown.
    public var verticals: [VerticalLine]
    /// Whether values beyond the y axis are marked at its border; not where they are meant to be cut off, as a density near 0.
    public var marksBeyond = true
    /// What lies under everything else; the axes are to be its ``Surface/ends``.
    public var surface: Surface?

    public init(
        title: String = "", xLabel: String = "", yLabel: String = "", xScale: Scale = .linear, yScale: Scale = .linear,
        xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil, series: [PlottedSeries] = [],
        references: [ReferenceLine] = [], marks: [PanelMark] = [], verticals: [VerticalLine] = [],
        surface: Surface? = nil
    ) {
        (self.title, self.xLabel, self.yLabel) = (title, xLabel, yLabel)
        (self.xScale, self.yScale, self.xRange, self.yRange) = (xScale, yScale, xRange, yRange)
        (self.series, self.references, self.marks, self.verticals) = (series, references, marks, verticals)
        self.surface = surface
    }
}

/// Where something was changed.
public struct PanelMark: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public var x: Double
    /// What; stands above the axes where there is room.
    public var name: String
    /// The number of a colour in the palette; `nil`: grey.
    public var colour: Int?

    public init(x: Double, name: String = "", colour: Int? = nil) {
        (self.x, self.name, self.colour) = (x, name, colour)
    }
    public init(integerLiteral value: Int) { self.init(x: Double(value)) }
    public init(floatLiteral value: Double) { self.init(x: value) }
}

/// A curve to compare with, drawn dashed: a value that holds from each `x` to the next one and from the last to the axis' end, such
/// as the stability edge 2/η while the learning rate η is switched. With `upper` it is a band between two such curves.
public struct ReferenceLine: Sendable {
    public var name: String
    public var x: [Double]
    public var y: [Double]
    /// The upper side of a band, at each `x`; where it is `y`, the band is a line.
    public var upper: [Double]?
    /// The number of the colour in the palette, that of the series it belongs to; `nil`: nearly black.
    public var colour: Int?
    /// Whether the axis reaches it wherever it is; else only where it does not lie far from all series.
    public var isAlwaysShown = true

    /// A staircase; `x` ascends.
    public init(name: String, x: [Double], y: [Double], upper: [Double]? = nil, colour: Int? = nil) {
        (self.name, self.x, self.y, self.upper, self.colour) = (name, x, y, upper, colour)
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
