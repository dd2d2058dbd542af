import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

@Suite struct ExperimentTests {
    @Test func aScriptTrainsMeasuresAndLeavesARunFile() throws {
        let lab = try Laboratory()
        try lab.run(
            smallRun + """
                run:track({ "loss", "edge" }, { every = 10 })
                run:track("lambda_max", { every = 20 })
                run:train{ to = 40 }
                local s = run:series("loss")
                assert(#s == 5 and s.steps[5] == 40 and s.values[5] == run.loss)
                assert(s.values[5] < s.values[1])
                print(#run:series("lambda_max"))
                """)
        #expect(lab.printed == ["3"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: lab.output.path) == ["small.eoss"])
    }
}
