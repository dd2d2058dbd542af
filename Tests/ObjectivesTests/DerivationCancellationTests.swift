import Compute
import Graph
import Networks
import Testing

@testable import Objectives

/// Deriving a program takes long for deep networks: it is asked between transformations and passes.
@Suite struct DerivationCancellation {
    private static let programs: [@Sendable (Objective) throws -> Void] = [
        { _ = try $0.gradient(count: 3) }, { _ = try $0.descent(count: 3) },
        { _ = try $0.linearized(.hessian, count: 3) }, { _ = try $0.linearized(.ggn, count: 3) },
        { _ = try $0.linearized(.fisher, count: 3) }, { _ = try $0.linearizedQuadratic(count: 3) },
        { _ = try $0.linearizedDirectional(order: 2, count: 3) }, { _ = try $0.batchCurvature(count: 3, stack: 2) },
        { _ = try $0.gram(.gradients, count: 3, pair: false, use: .batch) },
        { _ = try $0.gram(.outputs, count: 3, pair: false, use: .batch) },
    ]

    @Test(arguments: programs.indices) func derivingAProgramCanBeCancelled(program: Int) throws {
        let model = try Model.fullyConnected(inputShape: [4], hidden: [5, 5], outputs: 3, seed: 1, element: .f64)
        let objective = try Objective(model: model, loss: .crossEntropy)
        let cancellation = Cancellation()
        try Cancellation.$current.withValue(cancellation) {
            try Self.programs[program](objective)
            cancellation.request()
            #expect(throws: Cancelled.self) { try Self.programs[program](objective) }
        }
    }

    /// Whatever pass is asked last, what is not cancelled is the same program.
    @Test func askingChangesNoProgram() throws {
        let model = try Model.lstm(vocabulary: 5, length: 7, width: 3, hidden: 4, seed: 2)
        let gradient = try Objective(model: model, loss: .crossEntropy).gradient(count: 3)
        var questions = 0
        #expect(gradient.simplified { questions += 1 } == gradient.simplified() && questions > 4)
        for last in 0..<questions {
            var asked = 0
            #expect(throws: Cancelled.self) {
                _ = try gradient.simplified {
                    asked += 1
                    if asked > last { throw Cancelled() }
                }
            }
        }
    }
}
