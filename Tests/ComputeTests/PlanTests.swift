import Compute
import Graph
import Testing

@Suite struct PlanTests {
    @Test func randomGraphsAreAsInterpreted() throws {
        for seed in 0..<300 {
            var graphs = RandomGraphs(seed: UInt64(seed))
            // Errors of one operation are carried on by the next ones: a hundred roundings.
            try expectAsInterpreted(
                graphs.graph(operations: 12), seed: UInt64(seed), tolerance: 2e-5, wideTolerance: 2e-5, scale: 4)
        }
    }
}
