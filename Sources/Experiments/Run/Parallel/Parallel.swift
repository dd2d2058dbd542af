import Compute
import Foundation

/// Trainings of several runs side by side, each on a thread and an engine of its own, with the bits that they have one after the other.
///
/// What is code of the program (actions, conditions, quantities and rules of its own, what it keeps in checkpoints) is called on the
/// thread that calls ``train()``, one call after the other, while the thread of that run waits. Such code sees its own run; the others
/// are refused to it (``Run/custody``), for where they stand at that moment is chance.
public final class Parallel {
    /// What went wrong in one of the runs.
    public struct Failure: Error, CustomStringConvertible {
        public let run: String
        public let error: any Error
        public var description: String {
            if case ExperimentError.diverged? = error as? ExperimentError { return "\(error)" }
            return "run '\(run)': \(error)"
        }
    }

    public let trainings: [(run: Run, goal: TrainingGoal)]
    /// How many go on at a time.
    public let threads: Int
    /// Called on the program's thread with each run when it stands where it begins, or in the middle of this training where it was
    /// restored there.
    public var atBeginning: ((_ run: Run, _ isTakenUp: Bool) -> Void)?
    /// The same once all have begun or ended, before what belongs to an end is done.
    public var afterwards: (() -> Void)?
    /// Does what a run has handed over.
    public var aroundHandOver: ((_ run: Run, _ body: () -> Void) -> Void)?
    /// Called on each thread, around all that it does.
    public var aroundThread: ((_ body: () -> Void) -> Void)?
    /// Called on the program's thread when all runs that go on stand between two steps, because one of them has asked for that
    /// (``HandOver/meet()``): what it throws ends all of them.
    public var atMeeting: (([Run]) throws -> Void)?

    @TaskLocal private static var isUnderWay = false

    /// - Parameter threads: how many at a time; by default as many as their engine has threads.
    /// - Throws: `ExperimentError.invalid` for a run that is named twice, and for no run.
    public init(_ trainings: [(run: Run, goal: TrainingGoal)], threads: Int? = nil) throws {
        guard let first = trainings.first?.run else {
            throw ExperimentError.invalid("there is no run to train: name one at least")
        }
        for (index, one) in trainings.enumerated() where trainings[..<index].contains(where: { $0.run === one.run }) {
            throw ExperimentError.invalid("run '\(one.run.name)' is in the list twice; fork it first")
        }
        self.trainings = trainings
        self.threads = max(1, min(threads ?? first.engine.threads, trainings.count))
    }

    /// Trains all of them to their goals.
    ///
    /// Where one fails the others stop after their present step, and can go on from there.
    /// - Returns: why each ended.
    /// - Throws: ``Failure`` of the first run in the list that has failed; what ``atMeeting`` has thrown, as it is.
    public func train() throws -> [TrainingEnd] {
        guard !HandOver.isElsewhere, !Self.isUnderWay else {
            throw ExperimentError.invalid(
                "runs that train side by side cannot do so again from within: train what is forked there by run:train")
        }
        var ends: [TrainingEnd?] = []
        var going: [Going] = []
        do {
            for (place, (run, goal)) in trainings.enumerated() {
                try run.requireNotMeasuring("the step")
                let before = run.journal.entries.count
                switch try run.isProgram ? run.beginTraining(goal) : .going(-1) {
                case .over(let end): ends.append(end)
                case .going(let entry):
                    ends.append(nil)
                    let isTakenUp = run.isProgram && run.journal.entries.count == before
                    going.append(Going(place: place, run: run, goal: goal, entry: entry, isTakenUp: isTakenUp))
                    atBeginning?(run, isTakenUp)
                }
            }
        } catch {
            // One is refused, and those before it do not begin.
            for one in going where one.entry >= 0 && !one.isTakenUp { one.run.journal.entries.remove(at: one.entry) }
            throw error
        }
        for run in trainings.map(\.run) { try run.writeOthers(among: trainings.map(\.run)) }
        let handOver = HandOver(count: going.count)
        try Self.$isUnderWay.withValue(true) { try train(going, handOver) }
        afterwards?()
        for (one, result) in zip(going, handOver.ends) {
            guard case .success(let end)? = result else { continue }
            ends[one.place] = end
            if one.entry >= 0 { one.run.endTraining(one.entry, end) }
        }
        try throwFailure(of: going, handOver.ends)
        return ends.compactMap { $0 }
    }

