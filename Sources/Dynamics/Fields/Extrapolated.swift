import Compute
import Objectives

/// (1/K) Σ_k ∇L_{B_k}(θ − γ̂ζᵏ) over the K chunks of a batch (Lin et al. 2020), with ζᵏ
/// - `extrap`: ∇L_{B_k}(θ), each chunk its own;
/// - `extragradient`: ∇L_B(θ);
/// - `extrap_previous`: the vector of the step before, 0 at the first;
/// - `extrap_noise`: standard normal numbers.
public struct Extrapolated: GradientField {
    public enum Kind: String, Sendable, CaseIterable {
        case local = "extrap"
        case global = "extragradient"
        case previous = "extrap_previous"
        case noise = "extrap_noise"
    }

    public let kind: Kind
    /// γ̂.
    public let distance: Double
    /// K.
    public let chunks: Int
    public var state = UpdateState()

    static let declarations = Kind.allCases.map { kind in
        let summaries: [Kind: String] = [
            .local: "The mean gradient of the batch's chunks, each a step of its own ahead. [Lin et al. 2020]",
            .global: "The gradient a step ahead. [Korpelevich 1976; Lin et al. 2020]",
            .previous: "The gradient ahead by the step before. [Lin et al. 2020]",
            .noise: "The mean gradient of the batch's chunks, each at a random point near by. [Lin et al. 2020]",
        ]
        return FieldDeclaration(
            kind.rawValue, summaries[kind] ?? "",
            settings: [
                RuleSettingDeclaration(
                    "gamma", .nonNegative, "γ̂, how far ahead: the extrapolation's own learning rate."),
                RuleSettingDeclaration("chunks", .positive, default: 1, "K, into how many parts the batch is cut."),
            ]
        ) { try Extrapolated(kind, distance: $0["gamma"] ?? 0, chunks: $0["chunks"] ?? 1) }
    }

    public init(_ kind: Kind, distance: Double, chunks: Double = 1) throws {
        guard let count = Int(exactly: chunks), count >= 1 else {
            throw UpdateRuleError.badSetting(
                rule: kind.rawValue, setting: "chunks", value: chunks, allowed: "an integer >= 1")
        }
        (self.kind, self.distance, self.chunks) = (kind, distance, count)
    }

    public var name: String { kind.rawValue }
    public var settings: [(name: String, value: Double)] { [("gamma", distance), ("chunks", Double(chunks))] }
    public var isPlain: Bool { distance == 0 }
    public var draws: Bool { kind == .noise }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let parts = try batch.chunks(chunks, of: name)
        var loss = 0.0
        var shared: Vector?
        switch kind {
        case .global:
            let own = try batch.gradient(at: theta)
            (loss, shared) = (own.loss, own.gradient)
        case .previous: shared = state.vectors.first
        case .local, .noise: break
        }
        var stream = batch.stream(.noise, index: 0)
        var sum = try Vector(zeros: theta.count, element: theta.element)
        for part in parts {
            var ahead = theta
            switch kind {
            case .local:
                let own = try batch.gradient(at: theta, over: part, moving: true)
                loss += own.loss / Double(parts.count)
                try ahead.add(-distance, own.gradient)
            case .noise:
                let noise = try Vector.randomNormal(count: theta.count, element: theta.element, stream: &stream)
                try ahead.add(-distance, noise)
            case .global, .previous: if let shared { try ahead.add(-distance, shared) }
            }
            // Where nothing was looked at the point itself, the batch's statistics are those of the point ahead.
            let movesHere = kind == .previous || kind == .noise
            let there = try batch.gradient(at: ahead, over: part, moving: movesHere)
            if movesHere { loss += there.loss / Double(parts.count) }
            try sum.add(1 / Double(parts.count), there.gradient)
        }
        if kind == .previous { state.vectors = [sum] }
        return (loss, sum)
    }
}
