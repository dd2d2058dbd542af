import Compute
import Graph
import Networks

/// What an oracle computes with a plan of its own.
enum OracleWork: Hashable {
    case samples
    /// Where they are kept, the outputs of the samples come with it.
    case gradient(updating: Bool, keepingOutputs: Bool = false)
    /// A training step of this kind.
    case update(ElementwiseUpdate)
    case directional(order: Int)
    case quadratic(CurvatureMatrix)
    case linearized(CurvatureMatrix)
    case linearizedQuadratic(CurvatureMatrix)
    case linearizedDirectional(order: Int)
    /// Of batches of so many samples; what is counted are batches.
    case batches(BatchQuantity, size: Int)
    /// Of so many samples with each other, or with as many others.
    case gram(GramRows, pair: Bool)

    /// For messages and the run file.
    var quantity: String {
        switch self {
        case .samples: "losses"
        case .gradient: "gradient"
        case .update(let update): update == .descent ? "descent" : "training step"
        case .directional(let order), .linearizedDirectional(let order): "derivative of order \(order + 1)"
        case .quadratic(let matrix), .linearizedQuadratic(let matrix):
            matrix == .hessian ? "quadratic form" : "quadratic form of the \(matrix.words)"
        case .linearized(let matrix): matrix == .hessian ? "Hessian-vector product" : "product with the \(matrix.words)"
        case .batches(let quantity, let size): "\(quantity.words) (b = \(size))"
        case .gram(let rows, _): "Gram matrix of \(rows.words)"
        }
    }
}

/// What is computed of many batches at once.
enum BatchQuantity: Hashable {
    case curvature(CurvatureMatrix)
    case momentumCurvature
    case gradientNorms
    /// Along so many directions.
    case slopes(Int)

    var words: String {
        switch self {
        case .curvature: "batch curvature"
        case .momentumCurvature: "batch curvature along steps with momentum"
        case .gradientNorms: "norms of batch gradients"
        case .slopes: "slopes of batch losses"
        }
    }
}

extension CurvatureMatrix {
    /// For messages.
    public var words: String {
        switch self {
        case .hessian: "Hessian"
        case .ggn: "Gauss-Newton matrix"
        case .fisher: "Fisher matrix"
        case .ntk: "tangent kernel"
        }
    }
}

/// The plans of an objective, shared by its oracles; those not used for long are given up and made again when needed.
final class PlanCache {
    struct Key: Hashable {
        let work: OracleWork
        let use: StatisticsUse
        let count: Int
    }

    /// As many as a run that tracks every probe, at two batch sizes, comes back to.
    var plans = RecentlyUsed<Key, Plan>(capacity: mostPlans)
    var linearized = RecentlyUsed<Key, LinearizedProgram>(capacity: mostLinearized)
    private static let (mostPlans, mostLinearized) = (96, 32)
    /// Σ `Plan.work` of all plans run.
    var work = 0.0
    /// Whether what runs is not to be cancelled.
    var isWhole = false
    /// Whether a training step may be, for all that it moves lies twice.
    var answers = false
    /// Chunk sizes by work and the number of samples it is done over.
    var sizes = RecentlyUsed<Key, Int>(capacity: 256)

    /// What makes plans.
    private(set) var engine: Engine
    /// Where they were made, while another engine computes.
    private var home: Home?
    private struct Home {
        var engine: Engine
        var plans: RecentlyUsed<Key, Plan>
        var linearized: RecentlyUsed<Key, LinearizedProgram>
    }
    /// Who may use it and the oracles that share it, where several threads know of them.
    var custody: Custody?

    init(_ engine: Engine) { self.engine = engine }

    /// The same plans, and an account of work of its own that goes on from this one's.
    /// - Parameter atHome: on the engine that it began with, wherever the other is.
    init(copying other: PlanCache, atHome: Bool) {
        engine = other.engine
        (plans, linearized, sizes, work) = (other.plans, other.linearized, other.sizes, other.work)
        if atHome, let home = other.home { (engine, plans, linearized) = (home.engine, home.plans, home.linearized) }
    }

    /// From now on another engine computes, which makes plans of its own; sizes stay, for they depend on no engine.
    func depart(to other: Engine) {
        if home == nil { home = Home(engine: engine, plans: plans, linearized: linearized) }
        (engine, plans, linearized) = (
            other, RecentlyUsed(capacity: Self.mostPlans),
            RecentlyUsed(capacity: Self.mostLinearized)
        )
    }

    /// The one that it began with.
    var engineAtHome: Engine { home?.engine ?? engine }

    func comeHome() {
        guard let home else { return }
        (engine, plans, linearized) = (home.engine, home.plans, home.linearized)
        self.home = nil
    }
}

/// A dictionary of at most so many entries: the one that was not used for the longest time goes first.
struct RecentlyUsed<Key: Hashable, Value> {
    private let capacity: Int
    private var entries: [Key: (value: Value, lastUse: Int)] = [:]
    private var clock = 0

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { entries.count }

    subscript(key: Key) -> Value? {
        mutating get {
            guard let index = entries.index(forKey: key) else { return nil }
            clock += 1
            entries.values[index].lastUse = clock
            return entries.values[index].value
        }
        set {
            clock += 1
            entries[key] = newValue.map { ($0, clock) }
            if entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
                entries[oldest] = nil
            }
        }
    }
}
