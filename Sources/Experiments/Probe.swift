import Compute
import Dynamics

/// Something that is measured along a run, and what it keeps between measurements (eigenvectors to start from).
///
/// A probe belongs to one run. Random numbers come from the stream it is given, never from the sampler's, so measuring does
/// not change the training.
public protocol Probe: AnyObject {
    /// The series it writes; one value for each at every measurement.
    var seriesNames: [String] { get }

    /// When it is taken: at θ_t, or at θₜ₋₁ on the batch of step t.
    var timing: ProbeTiming { get }

    /// - Parameter batch: the step's batch, for a probe whose timing is `.step`; nil for all samples.
    func measure(_ run: Run, batch: UnsafeBufferPointer<Int>?, stream: RandomStream) throws -> [Measurement]
}

public enum ProbeTiming: Sendable {
    /// At θ_t, after step t.
    case point
    /// At θₜ₋₁ on the batch of step t, recorded at t.
    case step
}

extension Probe {
    public var timing: ProbeTiming { .point }
}

/// A probe that a run follows: when it is due, and which of its random streams is next.
struct Tracker {
    let probe: any Probe
    let every: Int
    /// The number that keys this tracker's random streams.
    let index: Int
    var lastMeasured: Int?

    func isDue(at step: Int) -> Bool { step % every == 0 && lastMeasured != step }

    /// The first step from `step` on at which it is due.
    func nextDue(from step: Int) -> Int {
        let late = step % every
        if late == 0 && step != lastMeasured { return step }
        let (due, overflow) = (step - late).addingReportingOverflow(every)
        return overflow ? .max : due
    }

    func stream(seed: UInt64, step: Int) -> RandomStream {
        RandomStream(seed: seed, purpose: .probe, index: UInt64(step) << 16 | UInt64(index & 0xFFFF))
    }
}
