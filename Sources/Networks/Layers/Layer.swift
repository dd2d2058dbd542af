import Graph

/// A part of a network: a function of one sample's tensor that declares the parameters it uses as it goes.
///
/// A layer is a value and holds no numbers. It is traced when a model is made of it: once to learn which parameters it has,
/// and again to write the model's graph. Layers are composed by `sequential`, by `residual`, or by a function of one's own:
///
///     let block = Layer { x, scope in
///         let y = try Layer.linear(64, bias: false)(x, in: scope["first"])
///         return try x + Activation.relu(y)
///     }
///
/// Names of parameters are paths as in a PyTorch state_dict: `first.weight` here.
public struct Layer {
    public typealias Forward = (_ x: Symbolic, _ scope: LayerScope) throws -> Symbolic

    /// What it is, in a word or two, for the model's table and for messages; nil for a composition, whose parts have rows of
    /// their own.
    public let kind: String?
    private let order: [String]
    private let forward: Forward

    /// A layer with a row of its own in the model's table: its operations are counted together.
    public init(kind: String, forward: @escaping Forward) {
        self.kind = kind
        order = []
        self.forward = forward
    }

    /// A composition of layers.
    /// - Parameter order: the names of parts in the order in which their parameters lie in the model's vector, where that is not
    ///   the order of their use. Parts not named come last.
    public init(order: [String] = [], composing forward: @escaping Forward) {
        kind = nil
        self.order = order
        self.forward = forward
    }

    /// The layer's output for one sample.
    /// - Throws: `GraphError` that names the layer when its input does not fit.
    public func callAsFunction(_ x: Symbolic, in scope: LayerScope) throws -> Symbolic {
        guard let kind else {
            return try scope.ordered(order) { try forward(x, scope) }
        }
        return try scope.row(kind, [x]) { try forward($0[0], scope) }
    }
}

/// The place of a layer in a network while it is traced: where its parameters get their names.
public struct LayerScope {
    /// Names from the network's root, joined by points; empty at the root.
    public let path: String
    let tracing: LayerTracing

    /// The place of a part.
    public subscript(name: String) -> LayerScope {
        LayerScope(path: path.isEmpty ? name : "\(path).\(name)", tracing: tracing)
    }

    public subscript(index: Int) -> LayerScope { self["\(index)"] }

    /// A parameter of the layer, declared by its first use.
    /// - Throws: `GraphError` when the name is taken.
    public func parameter(
        _ name: String, _ shape: [Int], _ initializer: @autoclosure () throws -> Initializer
    ) throws -> Symbolic {
        try tracing.parameter(self[name].path, shape, initializer)
    }

    /// Traces a composition whose parts' parameters lie in this order in the model's vector; those not named come last.
    func ordered(_ order: [String], _ forward: () throws -> Symbolic) throws -> Symbolic {
        try tracing.ordering(under: path, order, forward)
    }

    /// Traces a computation that has a row of its own in the model's table. It may use the given tensors and its own parameters,
    /// no others.
    /// - Throws: `GraphError` that names the layer.
    public func row(
        _ kind: String, _ inputs: [Symbolic], _ forward: ([Symbolic]) throws -> Symbolic
    ) throws -> Symbolic {
        do { return try tracing.row(kind, path, inputs, forward) } catch let error as GraphError {
            throw GraphError("layer \(path.isEmpty ? "" : "'\(path)' ")(\(kind)): \(error.message)")
        }
    }

    /// The mean and the biased variance over the batch and some axes of a sample, and the running values beside them, which
    /// evaluation uses: buffers `running_mean` and `running_var` of this layer.
    public func moments(of x: Symbolic, over axes: [Int]) throws -> (mean: Symbolic, variance: Symbolic) {
        try tracing.moments(path, of: x, over: axes)
    }
}
