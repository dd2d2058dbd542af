/// One row of a model's table: what a layer is, what it gives for one sample, and what it costs.
public struct LayerSummary: Sendable, Hashable {
    /// The layer's path in the network, as its parameters are named: `layers.0`, `layer1.0.conv2`.
    public let name: String
    /// What it is, in a word or two: `linear`, `conv 3×3`, `batch norm`.
    public let kind: String
    /// The shape of its output for one sample.
    public let outputShape: [Int]
    /// The number of its trainable parameters.
    public let parameters: Int
    /// Multiply-adds of one sample's forward pass.
    public let multiplyAdds: Int

    public init(name: String, kind: String, outputShape: [Int], parameters: Int, multiplyAdds: Int) {
        self.name = name
        self.kind = kind
        self.outputShape = outputShape
        self.parameters = parameters
        self.multiplyAdds = multiplyAdds
    }
}
