import Compute
import Graph
import Networks
import SmallNetworks
import Testing

@testable import Objectives

/// Graphs have the inputs and outputs that the signature of their work names, in its order: by it plans are bound.
@Suite struct Signatures {
    private static let works: [OracleWork] = [
        .samples, .gradient(updating: false), .gradient(updating: true), .update(.descent), .update(StepTests.adam),
        .update(StepTests.byLength), .directional(order: 1), .directional(order: 2), .quadratic(.hessian),
        .quadratic(.ggn), .batches(.curvature(.hessian), size: 2), .batches(.momentumCurvature, size: 2),
        .batches(.gradientNorms, size: 2), .batches(.slopes(2), size: 2), .gram(.gradients, pair: false),
        .gram(.outputs, pair: true),
    ]

    @Test(arguments: StatisticsUse.allCases) func graphsHaveTheInputsAndOutputsThatTheirSignatureNames(
        _ use: StatisticsUse
    ) throws {
        let plain = try Problem().oracle.objective.model
        for model in [plain, try normalisedModel()] {
            let samples = try RandomSamples(count: 6, inputs: 5, outputs: 3)
            let oracle = try Oracle(objective: Objective(model: model, loss: .mse), samples: samples, use: use)
            for work in Self.works {
                if case .gram = work, oracle.hasGhostBatches { continue }
                // Batches move running values; these alone do not.
                if work == .gradient(updating: true), use == .running { continue }
                let plan = try oracle.plan(work, count: 4)
                let (signature, objective) = (oracle.objective.signature(of: work, use), oracle.objective)
                #expect(plan.graph.inputs.map(\.name) == signature.inputs.flatMap(objective.names), "\(work)")
                #expect(plan.graph.outputs.map(\.name) == signature.outputs.flatMap(objective.names), "\(work)")
            }
        }
    }

    /// A parameter may have any name that no other input has.
    @Test func theSecondSetOfSamplesKeepsOutOfTheWayOfParameters() throws {
        let model = try Model(
            name: "odd", element: .f64,
            parameters: [.init(name: "other input", shape: [3, 5], initializer: .normal(std: 1))], inputShape: [5],
            seed: 1
        ) { x, p in try p[0].dot(x) }
        let objective = try Objective(model: model, loss: .mse)
        #expect(objective.names(of: .otherSamples) == ["other input'", "other target", "other sample weight"])
    }
}
