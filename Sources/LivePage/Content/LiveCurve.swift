import Experiments
import RunFiles

/// A series of a run that is being written, in the points that a page draws.
struct LiveCurve {
    let name: String
    private(set) var envelope = CurveEnvelope()
    /// Points sent since the page last had the whole curve.
    private var sent = 0

    /// After so many new points the page gets the whole curve again, in few points: so it never holds many.
    private static let resendAfter = 1000
    private static let nameLength = 120

    init(name: String) { self.name = name }

    /// Reads what is new.
    /// - Parameters:
    ///   - newest: the last value, as the file says.
    ///   - edge: the series with its edge.
    /// - Returns: it as JSON; nil for nothing.
    mutating func catchUp(
        _ reader: RunFileReader, newest: Experiments.Measurement?, place: Int, edge: String?
    ) throws(RunFileError) -> String? {
        guard let newest else { return nil }
        if let last = envelope.last, Self.isSame(last, newest.step, newest.value) { return nil }
        var values = try reader.values(of: name, from: envelope.last?.step ?? .min)
        var isWhole = envelope.last == nil
        var start = 0
        if let last = envelope.last {
            if let step = values.stepList.first, Self.isSame(last, step, values.values[0]) {
                start = 1
            } else {
                // It has been cut since: the run went on from an earlier step.
                envelope = CurveEnvelope()
                values = try reader.values(of: name)
                isWhole = true
            }
        }
        for place in start..<max(start, values.count) { envelope.add(values.stepList[place], values.values[place]) }
        sent += values.count - start
        if isWhole || sent > Self.resendAfter {
            sent = 0
            return json(place: place, newest: newest, edge: edge)
        }
        let points = (start..<values.count).map {
            CurveEnvelope.Point(step: values.stepList[$0], value: values.values[$0])
        }
        return "{\"i\":\(place),\"add\":true,\(facts(newest)),\(points.members)}"
    }

    /// The whole curve.
    /// - Parameter edge: the series with its edge.
    func json(place: Int, newest: Experiments.Measurement?, edge: String?) -> String {
        let label = JSONValue.string(name.short(Self.nameLength)).line
        let edge = edge.map { JSONValue.string($0.short(Self.nameLength)).line } ?? "null"
        return "{\"i\":\(place),\"name\":\(label),\"edge\":\(edge),\(facts(newest)),\(envelope.points.members)}"
    }

    private func facts(_ newest: Experiments.Measurement?) -> String {
        let last =
            newest.map { JSONValue.object(["last": $0.shortJSON]).line.dropFirst().dropLast() } ?? "\"last\":null"
        return "\"count\":\(envelope.count),\(last)"
    }

    private static func isSame(_ point: CurveEnvelope.Point, _ step: Int, _ value: Double) -> Bool {
        point.step == step && (point.value == value || point.value.isNaN && value.isNaN)
    }
}
