/// An initialisation as a function of a weight's shape: what a layer takes.
public struct InitializationRule {
    private let rule: (_ weight: [Int]) throws -> Initializer

    /// - Parameter rule: from the shape of the layer's weight, `[out, in, …]`, also where it is its bias that is to be drawn.
    public init(_ rule: @escaping (_ weight: [Int]) throws -> Initializer) { self.rule = rule }

    /// - Throws: `GraphError` when the rule needs fans and the weight has none.
    public func callAsFunction(_ weight: [Int]) throws -> Initializer { try rule(weight) }

    /// This rule's numbers times a factor.
    public func scaled(by factor: Double) -> InitializationRule {
        InitializationRule { try self($0).scaled(by: factor) }
    }

    /// The same for every shape.
    public static func fixed(_ initializer: Initializer) -> InitializationRule {
        InitializationRule { _ in initializer }
    }

    public static var zeros: InitializationRule { fixed(.zeros) }
    public static var ones: InitializationRule { fixed(.constant(1)) }
    public static func constant(_ value: Double) -> InitializationRule { fixed(.constant(value)) }
    public static func normal(std: Double, mean: Double = 0) -> InitializationRule {
        fixed(.normal(std: std, mean: mean))
    }
    public static func uniform(from: Double, to: Double) -> InitializationRule { fixed(.uniform(from: from, to: to)) }
    public static func truncatedNormal(
        std: Double, mean: Double = 0, low: Double = -2, high: Double = 2
    ) -> InitializationRule {
        fixed(.truncatedNormal(std: std, mean: mean, low: low, high: high))
    }

    /// PyTorch's default of linear and convolution layers, for weights and biases: uniform on ±1/√fan_in.
    public static var pyTorch: InitializationRule { InitializationRule { .pyTorch(try Fans($0).fanIn) } }

    /// Which fan of a weight its variance goes by.
    public enum Fan: String, Sendable, Hashable, CaseIterable {
        case fanIn = "fan_in"
        case fanOut = "fan_out"

        func count(_ shape: [Int]) throws -> Int {
            let fans = try Fans(shape)
            return self == .fanIn ? fans.fanIn : fans.fanOut
        }
    }

    /// N(0, gain²/fan); the gain √2 is that of ReLU.
    public static func kaimingNormal(
        _ fan: Fan = .fanIn, gain: Double = 2.0.squareRoot(), scale: Double = 1
    ) -> InitializationRule {
        InitializationRule { .kaimingNormal(fanIn: try fan.count($0), scale: scale, gain: gain) }
    }

    /// Uniform with the variance of `kaimingNormal`.
    public static func kaimingUniform(
        _ fan: Fan = .fanIn, gain: Double = 2.0.squareRoot(), scale: Double = 1
    ) -> InitializationRule {
        InitializationRule { .kaimingUniform(fanIn: try fan.count($0), scale: scale, gain: gain) }
    }

    /// N(0, gain²·2/(fan_in + fan_out)).
    public static func xavierNormal(gain: Double = 1) -> InitializationRule {
        InitializationRule {
            let fans = try Fans($0)
            return .xavierNormal(fanIn: fans.fanIn, fanOut: fans.fanOut, gain: gain)
        }
    }

    /// Uniform with the variance of `xavierNormal`.
    public static func xavierUniform(gain: Double = 1) -> InitializationRule {
        InitializationRule {
            let fans = try Fans($0)
            return .xavierUniform(fanIn: fans.fanIn, fanOut: fans.fanOut, gain: gain)
        }
    }

    /// The EoSS code's choice by activation, × `scale`: Xavier normal with gain 5/3 for tanh, else Kaiming normal (fan-in).
    public static func eoss(_ activation: Activation, scale: Double) -> InitializationRule {
        activation == .tanh ? xavierNormal(gain: scale * 5 / 3) : kaimingNormal(scale: scale)
    }
}
