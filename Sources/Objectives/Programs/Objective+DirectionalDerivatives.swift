import Compute
import Graph
import Networks

extension Objective {
    /// D^{k+1}L contracted with k directions: further inputs `x.tangent1` … `x.tangentk` and accumulators `x.sum`; outputs
    /// `x.product`.
    public func directional(order k: Int, count: Int, use: StatisticsUse = .batch) throws -> Graph {
        try accumulating(contraction(order: k, count: count, use: use)) { "\($0).product" }
    }

    /// The same split at a point: `point` computes what depends on θ only, `linear` maps tangents `x.tangent1` … `x.tangentk` to
    /// `x.product`.
    public func linearizedDirectional(order k: Int, count: Int, use: StatisticsUse = .batch) throws -> Linearized {
        // Simplified first: a transpose that is folded into its contraction does not become a kept value of its own.
        let whole = try contraction(order: k, count: count, use: use).simplified(asking: Cancellation.check)
        return try Linearized(
            splitting: whole, pointInputs: whole.inputs.count - max(1, k) * parameterNames.count,
            asking: Cancellation.check)
    }

    private func contraction(order k: Int, count: Int, use: StatisticsUse) throws -> Graph {
        var graph = try gradient(count: count, use: use)
        var names = parameterNames.map { "\($0).gradient" }
        for level in 1...max(1, k) {
            try Cancellation.check()
            graph = try jvp(graph.selecting(outputs: names), along: parameterNames)
                .renamed(
                    inputs: Dictionary(
                        uniqueKeysWithValues: parameterNames.map { ("\($0).tangent", "\($0).tangent\(level)") }))
            names = names.map { "\($0).tangent" }
        }
        let products = Dictionary(uniqueKeysWithValues: zip(names, parameterNames.map { "\($0).product" }))
        return graph.selecting(outputs: names).renamed(outputs: products)
    }
}
