import LuaBridge
import Networks

/// `eoss.init`: initial values of parameters.
extension ScriptHost {
    func addInitializers(to eoss: Namespace) {
        let inits = eoss.namespace("init", "Initial values of parameters.")
        addPlainInitializers(to: inits)
        addScaledInitializers(to: inits)
    }

    private static let result = [
        Parameter("initializer", .object("initializer"), "For layers and for the parameters of eoss.nn.module.")
    ]

    private func addPlainInitializers(to inits: Namespace) {
        inits.function("zeros", "All zero.", results: Self.result) { _ in InitializerObject("zeros", .zeros) }
        inits.function("ones", "All one.", results: Self.result) { _ in InitializerObject("ones", .ones) }
        inits.function(
            "constant", "All the same.", parameters: [Parameter("value", .number(.finite), "The value.")],
            results: Self.result
        ) { call in
            let value: Double = try call.get("value")
            return InitializerObject("constant(\(value))", .constant(value))
        }
        let mean = Parameter("mean", .number(.finite), default: 0.0, "The mean.")
        let std = Parameter("std", .number(.nonNegative), default: 1.0, "The standard deviation.")
        inits.function("normal", "Independent normal numbers.", options: [std, mean], results: Self.result) { call in
            let (std, mean): (Double, Double) = (try call.get("std"), try call.get("mean"))
            return InitializerObject("normal{ std = \(std), mean = \(mean) }", .normal(std: std, mean: mean))
        }
        inits.function(
            "truncated_normal", "Normal numbers within two bounds; others are drawn again.",
            options: [
                std, mean, Parameter("from", .number(.finite), default: -2.0, "The lower bound."),
                Parameter("to", .number(.finite), default: 2.0, "The upper bound."),
            ], results: Self.result
        ) { call in
            let (std, mean): (Double, Double) = (try call.get("std"), try call.get("mean"))
            let (low, high): (Double, Double) = (try call.get("from"), try call.get("to"))
            return InitializerObject(
                "truncated_normal{ std = \(std), mean = \(mean), from = \(low), to = \(high) }",
                .truncatedNormal(std: std, mean: mean, low: low, high: high))
        }
        inits.function(
            "uniform", "Independent uniform numbers.",
            options: [
                Parameter("from", .number(.finite), default: -1.0, "The lower end."),
                Parameter("to", .number(.finite), default: 1.0, "The upper end."),
            ], results: Self.result
        ) { call in
            let (from, to): (Double, Double) = (try call.get("from"), try call.get("to"))
            guard from <= to else { throw ArgumentError("eoss.init.uniform: 'from' is above 'to'") }
            return InitializerObject("uniform{ from = \(from), to = \(to) }", .uniform(from: from, to: to))
        }
    }

    private func addScaledInitializers(to inits: Namespace) {
        inits.function(
            "pytorch", "Uniform on ±1/√fan_in: what PyTorch gives linear and convolution layers.", results: Self.result
        ) { _ in InitializerObject("pytorch", .pyTorch) }
        let kaiming = [
            Parameter("scale", .number(.nonNegative), default: 1.0, "Multiplies the standard deviation."),
            Parameter(
                "fan", .choice(InitializationRule.Fan.allCases.map(\.rawValue)), default: "fan_in",
                "fan_in: the product of all extents but the first; fan_out: of all but the second."),
        ]
        for uniform in [false, true] {
            let name = uniform ? "kaiming_uniform" : "kaiming_normal"
            inits.function(
                name,
                uniform
                    ? "Uniform with mean 0 and variance 2/fan × scale² (He et al. 2015)."
                    : "N(0, 2/fan) × scale (He et al. 2015).", options: kaiming, results: Self.result
            ) { call in
                let scale: Double = try call.get("scale")
                let fan: InitializationRule.Fan = try call.choice("fan")
                return InitializerObject(
                    "\(name){ scale = \(scale), fan = \"\(fan.rawValue)\" }",
                    uniform ? .kaimingUniform(fan, scale: scale) : .kaimingNormal(fan, scale: scale))
            }
        }
        let gain = Parameter("gain", .number(.nonNegative), default: 1.0, "Multiplies the standard deviation.")
        for uniform in [false, true] {
            let name = uniform ? "xavier_uniform" : "xavier_normal"
            inits.function(
                name,
                uniform
                    ? "Uniform with mean 0 and variance 2/(fan_in + fan_out) × gain² (Glorot & Bengio 2010)."
                    : "N(0, 2/(fan_in + fan_out)) × gain (Glorot & Bengio 2010).", options: [gain], results: Self.result
            ) { call in
                let gain: Double = try call.get("gain")
                return InitializerObject(
                    "\(name){ gain = \(gain) }", uniform ? .xavierUniform(gain: gain) : .xavierNormal(gain: gain))
            }
        }
    }
}