    private struct Going {
        let place: Int
        let run: Run
        let goal: TrainingGoal
        /// Of the journal; negative where the program did not ask for it itself.
        let entry: Int
        /// Whether it was restored in the middle of it.
        let isTakenUp: Bool
    }

    private func train(_ going: [Going], _ handOver: HandOver) throws {
        for one in going {
            one.run.custody = Custody("run '\(one.run.name)', which is trained beside others")
            one.run.handOver = handOver
            one.run.trainingDepth += 1
        }
        defer {
            for one in going {
                one.run.custody = nil
                one.run.handOver = nil
                one.run.trainingDepth -= 1
            }
        }
        let cancellation = Cancellation.current
        let around = aroundThread ?? { $0() }
        let workers = (0..<min(threads, going.count)).map { _ in
            Worker {
                Cancellation.$current.withValue(cancellation) {
                    around { while let place = handOver.begin() { Self.train(going[place], place, handOver) } }
                }
                handOver.leave()
            }
        }
        for worker in workers {
            handOver.enter()
            if !worker.start() { handOver.leave() }
        }
        guard going.isEmpty || workers.contains(where: \.isStarted) else {
            throw ExperimentError.invalid("the system has no thread left to train on: end other programs")
        }
        let custodies = going.compactMap(\.run.custody)
        handOver.serve { place, body in
            guard let aroundHandOver else { return body() }
            aroundHandOver(going[place].run, body)
        } meeting: { places in
            // Everything stands still: whoever looks at it now finds it whole.
            try Self.lent(custodies[...]) { try atMeeting?(places.map { going[$0].run }) }
        }
        for worker in workers { worker.join() }
    }

    private static func lent(_ custodies: ArraySlice<Custody>, _ body: () throws -> Void) throws {
        guard let first = custodies.first else { return try body() }
        try first.lent { try lent(custodies.dropFirst(), body) }
    }

    /// On the thread of a training.
    private static func train(_ one: Going, _ place: Int, _ handOver: HandOver) {
        guard let custody = one.run.custody else { return }
        custody.take()
        let result = Result {
            try HandOver.$post.withValue(HandOver.Post(handOver: handOver, custody: custody, place: place)) {
                try one.run.engine.withBranch { branch in
                    one.run.oracle.depart(to: branch)
                    defer { one.run.oracle.comeHome() }
                    return try branch.asCurrent { try one.run.trainOn(to: one.goal) }
                }
            }
        }
        custody.release()
        handOver.finish(place, result)
    }

    private func throwFailure(of going: [Going], _ ends: [Result<TrainingEnd, any Error>?]) throws {
        for (one, end) in zip(going, ends) {
            guard case .failure(let error)? = end, !(error is HandOver.Halted) else { continue }
            throw Failure(run: one.run.name, error: error)
        }
    }
}

/// A thread with room for deep graphs.
private final class Worker {
    private let body: () -> Void
    private var thread = pthread_t()
    private(set) var isStarted = false

    init(_ body: @escaping () -> Void) { self.body = body }

    func start() -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 16 << 20)
        let code = pthread_create(
            &thread, &attributes,
            { worker in
                if let worker { Unmanaged<Worker>.fromOpaque(worker).takeUnretainedValue().body() }
                return nil
            }, Unmanaged.passUnretained(self).toOpaque())
        isStarted = code == 0
        return isStarted
    }

    /// - Precondition: what it was given ends.
    func join() { if isStarted { pthread_join(thread, nil) } }
}
