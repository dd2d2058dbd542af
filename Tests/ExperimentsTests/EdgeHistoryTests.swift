import Dynamics
import Testing

@testable import Experiments

/// Where stability ended along a run, as plots draw it.
@Suite struct EdgeHistoryTests {
    /// η = 0.02, then 0.04 from step 3 on: 2/η = 100, then 50, which the probes of step 3 are the first to see.
    @Test func aChangedLearningRateCountsFromTheNextStepOn() throws {
        let run = try SmallRun.make()
        try run.at(2) { try $0.setLearningRate(0.04) }
        _ = try run.train(TrainingGoal(step: 4))
        for quantity in [nil, EdgeQuantity.lambdaMax, .batchSharpness] {
            #expect(run.edges(of: quantity).map(\.step) == [0, 3])
            #expect(run.edges(of: quantity).map(\.value) == [100, 50])
        }
        #expect(run.edges(of: .preconditionedLambdaMax).isEmpty)
    }

    /// Momentum has an edge for each curvature: (2 + 2β)/η, and 2(1 − β)/η where batches are random.
    @Test func curvaturesHaveEdgesOfTheirOwn() throws {
        let run = try SmallRun.make()
        try run.setRule(HeavyBall(learningRate: 0.02, factor: 0.5))
        #expect(run.edges(of: .lambdaMax).map(\.value) == [150])
        #expect(run.edges(of: .batchSharpness).map(\.value) == [50])
        _ = try run.train(TrainingGoal(step: 1))
        try run.setRule(SGD(learningRate: 0.02))
        #expect(run.edges(of: .lambdaMax).map(\.value) == [150, 100])
    }

    /// Adam has no edge of λ_max: the line ends there.
    @Test func anEdgeEndsWithTheRuleThatHasIt() throws {
        let run = try SmallRun.make()
        _ = try run.train(TrainingGoal(step: 1))
        try run.setRule(Adam(learningRate: 0.02))
        let edges = run.edges(of: .lambdaMax)
        #expect(edges.map(\.step) == [0, 2] && edges[0].value == 100 && edges[1].value.isNaN)
        #expect(run.edges(of: .preconditionedLambdaMax).map(\.step) == [2])
    }
}
