import Experiments
import Reports

/// A slice of the loss: along a line a curve, in a plane colours and lines of equal loss, and on them the trajectory.
struct SliceFigure {
    let title: String?
    let isLog: Bool?

    /// From this factor between the largest and the smallest loss on, the colours of a plane are logarithmic.
    private static let wide = 30.0

    func drawing(_ object: SliceObject) -> Figure {
        let slice = object.slice
        let title = self.title ?? "\(object.runName), step \(object.step)"
        func label(_ axis: LossSlice.Axis) -> String {
            axis.unit + (axis.explained.map { " (\(percent($0)) of the variance)" } ?? "")
        }
        if slice.isLine {
            let axis = slice.axes[0]
            var panel = Panel(
                xLabel: label(axis), yLabel: "loss", yScale: isLog == true ? .log : .linear,
                series: [PlottedSeries(name: "loss", x: axis.coordinates, y: slice.losses)])
            if let first = axis.coordinates.first, let last = axis.coordinates.last {
                panel.xRange = first...last
                if (first...last).contains(0) { panel.verticals.append(VerticalLine(name: "here", x: 0)) }
            }
            return Figure(title: title, panels: [panel])
        }
        let range = slice.range
        let spans = range.map { $0.lowerBound > 0 && $0.upperBound > Self.wide * $0.lowerBound } ?? false
        let surface = Surface(
            x: slice.axes[0].coordinates, y: slice.axes[1].coordinates, values: slice.losses, label: "loss",
            scale: isLog ?? spans ? .log : .linear)
        var panel = Panel(
            xLabel: label(slice.axes[0]), yLabel: label(slice.axes[1]), xRange: surface.ends.x, yRange: surface.ends.y,
            surface: surface)
        func points(_ name: String, _ marks: [LossSlice.Mark], _ style: PlottedSeries.Style, colour: Int) {
            panel.series.append(
                PlottedSeries(
                    name: name, x: marks.map { $0.coordinates[0] }, y: marks.map { $0.coordinates[1] }, style: style,
                    colour: colour))
        }
        if slice.marksArePath {
            points("trajectory of \(slice.marks.count) points", slice.marks, .path, colour: 1)
            points("here", [LossSlice.Mark(coordinates: [0, 0])], .path, colour: 3)
        } else if slice.marks.isEmpty {
            points("here", [LossSlice.Mark(coordinates: [0, 0])], .path, colour: 3)
        } else {
            for (index, name) in ["here", "first point", "second point"].enumerated() {
                points(name, [slice.marks[index]], .path, colour: [3, 1, 4][index])
            }
        }
        return Figure(title: title, panels: [panel], size: (width: 760, height: 640))
    }
}
