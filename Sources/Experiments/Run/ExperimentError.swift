/// What stops an experiment, in words that name the place and the remedy.
public enum ExperimentError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The loss of a step's batch was not finite.
    case diverged(run: String, step: Int, loss: Double, learningRate: Double)
    case unknownProbe(String, known: [String])
    case unknownSeries(String, run: String, known: [String])
    /// A value that cannot be: names the option, what was given and what is allowed.
    case invalid(String)

    public var description: String {
        switch self {
        case .diverged(let run, let step, let loss, let rate):
            // The sign of a NaN says nothing.
            return
                "run '\(run)' diverged: at step \(step) the batch's loss is \(loss.isNaN ? Double.nan : loss) (lr = \(rate)). Everything measured "
                + "up to here is kept; a lower lr or init_scale may help"
        case .unknownProbe(let name, let known):
            return
                "unknown probe '\(name)'\(Self.suggestion(name, known)); known are \(known.sorted().joined(separator: ", "))"
        case .unknownSeries(let name, let run, let known):
            let tracked = known.isEmpty ? "it tracks nothing yet" : "it tracks \(known.joined(separator: ", "))"
            return "run '\(run)' has no series '\(name)'\(Self.suggestion(name, known)); \(tracked)"
        case .invalid(let message): return message
        }
    }

    /// ": did you mean 'x'?", where one of the names is near.
    static func suggestion(_ name: String, _ known: [String]) -> String {
        guard let near = known.min(by: { distance(name, $0) < distance(name, $1) }), distance(name, near) <= 3 else {
            return ""
        }
        return ": did you mean '\(near)'?"
    }

    /// Levenshtein's distance.
    private static func distance(_ a: String, _ b: String) -> Int {
        let x = Array(a.utf8)
        let y = Array(b.utf8)
        var row = Array(0...y.count)
        for i in x.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in y.indices {
                let substituted = diagonal + (x[i] == y[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[y.count]
    }
}
