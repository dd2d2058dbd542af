import Compute
import Foundation
import Graph

/// How the elements of a parameter are drawn at the start.
public enum Initializer: Sendable, Hashable {
    case zeros
    case constant(Double)
    case normal(std: Double, mean: Double = 0)
    case uniform(from: Double, to: Double)
    /// N(mean, std²) conditioned on [low, high], bounds in the parameter's own units as in PyTorch's `trunc_normal_`.
    case truncatedNormal(std: Double, mean: Double = 0, low: Double = -2, high: Double = 2)
    /// These numbers, over and over.
    case repeating([Double])

    /// This initialisation times a factor: an output layer × 0, EoSS' `init_scale`.
    public func scaled(by factor: Double) -> Initializer {
        switch self {
        case .zeros: .zeros
        case .constant(let value): .constant(factor * value)
        case .normal(let std, let mean): .normal(std: abs(factor) * std, mean: factor * mean)
        case .uniform(let from, let to):
            .uniform(from: min(factor * from, factor * to), to: max(factor * from, factor * to))
        case .truncatedNormal(let std, let mean, let low, let high):
            .truncatedNormal(
                std: abs(factor) * std, mean: factor * mean, low: min(factor * low, factor * high),
                high: max(factor * low, factor * high))
        case .repeating(let values): .repeating(values.map { factor * $0 })
        }
    }

    /// What is wrong with the numbers of an initialisation, if anything is.
    func problem() -> String? {
        switch self {
        case .normal(let std, _) where !(std >= 0): "a standard deviation of \(std)"
        case .uniform(let from, let to) where !(from <= to): "the lower end \(from) is above the upper end \(to)"
        case .truncatedNormal(let std, _, let low, let high) where !(std >= 0 && low <= high):
            "a standard deviation of \(std) within [\(low), \(high)]"
        // A rejected draw is drawn again: an interval far in the tail would take for ever.
        case .truncatedNormal(let std, let mean, let low, let high)
        where std > 0 && (low > mean + 6 * std || high < mean - 6 * std || high - low < 1e-6 * std):
            "[\(low), \(high)] holds next to nothing of N(\(mean), \(std)²)"
        case .truncatedNormal(0, let mean, let low, let high) where mean < low || mean > high:
            "the mean \(mean) lies outside [\(low), \(high)]"
        case .repeating(let values) where values.isEmpty: "no values"
        default: nil
        }
    }

    /// Fills one parameter from its own stream.
    /// - Throws: `GraphError` that names the parameter when the numbers make no distribution, `Cancelled`.
    func fill(_ vector: inout Vector, entry: ParameterLayout.Entry, stream: inout RandomStream) throws {
        if let problem = problem() {
            throw GraphError("initial values of parameter '\(entry.name)': \(problem)")
        }
        let element = vector.element
        try vector.withUnsafeMutableBytes { bytes in
            let start = entry.offset * element.byteCount
            let region = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + entry.count * element.byteCount])
            switch element {
            case .f32: try fill(region.bindMemory(to: Float.self), &stream)
            case .f64: try fill(region.bindMemory(to: Double.self), &stream)
            default: preconditionFailure("parameters are real")
            }
        }
    }

    private func fill(_ x: UnsafeMutableBufferPointer<Float>, _ stream: inout RandomStream) throws(Cancelled) {
        for stretch in x.indices.stretches {
            try Cancellation.check()
            let part = UnsafeMutableBufferPointer(rebasing: x[stretch])
            switch self {
            case .normal(let std, let mean): stream.fillNormal(part, mean: mean, std: std)
            case .uniform(let from, let to): stream.fillUniform(part, low: from, high: to)
            default: for i in stretch { x[i] = Float(element(i, &stream)) }
            }
        }
    }

    private func fill(_ x: UnsafeMutableBufferPointer<Double>, _ stream: inout RandomStream) throws(Cancelled) {
        for stretch in x.indices.stretches {
            try Cancellation.check()
            let part = UnsafeMutableBufferPointer(rebasing: x[stretch])
            switch self {
            case .normal(let std, let mean): stream.fillNormal(part, mean: mean, std: std)
            case .uniform(let from, let to): stream.fillUniform(part, low: from, high: to)
            default: for i in stretch { x[i] = element(i, &stream) }
            }
        }
    }

    /// The next element, the `index`-th.
    private func element(_ index: Int, _ stream: inout RandomStream) -> Double {
        switch self {
        case .zeros: return 0
        case .constant(let value): return value
        case .normal(let std, let mean): return mean + std * stream.normal()
        case .uniform(let from, let to): return from + (to - from) * stream.uniform()
        case .repeating(let values): return values[index % values.count]
        case .truncatedNormal(let std, let mean, let low, let high):
            while true {
                let value = mean + std * stream.normal()
                if value >= low && value <= high { return value }
            }
        }
    }
}

/// The fans of a weight `[out, in, …]` by PyTorch's count: `fan_in` is the product of all extents but the first, `fan_out` of all
/// but the second.
public struct Fans: Sendable, Hashable {
    public let fanIn: Int
    public let fanOut: Int

    /// - Throws: `GraphError` for a shape of fewer than two axes.
    public init(_ shape: [Int]) throws(GraphError) {
        guard shape.count >= 2 else {
            throw GraphError("this initialisation needs two axes or more, the shape is \(shape)")
        }
        // An overflow is an error of the tensor whose extents these are.
        fanIn = try TensorType(.f32, Array(shape.dropFirst())).elementCount()
        fanOut = try TensorType(.f32, [shape[0]] + shape.dropFirst(2)).elementCount()
    }
}

extension Initializer {
    /// N(0, gain²/fan): He et al. 2015, for ReLU networks with the gain √2; `fan` is fan-in or fan-out.
    public static func kaimingNormal(
        fanIn fan: Int, scale: Double = 1, gain: Double = 2.0.squareRoot()
    ) -> Initializer {
        .normal(std: scale * gain / Double(fan).squareRoot())
    }

    /// Uniform on ±gain·√(3/fan): the same variance.
    public static func kaimingUniform(
        fanIn fan: Int, scale: Double = 1, gain: Double = 2.0.squareRoot()
    ) -> Initializer {
        let bound = scale * gain * (3 / Double(fan)).squareRoot()
        return .uniform(from: -bound, to: bound)
    }

    /// N(0, gain²·2/(fan_in + fan_out)): Glorot & Bengio 2010.
    public static func xavierNormal(fanIn: Int, fanOut: Int, gain: Double = 1) -> Initializer {
        .normal(std: gain * (2 / Double(fanIn + fanOut)).squareRoot())
    }

    /// Uniform on ±gain·√(6/(fan_in + fan_out)): the same variance.
    public static func xavierUniform(fanIn: Int, fanOut: Int, gain: Double = 1) -> Initializer {
        let bound = gain * (6 / Double(fanIn + fanOut)).squareRoot()
        return .uniform(from: -bound, to: bound)
    }

    /// Uniform on ±1/√count. With fan-in what PyTorch gives weights and biases of linear and convolution layers (`kaiming_uniform_`
    /// with a = √5 is just this), with the hidden size those of an LSTM.
    public static func pyTorch(_ count: Int) -> Initializer {
        let bound = 1 / Double(count).squareRoot()
        return .uniform(from: -bound, to: bound)
    }
}
