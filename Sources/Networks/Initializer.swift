import Compute
import Graph

/// How the elements of a parameter are drawn at the start.
public enum Initializer: Sendable, Hashable {
    case zeros
    case constant(Double)
    case normal(std: Double, mean: Double = 0)
    case uniform(from: Double, to: Double)

    /// N(0, 2/fan_in), scaled: He et al. 2015, for ReLU networks.
    public static func kaimingNormal(fanIn: Int, scale: Double = 1) -> Initializer {
        .normal(std: scale * (2 / Double(fanIn)).squareRoot())
    }

    /// N(0, gain²·2/(fan_in + fan_out)): Glorot & Bengio 2010.
    public static func xavierNormal(fanIn: Int, fanOut: Int, gain: Double = 1) -> Initializer {
        .normal(std: gain * (2 / Double(fanIn + fanOut)).squareRoot())
    }

    /// Fills one parameter from its own stream.
    func fill(_ vector: inout Vector, entry: ParameterLayout.Entry, stream: inout RandomStream) throws {
        let element = vector.element
        try vector.withUnsafeMutableBytes { bytes in
            let start = entry.offset * element.byteCount
            let region = UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + entry.count * element.byteCount])
            switch element {
            case .f32: fill(region.bindMemory(to: Float.self), &stream)
            case .f64: fill(region.bindMemory(to: Double.self), &stream)
            default: preconditionFailure("parameters are real")
            }
        }
    }

    private func fill(_ x: UnsafeMutableBufferPointer<Float>, _ stream: inout RandomStream) {
        switch self {
        case .zeros: x.update(repeating: 0)
        case .constant(let c): x.update(repeating: Float(c))
        case .normal(let std, let mean): stream.fillNormal(x, mean: mean, std: std)
        case .uniform(let from, let to): stream.fillUniform(x, low: from, high: to)
        }
    }

    private func fill(_ x: UnsafeMutableBufferPointer<Double>, _ stream: inout RandomStream) {
        switch self {
        case .zeros: x.update(repeating: 0)
        case .constant(let c): x.update(repeating: c)
        case .normal(let std, let mean): stream.fillNormal(x, mean: mean, std: std)
        case .uniform(let from, let to): stream.fillUniform(x, low: from, high: to)
        }
    }
}
