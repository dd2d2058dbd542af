import Compute
import Objectives

/// A probe whose series have names of the program's, so that a run can follow one quantity twice: λ_max of two layers, say.
public final class NamedProbe: Probe {
    /// What it measures by.
    public let probe: any Probe
    public let seriesNames: [String]

    /// - Parameter name: of the probe's first series; `lambda_max_2` beside `lambda_max` becomes `name_2`, and a series of another
    ///   kind of name follows it whole.
    /// - Throws: `ExperimentError.invalid` for the name of a quantity of the catalogue's.
    public init(_ name: String, _ probe: any Probe) throws {
        let own = probe.seriesNames
        if ProbeCatalogue.has(series: name), !own.contains(name) {
            throw ExperimentError.invalid(
                "'\(ExperimentError.shown(name))' is what eoss calls a quantity of its own; choose another name")
        }
        self.probe = probe
        let first = own.first ?? ""
        seriesNames = own.map { series in
            if series == first { return name }
            return series.hasPrefix(first + "_") ? name + series.dropFirst(first.count) : "\(name)_\(series)"
        }
    }

    private init(_ names: [String], of probe: any Probe) { (seriesNames, self.probe) = (names, probe) }

    public var timing: ProbeTiming { probe.timing }
    public var usesPreviousParameters: Bool { probe.usesPreviousParameters }
    public func expectedOperations(in run: Run) throws -> Double? { try probe.expectedOperations(in: run) }
    public func isMeasuredByStep(of run: Run) -> Bool { probe.isMeasuredByStep(of: run) }
    public func measurements(of curvature: BatchCurvature, at step: Int) -> [Measurement] {
        probe.measurements(of: curvature, at: step)
    }
    public func copy() -> any Probe { NamedProbe(seriesNames, of: probe.copy()) }
    public func code(_ coder: StateCoder) throws { try probe.code(coder) }
    public func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement] {
        try probe.measure(run, batch: batch, stream: stream)
    }
}
