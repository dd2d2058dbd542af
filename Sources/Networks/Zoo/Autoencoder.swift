import Graph

extension Model {
    /// A single-neuron autoencoder, f(x) = φ(w·x)w, or φ(w·x)v where it is not tied. Parameters `w` `[d]` and `v` `[d]`, both
    /// drawn from N(0, `std`²).
    ///
    /// Ghosh et al. 2023, with φ the identity or ReLU: on n orthonormal x under ½‖f − x‖², λ_max = 4/n at every minimum.
    public static func autoencoder(
        inputs: Int, activation: Activation = .identity, isTied: Bool = true, std: Double = 0.01, seed: UInt64,
        element: ElementType = .f32
    ) throws -> Model {
        let layer = Layer(kind: "neuron") { x, scope in
            let w = try scope.parameter("w", [inputs], .normal(std: std))
            let v = isTied ? w : try scope.parameter("v", [inputs], .normal(std: std))
            return try activation(w.dot(x)) * v
        }
        return try Model(
            name: "autoencoder \(inputs)", layer: layer, inputShape: [inputs], seed: seed, element: element)
    }
}
