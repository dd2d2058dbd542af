import Compute
import Foundation
import Objectives

/// The full gradient with Gaussian noise that imitates batches of b samples (Andreyev & Beneventano 2024), C = (1/n) Σ(gᵢ − g)(gᵢ − g)ᵀ:
/// - `noisy_sgd`: N(0, C/b), as the gradient of Σ wᵢℓᵢ with w = 1/n + (I − 11ᵀ/n)ξ/√(nb);
/// - `noisy_diag`: N(0, diag(C)/b), which takes the gradient of each sample;
/// - `noisy_iso`: N(0, (tr C/(pb))I);
/// - `noisy_const`: N(0, (c²/b)I).
///
/// With `finite_population` the covariance is that of batches without replacement, (n − b)/(n − 1) times as large.
public struct NoisyGradient: GradientField {
    public enum Kind: String, Sendable, CaseIterable {
        case sgd = "noisy_sgd"
        case diagonal = "noisy_diag"
        case isotropic = "noisy_iso"
        case constant = "noisy_const"
    }

    public let kind: Kind
    /// b.
    public let batch: Double
    public let isFinite: Bool
    /// c.
    public let scale: Double

    static let declarations = Kind.allCases.map { kind in
        let summaries: [Kind: String] = [
            .sgd: "The full gradient plus N(0, C/b), C the covariance of the samples' gradients.",
            .diagonal: "The full gradient plus N(0, diag(C)/b): the gradient of each sample is taken.",
            .isotropic: "The full gradient plus N(0, (tr C/(pb))I).",
            .constant: "The full gradient plus N(0, (c²/b)I).",
        ]
        return FieldDeclaration(
            kind.rawValue, (summaries[kind] ?? "") + " [Andreyev & Beneventano 2024]",
            settings: [
                RuleSettingDeclaration("noise_batch", .positive, "b, the batch size whose noise is imitated."),
                kind == .constant
                    ? RuleSettingDeclaration("noise_scale", .nonNegative, "c.")
                    : RuleSettingDeclaration(
                        "finite_population", .flag, default: 0,
                        "True: as of batches without replacement, (n − b)/(n − 1) times the covariance."),
            ]
        ) {
            NoisyGradient(
                kind, batch: $0["noise_batch"] ?? 1, isFinite: ($0["finite_population"] ?? 0) != 0,
                scale: $0["noise_scale"] ?? 0)
        }
    }

    public init(_ kind: Kind, batch: Double, isFinite: Bool = false, scale: Double = 0) {
        (self.kind, self.batch, self.isFinite, self.scale) = (kind, batch, isFinite, scale)
    }

    public var name: String { kind.rawValue }
    public var settings: [(name: String, value: Double)] {
        [("noise_batch", batch)]
            + (kind == .constant ? [("noise_scale", scale)] : [("finite_population", isFinite ? 1 : 0)])
    }
    public var needsFullBatch: Bool { true }

    /// The noise is √(factor/b) times that of one sample.
    private func strength(_ count: Int) throws -> Double {
        let n = Double(count)
        guard batch <= n else {
            throw UpdateRuleError.badSetting(
                rule: name, setting: "noise_batch", value: batch, allowed: "at most the \(count) samples there are")
        }
        return ((isFinite && n > 1 ? (n - batch) / (n - 1) : 1) / batch).squareRoot()
    }

    public mutating func gradient(
        at theta: Vector, rate: Double, _ batch: StepOracle
    ) throws -> (loss: Double, gradient: Vector) {
        let count = batch.oracle.samples.count
        let strength = try strength(count)
        var stream = batch.stream(.noise, index: 2)
        if kind == .sgd {
            let draws = Self.centred(count, &stream)
            // Running values, and the loss, are those of the samples as they are.
            let weighted = try batch.gradient(at: theta, moving: true) { editor in
                for i in 0..<editor.count { editor.scale(i, by: 1 + Double(count).squareRoot() * strength * draws[i]) }
            }
            return (try batch.oracle.loss(at: theta), weighted.gradient)
        }
        var (loss, gradient) = try batch.gradient(at: theta)
        let noise = try Vector.randomNormal(count: theta.count, element: theta.element, stream: &stream)
        switch kind {
        case .constant: try gradient.add(strength * scale, noise)
        case .isotropic:
            let norms = try batch.oracle.batchGradientNorms(at: theta, batches: Array(0..<count), size: 1)
            let mean = norms.reduce(0, +) / Double(count)
            let trace = max(0, mean - gradient.squaredNorm)
            try gradient.add(strength * (trace / Double(theta.count)).squareRoot(), noise)
        default:
            var squares = [Double](repeating: 0, count: theta.count)
            for sample in 0..<count {
                let own = try batch.oracle.gradient(at: theta, over: .indices([sample])).gradient - gradient
                own.addSquares(to: &squares)
            }
            let roots = try Vector(
                squares.map { ($0 / Double(count)).squareRoot() }, element: theta.element)
            try gradient.add(strength, noise.multiplied(by: roots))
        }
        return (loss, gradient)
    }

    /// (I − 11ᵀ/n)ξ.
    static func centred(_ count: Int, _ stream: inout RandomStream) -> [Double] {
        let draws = (0..<count).map { _ in stream.normal() }
        let mean = draws.reduce(0, +) / Double(count)
        return draws.map { $0 - mean }
    }
}

extension Vector {
    /// Adds each element's square.
    fileprivate func addSquares(to sums: inout [Double]) {
        withUnsafeBytes { bytes in
            for i in 0..<count {
                let x =
                    element == .f64
                    ? bytes.load(fromByteOffset: 8 * i, as: Double.self)
                    : Double(bytes.load(fromByteOffset: 4 * i, as: Float.self))
                sums[i] += x * x
            }
        }
    }

    /// Element by element.
    fileprivate func multiplied(by other: Vector) throws -> Vector {
        try Vector(zip(values, other.values).map { $0 * $1 }, element: element)
    }
}
