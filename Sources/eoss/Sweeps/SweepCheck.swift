import Foundation
import ScriptAPI
import Sweeps

/// Looks before a sweep begins whether its script takes the values of all axes.
struct SweepCheck {
    private let limits: SweepLimits

    init(_ limits: SweepLimits) { self.limits = limits }

    /// - Throws: `SweepError` for a parameter that the script does not declare, and for a value of another kind.
    func check(_ script: String, _ plan: SweepPlan, repeats: Int?) throws {
        var options = ScriptOptions()
        options.isTrusted = limits.trust
        options.readFolders = limits.readFolders.map { URL(fileURLWithPath: $0) }
        options.print = { _ in }
        // A script that makes a run before it declares parameters is told of these.
        let others = plan.axes.filter { repeats == nil || $0.name != SweepPlan.seed }
        options.settings = others.map { .init($0.name, $0.values[0]) }
        let host = try ScriptHost(options)
        do {
            let declared = try host.parameters(of: URL(fileURLWithPath: script)).map(\.name)
            if repeats != nil, !declared.contains(SweepPlan.seed) {
                throw SweepError(
                    "--repeat sets the parameter 'seed', which '\(script)' does not declare: write eoss.params{ …, seed = 1 }, and give "
                        + "it to the network, the data and the run")
            }
            for axis in plan.axes {
                for value in axis.values {
                    try host.check(.init(axis.name, value))
                    guard !host.isList(axis.name) || value.hasPrefix("{") && value.hasSuffix("}") else {
                        throw SweepError(
                            "--set \(axis.name)=\(value): \(axis.name) is a list, and commas part the points: write each list in braces, "
                                + "--set \(axis.name)={1,2},{3,4}")
                    }
                }
            }
        } catch let failure as ScriptFailure {
            throw SweepError(failure.description)
        }
    }
}
