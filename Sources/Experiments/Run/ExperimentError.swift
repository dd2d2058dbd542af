import CSpelling

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
                "unknown probe '\(Self.shown(name))'\(Self.suggestion(name, known)); known are \(known.sorted().joined(separator: ", "))"
        case .unknownSeries(let name, let run, let known):
            let tracked = known.isEmpty ? "it tracks nothing yet" : "it tracks \(known.joined(separator: ", "))"
            return "run '\(run)' has no series '\(Self.shown(name))'\(Self.suggestion(name, known)); \(tracked)"
        case .invalid(let message): return message
        }
    }

    /// A name as messages show it: a long one is cut.
    static func shown(_ name: String) -> String { name.utf8.count > 80 ? name.prefix(80) + "…" : name }

    /// ": did you mean 'x'?", where one of the names is near (CSpelling.h says what is); the first of several that are as near.
    package static func suggestion(_ name: String, _ known: [String]) -> String {
        var search = spelling()
        let letters = Array(name.utf8CString)
        spelling_begin(&search, letters, letters.count - 1)
        var best: String?
        for candidate in known.sorted() {
            let letters = Array(candidate.utf8CString)
            if spelling_consider(&search, letters, letters.count - 1) == SPELLING_NEARER { best = candidate }
        }
        return best.map { ": did you mean '\($0)'?" } ?? ""
    }
}
