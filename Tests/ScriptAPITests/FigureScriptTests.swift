import Foundation
import Testing

@testable import ScriptAPI

@Suite struct FigureScriptTests {
    /// The loss is known up to step 32, the norm up to step 40: both panels reach 40.
    @Test func panelsShareTheirSteps() throws {
        let lab = try Laboratory()
        try lab.run(
            smallRun + """
                run:track("loss", { every = 16 })
                run:track("weight_norm", { every = 1 })
                run:train{ to = 40 }
                run:plot("two.svg", { "loss", "weight_norm" })
                """)
        let figure = try String(contentsOf: lab.output.appendingPathComponent("two.svg"), encoding: .utf8)
        #expect(figure.components(separatedBy: ">40<").count - 1 == 2)
    }
}
