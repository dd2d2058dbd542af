import Graph

extension Layer {
    /// Layers one after the other, named by their place: `0.weight`, `2.weight`, … as in `nn.Sequential`.
    public static func sequential(_ layers: [Layer]) -> Layer {
        Layer { x, scope in
            var x = x
            for (index, layer) in layers.enumerated() { x = try layer(x, in: scope[index]) }
            return x
        }
    }

    public static func sequential(_ layers: Layer...) -> Layer { sequential(layers) }

    /// shortcut(x) + scale·body(x), then an activation. Parameters `body.…` and `shortcut.…`.
    /// - Throws: `GraphError` with both shapes when the two do not have the same.
    public static func residual(
        _ body: Layer, shortcut: Layer = .identity, activation: Activation = .identity, scale: Double = 1
    ) -> Layer {
        Layer { x, scope in
            let y = try body(x, in: scope["body"])
            let straight = try shortcut(x, in: scope["shortcut"])
            guard y.shape == straight.shape else {
                throw GraphError(
                    "layer '\(scope.path)' (residual): the body gives shape \(y.shape), the shortcut \(straight.shape); "
                        + "they are added and must agree")
            }
            return try activation(straight + (scale == 1 ? y : scale * y))
        }
    }

    /// The input itself.
    public static var identity: Layer { Layer { x, _ in x } }

    /// A function of each element.
    public static func activation(_ activation: Activation) -> Layer {
        Layer(kind: activation.rawValue) { x, _ in try activation(x) }
    }

    /// The sample as one vector.
    public static var flatten: Layer { Layer(kind: "flatten") { x, _ in try x.flattened() } }

    /// The sample in another shape of as many elements.
    public static func reshape(_ shape: [Int]) -> Layer {
        Layer(kind: "reshape") { x, _ in
            guard shape.allSatisfy({ $0 >= 1 }), try x.type.elementCount() == TensorType(.f32, shape).elementCount()
            else {
                throw GraphError("a tensor of shape \(x.shape) has not the elements of shape \(shape)")
            }
            return try x.reshaped(to: shape)
        }
    }

    /// The mean over the places of a sequence: `[T, d]` to `[d]`.
    public static var sequenceMean: Layer {
        Layer(kind: "mean over places") { x, _ in
            guard x.shape.count == 2 else { throw GraphError("it takes a sequence, its input has shape \(x.shape)") }
            return try x.mean([0])
        }
    }
}
