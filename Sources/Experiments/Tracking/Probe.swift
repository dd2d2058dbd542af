import Compute
import Objectives

/// Something that is measured along a run, and what it keeps between measurements (eigenvectors to start from).
///
/// A probe belongs to one run, and to its forks where it keeps nothing. Random numbers come from the stream it is given, never from the sampler's, so measuring does
/// not change the training.
public protocol Probe: AnyObject {
    /// The series it writes; one value for each at every measurement.
    var seriesNames: [String] { get }

    /// When it is taken: at θ_t, or at θₜ₋₁ on the batch of step t.
    var timing: ProbeTiming { get }

    /// Whether it asks for the parameters before the last step (`Run.previousParameters`), which cost a copy.
    var usesPreviousParameters: Bool { get }

    /// About what its first measurement will cost, in multiply-adds of the cost model: a budget keeps it until that is earned.
    /// Nil where nothing is known: then it is made at once.
    func expectedOperations(in run: Run) throws -> Double?

    /// Whether its measurement is made of g_BᵀH_Bg_B and ‖g_B‖² of a step's batch alone, which the run's steps have on the way:
    /// then `measurements(of:at:)` takes the place of `measure`.
    func isMeasuredByStep(of run: Run) -> Bool

    /// The measurement from what step `step` measured of its batch.
    func measurements(of curvature: BatchCurvature, at step: Int) -> [Measurement]

    /// The probe as a fork of its run goes on with it: what it keeps is copied, and the two know nothing of each other.
    func copy() -> any Probe

    /// What it keeps, for a checkpoint, which a probe made anew by the same options reads.
    func code(_ coder: StateCoder) throws

    /// - Parameter batch: the step's batch, for a probe whose timing is `.step`; nil for all samples.
    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement]
}

/// A probe that keeps nothing between measurements: one serves several runs.
public protocol MemorylessProbe: Probe {}

extension MemorylessProbe {
    public func copy() -> any Probe { self }
    public func code(_ coder: StateCoder) {}
}

public enum ProbeTiming: Sendable {
    /// At θ_t, after step t.
    case point
    /// At θₜ₋₁ on the batch of step t, recorded at t.
    case step
}

extension Probe {
    public var timing: ProbeTiming { .point }
    public var usesPreviousParameters: Bool { false }
    public func expectedOperations(in run: Run) -> Double? { nil }
    public func isMeasuredByStep(of run: Run) -> Bool { false }
    public func measurements(of curvature: BatchCurvature, at step: Int) -> [Measurement] { [] }
}
