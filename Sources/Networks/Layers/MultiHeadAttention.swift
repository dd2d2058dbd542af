import Graph

/// Attention of a sequence `[T, d]` to itself or to another `[S, d]`, with PyTorch's `nn.MultiheadAttention` names: parameters
/// `in_proj_weight` `[3d, d]` (queries, keys, values), `in_proj_bias` `[3d]`, `out_proj.weight` `[d, d]`, `out_proj.bias` `[d]`.
public struct MultiHeadAttention {
    public var width: Int
    public var heads: Int
    /// Whether a place looks only at itself and places before it.
    public var isCausal: Bool
    public var bias: Bool
    public var weight: InitializationRule
    public var outputWeight: InitializationRule

    /// Initial values are PyTorch's: Xavier uniform for the input projection, ±1/√d for the output projection, zero biases.
    public init(
        width: Int, heads: Int, isCausal: Bool = false, bias: Bool = true,
        weight: InitializationRule = .xavierUniform(),
        outputWeight: InitializationRule = .pyTorch
    ) {
        self.width = width
        self.heads = heads
        self.isCausal = isCausal
        self.bias = bias
        self.weight = weight
        self.outputWeight = outputWeight
    }

    /// - Parameter memory: the sequence looked at; nil is the query's own.
    public func callAsFunction(_ query: Symbolic, memory: Symbolic? = nil, in scope: LayerScope) throws -> Symbolic {
        try scope.row("attention, \(heads) heads", [query] + (memory.map { [$0] } ?? [])) { inputs in
            try checkExtents("attention", ["width": width, "heads": heads])
            for input in inputs where input.shape.count != 2 || input.shape[1] != width {
                throw GraphError("it takes sequences of width \(width), its input has shape \(input.shape)")
            }
            guard width % heads == 0 else {
                throw GraphError("\(heads) heads do not divide the width \(width)")
            }
            let (into, out) = ([3 * width, width], [width, width])
            let projection = try scope.parameter("in_proj_weight", into, weight(into))
            let offset = bias ? try scope.parameter("in_proj_bias", [3 * width], .zeros) : nil
            let last = try scope["out_proj"].parameter("weight", out, outputWeight(out))
            let parts = try project(inputs, projection, offset).map { try $0.separatingHeads(heads) }
            let mask = isCausal ? try Self.mask(parts[0].shape[1], parts[1].shape[1], query: query, in: inputs[0]) : nil
            let mixed = try parts[0].attention(keys: parts[1], values: parts[2], mask: mask).joiningHeads()
            let output = try mixed.projected(by: last)
            return bias ? try output + scope["out_proj"].parameter("bias", [width], .zeros) : output
        }
    }

    /// Queries, keys and values.
    private func project(_ inputs: [Symbolic], _ weight: Symbolic, _ bias: Symbolic?) throws -> [Symbolic] {
        func apply(_ x: Symbolic, _ from: Int, _ to: Int) throws -> Symbolic {
            let y = try x.projected(by: weight.slice(axis: 0, from: from, to: to))
            return try bias.map { try y + $0.slice(axis: 0, from: from, to: to) } ?? y
        }
        if inputs.count == 1 { return try apply(inputs[0], 0, 3 * width).split([width, width, width], axis: 1) }
        return [try apply(inputs[0], 0, width)]
            + (try apply(inputs[1], width, 3 * width).split([width, width], axis: 1))
    }

    private static func mask(_ own: Int, _ others: Int, query: Symbolic, in x: Symbolic) throws -> Symbolic {
        guard own == others else {
            throw GraphError("a causal mask needs as many places to look at as there are, not \(others) for \(own)")
        }
        return try .causalMask(own, in: x.builder)
    }

    /// The attention of a sequence to itself as a layer.
    public var layer: Layer { Layer { x, scope in try self(x, in: scope) } }
}

extension Layer {
    /// Attention of a sequence `[T, width]` to itself, as `nn.MultiheadAttention`.
    public static func attention(_ width: Int, heads: Int, isCausal: Bool = false, bias: Bool = true) -> Layer {
        MultiHeadAttention(width: width, heads: heads, isCausal: isCausal, bias: bias).layer
    }

    /// Attention as in `vit_pytorch`: layer norm `norm`, one projection `to_qkv` without bias to 3·heads·`headWidth` numbers, and
    /// `to_out` without bias back.
    static func vitAttention(_ width: Int, heads: Int, headWidth: Int, norm: Layer) -> Layer {
        Layer { x, scope in
            let y = try norm(x, in: scope["norm"])
            try checkExtents("attention", ["width": width, "heads": heads, "the width of a head": headWidth])
            let inner = heads * headWidth
            return try scope.row("attention, \(heads) heads", [y]) { inputs in
                let (into, out) = ([3 * inner, width], [width, inner])
                let projection = try scope["to_qkv"].parameter("weight", into, InitializationRule.pyTorch(into))
                let last = try scope["to_out"].parameter("weight", out, InitializationRule.pyTorch(out))
                let parts = try inputs[0].projected(by: projection).split([inner, inner, inner], axis: 1)
                    .map { try $0.separatingHeads(heads) }
                return try parts[0].attention(keys: parts[1], values: parts[2]).joiningHeads().projected(by: last)
            }
        }
    }
}
