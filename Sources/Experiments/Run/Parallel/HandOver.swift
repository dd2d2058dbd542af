import Compute

/// The thread that waits for trainings on several others, and does for them what only it can: what is code of the program.
///
/// A training hands over what it needs of the program (an action, a quantity of its own, a checkpoint's part) and waits until that is
/// done, so that there is never but one thread at work with its run (``Custody``), and a program sees its runs one at a time.
public final class HandOver: @unchecked Sendable {
    // @unchecked: every variable is used inside `monitor.withLock` only; what is handed over is done while its thread waits.

    /// A training as its own thread knows it.
    struct Post: Sendable {
        let handOver: HandOver
        let custody: Custody
        /// Its place among the trainings.
        let place: Int
    }
    /// The training of this thread, if it is one of several.
    @TaskLocal static var post: Post?

    /// Something to be done by the waiting thread.
    private final class Request {
        let post: Post
        private var body: (() -> Void)?
        var isDone = false

        init(_ post: Post, _ body: @escaping () -> Void) { (self.post, self.body) = (post, body) }

        /// Once: nothing of it is held when it is done.
        func run() {
            let body = body
            self.body = nil
            body?()
        }
    }

    private let monitor = Monitor()
    private var requests: [Request] = []
    private var notices: [() -> Void] = []
    /// The next training to be begun.
    private var next = 0
    private let count: Int
    private var isEnding = false
    /// Threads at work, and the trainings among theirs that wait for each other.
    private var threads = 0
    private var waiting: [Int] = []
    private var meetings = 0
    private var meetingEnd: Result<Void, any Error> = .success(())
    private var results: [Result<TrainingEnd, any Error>?]

    init(count: Int) {
        self.count = count
        results = Array(repeating: nil, count: count)
    }

    // MARK: - Of a training's thread

    /// Whether this thread trains one run of several, and is not the one that the program runs on.
    public static var isElsewhere: Bool { post != nil }

    /// Does something on the thread of the program: where that is another one, this waits for it.
    public static func perform<Result>(_ body: () throws -> Result) throws -> Result {
        guard let post else { return try body() }
        return try post.handOver.perform(post, body)
    }

    /// Has something done on the thread of the program at some time, without waiting for it.
    public static func notify(_ body: @escaping () -> Void) {
        guard let post else { return body() }
        post.handOver.monitor.withLock {
            post.handOver.notices.append(body)
            post.handOver.monitor.broadcast()
        }
    }

    /// Waits until all trainings stand between two steps, and the program's thread has done what is to be done then.
    /// - Throws: what that throws.
    public static func meet() throws {
        guard let post else { return }
        try post.handOver.meet(post.place)
    }

    private func perform<Value>(_ post: Post, _ body: () throws -> Value) throws -> Value {
        var result: Result<Value, any Error> = .failure(Halted())
        // The waiting thread stands in for this one, with what this one listens to.
        let (engine, keeps) = (Engine.current, Cancellation.keepsUnfinished)
        func work() {
            result = Result {
                try engine.asCurrent { try Cancellation.$keepsUnfinished.withValue(keeps) { try body() } }
            }
        }
        withoutActuallyEscaping(work) { work in
            let request = Request(post, work)
            monitor.withLock {
                requests.append(request)
                monitor.broadcast()
                while !request.isDone { monitor.wait() }
            }
        }
        return try result.get()
    }

    private func meet(_ place: Int) throws {
        let end = monitor.withLock {
            waiting.append(place)
            let meeting = meetings
            monitor.broadcast()
            while meetings == meeting { monitor.wait() }
            return meetingEnd
        }
        try end.get()
    }

    /// Between two steps.
    /// - Throws: where another training has failed, and this one is to stop.
    func checkEnd() throws {
        if monitor.withLock({ isEnding }) { throw Halted() }
    }

    /// Thrown by a training that stops because another one has failed.
    struct Halted: Error {}

    // MARK: - Threads

    /// A thread begins.
    func enter() { monitor.withLock { threads += 1 } }

    /// The training that a thread is to begin; nil where there is none left.
    func begin() -> Int? {
        monitor.withLock {
            guard !isEnding, next < count else { return nil }
            defer { next += 1 }
            return next
        }
    }

    func finish(_ place: Int, _ result: Result<TrainingEnd, any Error>) {
        monitor.withLock {
            results[place] = result
            if case .failure = result { isEnding = true }
        }
    }

    /// A thread has nothing left to do.
    func leave() {
        monitor.withLock {
            threads -= 1
            monitor.broadcast()
        }
    }

    /// How the trainings ended; nil for those that were not begun.
    var ends: [Result<TrainingEnd, any Error>?] { monitor.withLock { results } }

    // MARK: - Of the thread of the program

    private enum Task {
        case request(Request)
        case notice(() -> Void)
        case meeting([Int])
        case over
    }

    /// Does what is handed over until all threads have left.
    /// - Parameters:
    ///   - around: does what one training has handed over.
    ///   - meeting: what is done once these trainings wait for each other.
    func serve(around: (_ place: Int, _ body: () -> Void) -> Void, meeting: (_ places: [Int]) throws -> Void) {
        while true {
            switch wait() {
            case .request(let request):
                request.post.custody.lent { around(request.post.place) { request.run() } }
                monitor.withLock {
                    request.isDone = true
                    monitor.broadcast()
                }
            case .notice(let body): body()
            case .meeting(let places):
                let end = Result { try meeting(places) }
                monitor.withLock {
                    waiting = []
                    meetings += 1
                    meetingEnd = end
                    monitor.broadcast()
                }
            case .over: return
            }
        }
    }

    private func wait() -> Task {
        monitor.withLock {
            while true {
                if !requests.isEmpty { return .request(requests.removeFirst()) }
                if !notices.isEmpty { return .notice(notices.removeFirst()) }
                if threads == 0 { return .over }
                if waiting.count == threads { return .meeting(waiting.sorted()) }
                monitor.wait()
            }
        }
    }
}
