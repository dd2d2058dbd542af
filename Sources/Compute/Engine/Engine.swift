import CKernels
import Graph
import Synchronization

/// Compiles graphs to plans and runs them on a pool of threads of its own.
///
/// Results have the same bits whatever the number of threads: work is cut by shapes alone.
public final class Engine: Sendable {
    /// The engine of the process, with one thread for each core.
    public static let shared: Engine = {
        do { return try Engine() } catch { preconditionFailure("no memory for the engine at start-up: \(error)") }
    }()

    /// The engine whose threads and kernels serve vectors on this thread, or task: that of the run which steps or measures,
    /// elsewhere the process's.
    public static var current: Engine { bound ?? shared }
    @TaskLocal private static var bound: Engine?

    /// Does `body` with this engine as the ``current`` one.
    public func asCurrent<Result>(_ body: () throws -> Result) rethrows -> Result {
        if Engine.bound === self { return try body() }
        return try Engine.$bound.withValue(self, operation: body)
    }

    private struct Key: Hashable {
        var graph: Graph
        var companion: Graph?
        var donations: [Int: Int]
    }
    private struct Entry {
        var plan: Plan
        var lastUse: Int
    }
    private struct Cache {
        var plans: [Key: Entry] = [:]
        var clock = 0
    }

    /// Plans kept, and bytes of their constants; the least recently used go first. A plan in use lives on without the cache.
    private static let mostPlans = 128
    private static let mostConstantBytes = 256 << 20

    private let cache = Mutex(Cache())
    /// Of one thread each, and not in use.
    private let branches = Mutex<[Engine]>([])
    private let executor: Executor
    private let account: MemoryAccount
    private let level: Int
    private let optimizes: Bool

    /// An engine with its own threads and arena.
    ///
    /// - Parameters:
    ///   - threads: the calling thread counts; `nil`: as many as the process may use cores.
    ///   - account: what its arena and the constants of its plans come from.
    ///   - kernelSet: `nil`: the best that the CPU has; one that it lacks is replaced by that too.
    ///   - optimizes: whether graphs go through `Graph.optimized()` first.
    public init(
        threads: Int? = nil, account: MemoryAccount = .shared, kernelSet: KernelSet? = nil, optimizes: Bool = true
    ) throws(MemoryError) {
        executor = try Executor(threads: threads ?? Int(ck_available_cores()), account: account)
        self.account = account
        self.optimizes = optimizes
        level = Int(min(kernelSet?.rawValue ?? ck_best_level(), ck_best_level()))
    }

    /// An operation on blocks of vectors; a running plan is not waited for.
    func run(_ operation: ck_vectors_operation, on work: inout ck_vectors, element: ElementType) {
        let kind = element == .f32 ? CK_F32 : CK_F64
        ck_vectors_run(Int32(operation.rawValue), Int32(kind.rawValue), &work, Int32(level), executor.pool)
    }

    /// Threads that run plans, the calling one counted; 1 to 64. May be set at any time: a running plan ends first.
    public var threads: Int {
        get { Int(ck_pool_threads(executor.pool)) }
        set { ck_pool_set_threads(executor.pool, Int32(clamping: newValue)) }
    }

    /// The kernels that this engine's plans call.
    public var kernelSet: KernelSet { KernelSet(rawValue: Int32(level)) ?? .plain }

    /// The plan of a graph, compiled at the first call and kept.
    ///
    /// - Parameter donating: output name → input name. That output may be written over the memory of that input, of the same
    ///   type: the caller binds both to one place. All reads of the input come first.
    /// - Throws: `MemoryError` if its memory does not fit, `PlanError` if it cannot be compiled or a library is missing,
    ///   `Cancelled`.
    public func plan(for graph: Graph, donating: [String: String] = [:]) throws -> Plan {
        try plan(for: graph, donating: donating, arenaLimit: .max)
    }

    /// As above, for a caller that can do with a smaller graph.
    /// - Parameter arenaLimit: the most bytes of intermediate values.
    /// - Throws: `ArenaLimitError` for a plan that needs more, before it takes any memory.
    public func plan(for graph: Graph, donating: [String: String] = [:], arenaLimit: Int) throws -> Plan {
        try plan(for: graph, companion: nil, donating: donating, arenaLimit: arenaLimit)
    }

    /// The plan of a graph that computes a companion beside it, a graph of the same inputs or some of them: outputs are the graph's,
    /// then the companion's. What both have in common is computed once, and the graph's outputs have the bits of its own plan.
    /// - Throws: as above.
    public func plan(
        for graph: Graph, with companion: Graph, donating: [String: String] = [:], arenaLimit: Int = .max
    ) throws -> Plan {
        try plan(for: graph, companion: companion, donating: donating, arenaLimit: arenaLimit)
    }

