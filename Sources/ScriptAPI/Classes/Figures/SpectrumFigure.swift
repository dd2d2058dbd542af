import Compute
import Curvature
import Dynamics
import Experiments
import Foundation
import LuaBridge
import Networks
import Objectives
import Reports

/// The density of a spectrum on a logarithmic axis, with its standard error as a band, single eigenvalues as stems, and the
/// stability edge.
struct SpectrumFigure {
    static let options: [Parameter] = [
        .optional("title", .string, "Above the figure."),
        .optional(
            "width", .number(.positive),
            "The standard deviation that each node is drawn with, in units of eigenvalues; the range over 200 by default."
        ),
        .optional("from", .number(.finite), "The axis begins at this eigenvalue."),
        .optional("to", .number(.finite), "The axis ends at this eigenvalue."),
    ]

    private let title: String?
    private let width: Double?
    private let from: Double?
    private let to: Double?

    /// With the defaults.
    init() { (title, width, from, to) = (nil, nil, nil, nil) }

    /// Reads the options of a call.
    init(_ call: borrowing LuaCall) throws {
        title = try call.get("title")
        width = try call.get("width")
        from = try call.get("from")
        to = try call.get("to")
    }

    /// How far an edge may lie beyond the largest eigenvalue, as a multiple of it, to be shown.
    private static let reach = 5.0

    /// - Parameters:
    ///   - expression: the matrix, for the legend.
    ///   - outliers: eigenvalues to mark, called `mark`; by default they are the largest.
    ///   - edge: the name and the place of the stability edge.
    func drawing(
        _ density: SpectralDensity, of expression: String, title: String = "", outliers: [Double] = [],
        called mark: String? = nil, edge: VerticalLine? = nil
    ) throws -> Figure {
        let (lower, upper) = density.support
        let low = min(lower, outliers.min() ?? lower)
        let high = max(upper, outliers.max() ?? upper)
        let width = self.width ?? (high > low ? (high - low) / 200 : density.defaultWidth)
        // An edge far away would squeeze the spectrum; it is named in the title instead.
        let shownEdge = edge.flatMap { $0.x <= (to ?? Self.reach * max(high, width)) && $0.x >= low ? $0 : nil }
        let right = max(high + 5 * width, shownEdge.map { $0.x + 0.02 * ($0.x - low) } ?? high)
        let (begin, end) = (from ?? low - 5 * width, to ?? right)
        guard begin < end else {
            throw ArgumentError(
                "nothing lies between 'from' and 'to': the spectrum reaches from \(short(low)) to \(short(high))")
        }
        let ends = begin...end
        // What one eigenvalue gives: marks stand at this height, and the axis begins a decade below.
        let single = 1 / (Double(density.dimension) * width * (2 * Double.pi).squareRoot())
        let places = Self.places(in: ends, width: width)
        let (values, errors) = try density.density(at: places, width: width)
        let floor = single / 10
        var panel = Panel(
            xLabel: "eigenvalue", yLabel: "share of eigenvalues per unit", yScale: .log, xRange: ends,
            yRange: floor...max(2 * (values.max() ?? 1), 100 * floor),
            series: [
                PlottedSeries(
                    name: "density of the \(expression)", x: places,
                    y: values.map { max($0, floor / 1e6) }, errors: density.isExact ? nil : errors)
            ])
        panel.marksBeyond = false
        let shown = outliers.filter(ends.contains)
        if !shown.isEmpty {
            panel.series.append(
                PlottedSeries(
                    name: mark ?? (shown.count == 1 ? "largest eigenvalue" : "\(shown.count) largest eigenvalues"),
                    x: shown,
                    y: shown.map { _ in single }, style: .stems))
        }
        if let shownEdge { panel.verticals.append(shownEdge) }
        let beyond = shownEdge == nil ? edge.map { " (\($0.name) is beyond the axis)" } ?? "" : ""
        return Figure(title: self.title ?? title + beyond, panels: [panel])
    }

    func drawing(_ object: DensityObject) throws -> Figure {
        try drawing(
            object.density, of: object.expression, outliers: object.density.outliers().map(\.value), called: "outliers")
    }

    /// The spectrum of a run's curvature matrix at its step, by the options of `run:plot_spectrum`.
    func drawing(_ run: Run, _ call: borrowing LuaCall) throws -> Figure {
        let kind: CurvatureMatrix = try call.choice("matrix")
        let isPreconditioned: Bool = try call.get("preconditioned")
        var object = try curvature(kind, of: run, call, usesSeed: true)
        if isPreconditioned {
            object = try run.preconditioner(at: call.has("at") ? call.point(of: run) : nil).precondition(object)
        }
        let density = try object.density(call)
        // A figure shows what was asked for, or is not drawn.
        if !density.isFinished { throw Cancelled() }
        let k = min(try call.get("k", as: Int.self), object.matrix.dimension)
        var outliers: [Double] = []
        if density.isExact {
            outliers = Array(density.nodes.joined().sorted(by: >).prefix(k))
        } else if k > 0 {
            var stream = RandomStream(seed: run.seed, purpose: .eigensolver)
            outliers = try topEigenpairs(of: object.matrix, k: k, stream: &stream).values
        }
        let edge = kind == .hessian ? Self.edge(of: run, isPreconditioned ? .preconditionedLambdaMax : .lambdaMax) : nil
        let name = run.rule.name == "sgd" ? "2/lr" : "edge of \(run.rule.name)"
        let line = edge.map { VerticalLine(name: "\(name) = \(short($0))", x: $0) }
        return try drawing(
            density, of: object.expression, title: "\(run.name), step \(run.step)", outliers: outliers, edge: line)
    }

    /// The edge of an eigenvalue of the Hessian; of a rule that has one for full batches only, that one.
    private static func edge(of run: Run, _ quantity: EdgeQuantity) -> Double? {
        run.edge(of: quantity) ?? run.rule.edge(of: quantity, on: .all)?.lower
    }

    /// Places so close that a Gaussian of this width is smooth, but not more than can be seen.
    private static func places(in ends: ClosedRange<Double>, width: Double) -> [Double] {
        let length = ends.upperBound - ends.lowerBound
        let count = Int(min(4000, max(600, (4 * length / width).rounded(.up))))
        return (0...count).map { ends.lowerBound + length * Double($0) / Double(count) }
    }
}
