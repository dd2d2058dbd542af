/// What a program asked of its run so far, in order: trainings, loops over steps, assignments, what it read. By it the program can be
/// executed again until it comes to the step that the run was restored at (``Replay``).
///
/// What actions, probes and the bodies of loops do is not in it: they are not executed again.
struct Journal {
    struct Entry {
        enum Kind: String { case train, loop, assign, read, fork, lockstep }

        var kind: Kind
        /// The name of what is assigned, read or made.
        var what: String
        /// A training's goal, the count of a loop, what was assigned or read.
        var value: JSONValue
        /// Where the run stood: steps, epochs, time.
        var step: Int
        var epoch: Double
        var time: Double
        /// Where a training or a loop ended; nil while it goes on.
        var end: Int?
        /// Why a training ended.
        var result: String?
        /// Whether the body of a loop has read what it cannot read again.
        var reads = false
        /// The last step that a loop gave to its body.
        var given: Int?
    }

    var entries: [Entry] = []
    /// What actions did that have forked their run: those are executed again, so that the program has its forks.
    var deeds: [Deed] = []
    /// Why the program cannot be executed again, where it cannot.
    var gap: String?

    /// Programs that read something at each of more steps than this are better written with `run.state`.
    static let limit = 10_000

    mutating func append(_ entry: Entry) {
        guard entries.count < Self.limit else {
            gap = gap ?? "it asked for more than \(Self.limit) things, outside of loops over steps"
            return
        }
        entries.append(entry)
    }

    mutating func code(_ coder: StateCoder) throws {
        var stored = JSONValue.array(entries.map(\.json))
        try coder.code("journal", &stored)
        var reason = gap.map { JSONValue.string($0) } ?? .null
        try coder.code("gap", &reason)
        guard coder.isReading else { return }
        gap = reason.text
        guard let entries = stored.list({ Entry(json: $0) }) else {
            throw ExperimentError.invalid("the checkpoint is not complete: its journal is not")
        }
        self.entries = entries
    }

    /// The same for deeds, which few runs have.
    mutating func codeDeeds(_ coder: StateCoder) throws {
        if coder.isReading ? !coder.has("deeds") : deeds.isEmpty { return }
        var stored = JSONValue.array(deeds.map(\.json))
        try coder.code("deeds", &stored)
        guard coder.isReading else { return }
        guard let deeds = stored.list({ Deed(json: $0) }) else {
            throw ExperimentError.invalid("the checkpoint is not complete: what its actions did is not")
        }
        self.deeds = deeds
    }

    /// How many forks the program has made, itself or by its actions.
    var forks: Int { entries.count { $0.kind == .fork } + deeds.count }

    /// The place of what is going on: a training, a loop.
    var open: Int? { entries.lastIndex { [.train, .loop, .lockstep].contains($0.kind) && $0.end == nil } }
}

extension Journal {
    /// What an action asked of its run.
    struct Deed {
        /// Of the action, among those that the program asked for.
        let number: Int
        /// During which training, by its place among the entries.
        let during: Int
        let step: Int
        let epoch: Double
        let time: Double
        var entries: [Entry] = []

        var forks: Bool { entries.contains { $0.kind == .fork } }

        fileprivate var json: JSONValue {
            [
                "number": .integer(number), "during": .integer(during), "step": .integer(step),
                "epoch": JSONValue(exactly: epoch), "time": JSONValue(exactly: time),
                "entries": .array(entries.map(\.json)),
            ]
        }
    }
}

extension Journal.Deed {
    fileprivate init?(json: JSONValue) {
        guard case .object(let object) = json, let number = object["number"]?.wholeNumber,
            let during = object["during"]?.wholeNumber, let step = object["step"]?.wholeNumber,
            let epoch = object["epoch"]?.realNumber, let time = object["time"]?.realNumber,
            let entries = object["entries"]?.list({ Journal.Entry(json: $0) })
        else { return nil }
        self.init(number: number, during: during, step: step, epoch: epoch, time: time, entries: entries)
    }
}

extension Journal.Entry {
    fileprivate var json: JSONValue {
        var object: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "what": .string(what), "value": value, "step": .integer(step),
            "epoch": JSONValue(exactly: epoch), "time": JSONValue(exactly: time),
        ]
        if let end { object["end"] = .integer(end) }
        if let result { object["result"] = .string(result) }
        if reads { object["reads"] = .bool(true) }
        if let given { object["given"] = .integer(given) }
        return .object(object)
    }

    fileprivate init?(json: JSONValue) {
        guard case .object(let object) = json, let kind = object["kind"]?.text.flatMap(Kind.init),
            let value = object["value"],
            let what = object["what"]?.text, let step = object["step"]?.wholeNumber,
            let epoch = object["epoch"]?.realNumber, let time = object["time"]?.realNumber
        else { return nil }
        self.init(
            kind: kind, what: what, value: value, step: step, epoch: epoch, time: time,
            end: object["end"]?.wholeNumber, result: object["result"]?.text, reads: object["reads"] == .bool(true),
            given: object["given"]?.wholeNumber)
    }

    /// For messages: `lr = 0.1 at step 4000`.
    var words: String {
        switch kind {
        case .train: "a training at step \(step)"
        case .loop: "a loop over steps at step \(step)"
        case .assign: "\(what) = \(value.words) at step \(step)"
        case .read: "reading \(what) at step \(step)"
        case .fork: "the fork '\(what)' at step \(step)"
        case .lockstep: "a lockstep at step \(step)"
        }
    }
}

extension JSONValue {
    /// For messages.
    var words: String { text ?? ((try? json()) ?? "?") }
}