    private func plan(
        for graph: Graph, companion: Graph?, donating: [String: String], arenaLimit: Int
    ) throws -> Plan {
        let key = Key(graph: graph, companion: companion, donations: try Engine.donations(donating, in: graph))
        return try cache.withLock { cache in
            cache.clock += 1
            if let entry = cache.plans[key] {
                if entry.plan.arenaBytes > arenaLimit { throw ArenaLimitError(needed: entry.plan.arenaBytes) }
                cache.plans[key] = Entry(plan: entry.plan, lastUse: cache.clock)
                return entry.plan
            }
            try checkSizes(graph)
            if let companion { try checkSizes(companion) }
            let joined = try companion.map { try graph.optimized(with: $0, asking: Cancellation.check) }
            let plan = try Plan(
                joined?.graph ?? (optimizes ? graph.optimized(asking: Cancellation.check) : graph),
                donations: key.donations, executor: executor, account: account, level: level, arenaLimit: arenaLimit,
                companionCost: joined?.companionCost ?? Cost())
            cache.plans[key] = Entry(plan: plan, lastUse: cache.clock)
            Engine.trim(&cache)
            return plan
        }
    }

    /// Refuses a graph with a value that memory cannot hold before passes look at it, so that their counts of operations are
    /// numbers of a size that exists.
    private func checkSizes(_ graph: Graph) throws(MemoryError) {
        let limit = max(account.limit, MemoryAccount.shared.limit)
        for type in graph.types {
            let what = "a value \(type)"
            let bytes = try type.bytes(for: what)
            if bytes > limit { throw .overLimit(what: what, needed: bytes, used: account.used, limit: limit) }
        }
    }

    /// Lends an engine of one thread that has the kernels of this one, and so gives the same bits: for work that has a thread of its
    /// own beside others. It is kept, with its plans, for those who come later.
    public func withBranch<Result>(_ body: (_ branch: Engine) throws -> Result) throws -> Result {
        let known = branches.withLock { $0.popLast() }
        let branch = try known ?? Engine(threads: 1, account: account, kernelSet: kernelSet, optimizes: optimizes)
        defer { branches.withLock { $0.append(branch) } }
        return try body(branch)
    }

    /// Plans in the cache.
    public var cachedPlans: Int { cache.withLock { $0.plans.count } }

    /// Bytes of the arena that all plans of this engine share.
    public var arenaBytes: Int { executor.arenaBytes }

    private static func trim(_ cache: inout Cache) {
        var bytes = cache.plans.values.reduce(0) { $0 + $1.plan.constantBytes }
        while cache.plans.count > mostPlans || (bytes > mostConstantBytes && cache.plans.count > 1) {
            guard let oldest = cache.plans.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
            bytes -= oldest.value.plan.constantBytes
            cache.plans[oldest.key] = nil
        }
    }

    private static func donations(_ names: [String: String], in graph: Graph) throws(PlanError) -> [Int: Int] {
        var donations: [Int: Int] = [:]
        for (output, input) in names {
            guard let outputIndex = graph.outputIndex(output) else {
                throw .donation("donating: no output '\(output)'")
            }
            guard let inputIndex = graph.inputIndex(input) else { throw .donation("donating: no input '\(input)'") }
            let (outputType, inputType) = (
                graph.type(of: graph.outputs[outputIndex].value), graph.inputs[inputIndex].type
            )
            guard outputType == inputType else {
                throw .donation("donating: output '\(output)' is \(outputType), input '\(input)' is \(inputType)")
            }
            guard !donations.values.contains(inputIndex) else {
                throw .donation("donating: input '\(input)' is given to two outputs")
            }
            donations[outputIndex] = inputIndex
        }
        return donations
    }

    static func loadBLAS() throws(PlanError) {
        if let reason = ck_blas_load() { throw .library(String(cString: reason)) }
    }
}

/// A plan's intermediate values take more than its caller allows.
public struct ArenaLimitError: Error {
    /// Bytes of intermediate values of the graph as it was asked for.
    public let needed: Int

    public init(needed: Int) { self.needed = needed }
}

/// The kernels compiled for one instruction set.
public enum KernelSet: Int32, Sendable, CaseIterable, CustomStringConvertible {
    /// What every CPU of the architecture has.
    case plain = 0
    /// x86-64-v3: AVX2 and FMA.
    case v3 = 1
    /// x86-64-v4: AVX-512.
    case v4 = 2

    /// Those that this CPU has.
    public static var available: [KernelSet] { allCases.filter { $0.rawValue <= ck_best_level() } }

    public var description: String { String(cString: ck_level_name(rawValue)) }
}
