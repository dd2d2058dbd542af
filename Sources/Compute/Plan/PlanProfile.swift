/// Where the time of a plan goes: for tuning.
public struct PlanProfile: Sendable, CustomStringConvertible {
    public struct Entry: Sendable {
        /// The call as the plan's description has it.
        public let call: String
        /// Mean time of the call, in nanoseconds. Reading the clock adds some tens.
        public let nanoseconds: Double
    }
    /// One entry a call, in order.
    public let entries: [Entry]
    public let repetitions: Int

    /// Mean time of a run, in nanoseconds.
    public var nanoseconds: Double { entries.reduce(0) { $0 + $1.nanoseconds } }

    public var description: String {
        var text = "\(Self.microseconds(nanoseconds)) us a run, mean of \(repetitions)\n"
        for entry in entries { text += "  \(Self.microseconds(entry.nanoseconds)) us  \(entry.call)\n" }
        return text
    }

    private static func microseconds(_ nanoseconds: Double) -> String {
        let hundredths = Int((nanoseconds / 10).rounded())
        let fraction = hundredths % 100
        let text = "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
        return String(repeating: " ", count: max(0, 10 - text.count)) + text
    }
}

extension Plan {
    /// Runs the plan some times and gives the mean time of each kernel call. Inputs and outputs as for `run`.
    public func profile(
        inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], repetitions: Int = 100
    ) -> PlanProfile {
        let runs = max(1, repetitions)
        var nanoseconds = [Int64](repeating: 0, count: max(1, steps.count))
        nanoseconds.withUnsafeMutableBufferPointer { times in
            inputs.withUnsafeBufferPointer { inputs in
                outputs.withUnsafeBufferPointer { outputs in
                    for _ in 0..<runs { execute(inputs: inputs, outputs: outputs, nanoseconds: times.baseAddress) }
                }
            }
        }
        let entries = zip(steps, nanoseconds).map {
            PlanProfile.Entry(call: describe($0), nanoseconds: Double($1) / Double(runs))
        }
        return PlanProfile(entries: entries, repetitions: runs)
    }
}
