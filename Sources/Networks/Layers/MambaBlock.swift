import Foundation
import Graph

/// The Mamba block (Gu & Dao 2023): a sequence `[T, d]` to `[T, d]`. Of two branches x, z of width E·d, x goes through a causal
/// depthwise convolution, silu and the selective scan, and is gated by silu(z).
///
/// The scan, for each of the E·d channels with `states` numbers of state: Δ = softplus(W_Δ·δ + b), where δ, B, C are linear in x;
/// s ← exp(ΔA)s + ΔBx with A = −exp(`A_log`), y = C·s + Dx.
///
/// Parameters in the order of the reference's state_dict: `A_log` `[E·d, states]`, `D`, `in_proj.weight`, `conv1d.weight`,
/// `conv1d.bias`, `x_proj.weight`, `dt_proj.weight`, `dt_proj.bias`, `out_proj.weight`.
public struct MambaBlock {
    public var width: Int
    public var states: Int
    public var expansion: Int
    public var kernel: Int
    /// The width of δ; d/16 rounded up by default.
    public var rank: Int
    public var weight: InitializationRule
    /// Of `dt_proj.weight`.
    public var stepWeight: InitializationRule
    public var stepBias: InitializationRule

    /// Initial values of the central-flows code: N(0, 0.02²) for all linear maps, zero bias of Δ, PyTorch's for the convolution, A =
    /// −1, −2, …, D = 1.
    public init(
        width: Int, states: Int = 16, expansion: Int = 2, kernel: Int = 4, rank: Int? = nil,
        weight: InitializationRule = .normal(std: 0.02), stepWeight: InitializationRule = .normal(std: 0.02),
        stepBias: InitializationRule = .zeros
    ) {
        self.width = width
        self.states = states
        self.expansion = expansion
        self.kernel = kernel
        self.rank = rank ?? width / 16 + (width % 16).signum()
        self.weight = weight
        self.stepWeight = stepWeight
        self.stepBias = stepBias
    }

    public var layer: Layer {
        Layer(kind: "mamba block") { x, scope in try forward(x, scope) }
    }

    private func forward(_ input: Symbolic, _ scope: LayerScope) throws -> Symbolic {
        guard input.shape.count == 2, input.shape[1] == width else {
            throw GraphError("it takes sequences of width \(width), its input has shape \(input.shape)")
        }
        try checkExtents(
            "mamba", ["width": width, "states": states, "expansion": expansion, "kernel": kernel, "rank": rank])
        let inner = expansion * width
        func matrix(_ name: String, _ shape: [Int], _ rule: InitializationRule? = nil) throws -> Symbolic {
            try scope[name].parameter("weight", shape, (rule ?? weight)(shape))
        }
        let logs = try scope.parameter(
            "A_log", [inner, states], .repeating((1...states).map { log(Double($0)) }))
        let direct = try scope.parameter("D", [inner], .constant(1))
        let into = try matrix("in_proj", [2 * inner, width])
        let filter = try matrix("conv1d", [inner, 1, kernel], .pyTorch)
        let filterBias = try scope["conv1d"].parameter("bias", [inner], Initializer.pyTorch(kernel))
        let selection = try matrix("x_proj", [rank + 2 * states, inner])
        let step = try matrix("dt_proj", [inner, rank], stepWeight)
        let stepOffset = try scope["dt_proj"].parameter("bias", [inner], stepBias([inner, rank]))
        let out = try matrix("out_proj", [width, inner])

        let branches = try input.projected(by: into).split([inner, inner], axis: 1)
        // Channels first; so many zeros in front that place t sees t − kernel + 1 … t.
        let padded = try branches[0].transposed([1, 0]).padded(low: [0, kernel - 1], high: [0, 0])
        let filtered = try padded.conv1d(filter, groups: inner).transposed([1, 0]) + filterBias
        let x = try Activation.silu(filtered)
        let parts = try x.projected(by: selection).split([rank, states, states], axis: 1)
        let delta = try (parts[0].projected(by: step) + stepOffset).softplus()
        let y = try Self.selectiveScan(x, delta: delta, rates: logs.exp().negated(), into: parts[1], out: parts[2])
        return try ((y + direct * x) * Activation.silu(branches[1])).projected(by: out)
    }

    /// - Parameters:
    ///   - x, delta: `[T, channels]`.
    ///   - rates: A, `[channels, states]`.
    ///   - into, out: B and C, `[T, states]`.
    static func selectiveScan(
        _ x: Symbolic, delta: Symbolic, rates: Symbolic, into: Symbolic, out: Symbolic
    ) throws -> Symbolic {
        let decay = try (delta.expanded(axis: 2) * rates).exp()
        let feed = try (delta * x).expanded(axis: 2) * into.expanded(axis: 1)
        let body = GraphBuilder()
        let type = TensorType(x.type.element, rates.shape)
        let values = ["state", "decay", "feed"].map { Symbolic(body.input($0, type), in: body) }
        let next = try values[1] * values[0] + values[2]
        let scan = Scan(
            body: body.build(outputs: [("state", next.value)]), carries: 1, stacked: 2, length: x.shape[0])
        let zero = try x.constant(0, shape: rates.shape)
        try scan.checkLength()
        let states = try x.builder.applyAll(scan, [zero.value, decay.value, feed.value])[0]
        return try Symbolic(states, in: x.builder).contracted(with: out, batch: 1, own: 2, others: 1)
    }
}

extension Layer {
    /// A Mamba block over a sequence `[T, width]`.
    public static func mamba(_ width: Int, states: Int = 16, expansion: Int = 2, kernel: Int = 4) -> Layer {
        MambaBlock(width: width, states: states, expansion: expansion, kernel: kernel).layer
    }
}
