import Foundation
import Testing

@testable import ScriptAPI

/// Eigenvalues and sharpnesses along a run, against the edges that are theirs.
@Suite struct CurvaturePlotTests {
    private func drawn(_ script: String) throws -> String {
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + script) == nil)
        return try String(contentsOf: lab.output.appendingPathComponent("p.txt"), encoding: .utf8)
    }

    private let track = """
        run:track("lambda_max", { every = 2, k = 2 }); run:track("batch_sharpness", { every = 2, max_samples = 20 })
        run:track("loss", { every = 2 })

        """

    @Test func gradientDescentHasOneEdgeForAll() throws {
        let text = try drawn(
            track
                + "run:train{ to = 4 }; run:plot('p.txt', { 'lambda_max', 'lambda_max_2', 'batch_sharpness', 'loss' })")
        #expect(text.contains("2/lr") && !text.contains("edge of") && text.contains("lambda_max_2"))
    }

    /// (2 + 2β)/η and 2(1 − β)/η.
    @Test func momentumHasAnEdgeForEachCurvature() throws {
        let both = """
            run.optimizer = eoss.optim.momentum{ lr = 0.01, beta = 0.5 }
            run:train{ to = 4 }; run:plot('p.txt', { 'lambda_max', 'lambda_max_2', 'batch_sharpness' })
            """
        let text = try drawn(track + both)
        #expect(text.contains("edge of lambda_max") && text.contains("edge of batch_sharpness"))
        let one = try drawn(track + both.replacingOccurrences(of: ", 'batch_sharpness'", with: ""))
        #expect(!one.contains("edge of") && one.contains("edge"))
    }

    @Test func aRuleWithoutAnEdgeOfACurvatureShowsNone() throws {
        let text = try drawn(
            track + """
                run.optimizer = eoss.optim.adam{ lr = 0.01 }
                run:train{ to = 4 }; run:plot('p.txt', 'lambda_max')
                """)
        #expect(!text.contains("edge") && !text.contains("2/lr"))
    }
}
