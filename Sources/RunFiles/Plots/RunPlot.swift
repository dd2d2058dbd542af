import Dynamics
import Experiments
import Reports

/// What a figure of runs is to show: one description for scripts and the command line, for live runs and files.
public struct RunPlot {
    /// What stands on the x axis.
    public enum Axis: Equatable, Sendable {
        case step, epoch, time
        /// The series of this name, joined by steps.
        case series(String)

        public init(_ name: String) {
            switch name {
            case "step", "steps": self = .step
            case "epoch", "epochs": self = .epoch
            case "time": self = .time
            default: self = .series(name)
            }
        }

        var label: String {
            switch self {
            case .step: "step"
            case .epoch: "epoch"
            case .time: "time, the sum of the learning rates"
            case .series(let name): name
            }
        }
    }

    /// What is drawn of the runs of a group together: their median, and about it a band.
    public enum Band: String, CaseIterable, Sendable {
        /// From the lower to the upper quartile.
        case seeds
        /// From the smallest to the largest value.
        case range
    }

    /// Something in a panel.
    public enum Item {
        /// A series of each run, by its name.
        case name(String)
        /// One series, wherever it is from; of values over steps.
        case series(Series)
        /// Numbers of the user's own.
        case own(PlottedSeries)
    }

    /// A panel that the user has put together.
    public struct Group {
        public var items: [Item]
        public var title = ""
        public var xLabel: String?
        public var yLabel: String?
        public var x: Axis?
        public var log: Bool?
        public var logX: Bool?
        public var xRange: ClosedRange<Double>?
        public var yRange: ClosedRange<Double>?
        public var references: [ReferenceLine] = []
        public var verticals: [VerticalLine] = []

        public init(_ items: [Item] = []) { self.items = items }
    }

    /// A part of the figure.
    public enum Part {
        /// Items that stand in panels with others of their kind: curvatures with their edges, losses, accuracies.
        case item(Item)
        case panel(Group)
        /// A panel that is made already: a spectrum, a slice.
        case made(Panel)
    }

    public let parts: [Part]
    /// Series that were not chosen.
    let unshown: [String]
    public var groups: [PlottedGroup]
    public var title: String?
    public var from: Int?
    public var to: Int?
    public var x = Axis.step
    /// Whether y axes are logarithmic; nil: those of losses that are positive.
    public var log: Bool?
    public var logX = false
    public var isOverEdge = false
    public var xRange: ClosedRange<Double>?
    public var yRange: ClosedRange<Double>?
    public var band: Band?
    /// Whether it is marked where something was changed.
    public var showsChanges = true
    public var references: [ReferenceLine] = []
    public var verticals: [VerticalLine] = []
    public var columns = 1
    public var width: Figure.Width?
    /// Of all panels together, in millimetres.
    public var height: Double?

    public init(_ parts: [Part], of groups: [PlottedGroup]) {
        (self.parts, self.groups, unshown) = (parts, groups, [])
    }

    /// The same with what there is to be seen, without being asked: panels of curvatures, losses and accuracies, and of everything else
    /// one each. Of what there is too much of a note remains.
    public init(of groups: [PlottedGroup]) {
        var (parts, names) = ([Part](), [String]())
        for name in groups.flatMap(\.runs).flatMap(\.seriesNames) where !names.contains(name) { names.append(name) }
        // Edges are drawn with the curvatures that they belong to.
        let shown = names.filter { name in !groups.flatMap(\.runs).contains { $0.history.isEdge(name) } }
        let kinds = Dictionary(grouping: shown) { groups.kind(of: $0) }
        var chosen: [String] = []
        for kind in [SeriesKind.curvature, .effective, .loss, .accuracy] {
            let own = (kinds[kind] ?? []).prefix(6)
            parts += own.map { .item(.name($0)) }
            chosen += own
        }
        let others = (kinds[.other] ?? []).prefix(4)
        parts += others.map { .panel(Group([.name($0)])) }
        if parts.isEmpty { parts = names.map { .item(.name($0)) } }
        (self.parts, self.groups) = (parts, groups)
        unshown = shown.filter { !(chosen + others).contains($0) }
    }
}

extension [PlottedGroup] {
    /// What a series is, as the first run says that has it.
    func kind(of series: String) -> SeriesKind {
        flatMap(\.runs).first { $0.seriesNames.contains(series) }?.kind(of: series) ?? SeriesKind(series)
    }
}

/// What a series is, by its name: what it is shown with, and on which axis.
enum SeriesKind: Hashable {
    case curvature, effective, loss, accuracy, other

    init(_ name: String) {
        switch EdgeQuantity(series: name) {
        case .effectiveSharpness?: self = .effective
        // The sign of a rate, not a curvature.
        case .secondMomentContraction?: self = .other
        case .some: self = .curvature
        case nil:
            let isCurvature =
                name.contains("lambda_max") || name.hasSuffix("_sharpness")
                || ["edge", "fisher_max", "ntk_max"].contains(where: name.hasPrefix)
            if isCurvature {
                self = .curvature
            } else if name == "loss" || name.hasSuffix("_loss") {
                self = .loss
            } else {
                self = name == "accuracy" || name.hasSuffix("_accuracy") ? .accuracy : .other
            }
        }
    }

    var hasEdges: Bool { self == .curvature || self == .effective }
}
