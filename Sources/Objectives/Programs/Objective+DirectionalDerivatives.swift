import Graph
import Networks

extension Objective {
    /// D^{k+1}L contracted with k directions: further inputs `x.tangent1` … `x.tangentk` and accumulators `x.sum`; outputs
    /// `x.product`.
    public func directional(order k: Int, count: Int, use: StatisticsUse = .batch) throws -> Graph {
        var graph = try gradient(count: count, use: use)
        var names = parameterNames.map { "\($0).gradient" }
        for level in 1...max(1, k) {
            graph = try jvp(graph.selecting(outputs: names), along: parameterNames)
                .renamed(
                    inputs: Dictionary(
                        uniqueKeysWithValues: parameterNames.map { ("\($0).tangent", "\($0).tangent\(level)") }))
            names = names.map { "\($0).tangent" }
        }
        let products = Dictionary(uniqueKeysWithValues: zip(names, parameterNames.map { "\($0).product" }))
        return try accumulating(graph.selecting(outputs: names).renamed(outputs: products)) { "\($0).product" }
    }
}
