import Foundation
import Testing

@testable import Experiments
@testable import ScriptAPI

@Suite struct SpectrumFigureTests {
    private func drawn(_ name: String, _ script: String) throws -> String {
        let lab = try Laboratory()
        #expect(try lab.failure(of: smallRun + script) == nil)
        return try String(contentsOf: lab.output.appendingPathComponent(name), encoding: .utf8)
    }

    @Test func theSpectrumShowsItsLargestEigenvaluesAndTheEdge() throws {
        let svg = try drawn("s.svg", "run.lr = 0.1; run:train{ to = 3 }; run:plot_spectrum('s.svg', { k = 3 })")
        for words in ["small, step 3", "density of the hessian", "3 largest eigenvalues", "2/lr = 20", "eigenvalue"] {
            #expect(svg.contains(">\(words)<") || svg.contains(words), "\(words)")
        }
    }

    /// 19 eigenvalues, the largest about 10: at 2/lr = 2,000 nothing of them could be told apart.
    @Test func anEdgeFarAwayIsNamedInTheTitleAlone() throws {
        let svg = try drawn("s.svg", "run.lr = 0.001; run:plot_spectrum('s.svg')")
        #expect(svg.contains("small, step 0 (2/lr = 2000 is beyond the axis)"))
        let forced = try drawn("s.svg", "run.lr = 0.001; run:plot_spectrum('s.svg', { to = 3000 })")
        #expect(forced.contains("2/lr = 2000") && !forced.contains("beyond"))
    }

    @Test func everyFormatOptionAndMatrixIsDrawn() throws {
        let lab = try Laboratory()
        let failure = try lab.failure(
            of: smallRun + """
                run:plot_spectrum("a.png"); run:plot_spectrum("a.pdf"); run:plot_spectrum("deep/a.txt", { k = 0 })
                run:plot_spectrum("b.svg", { matrix = "ggn", k = 100, vectors = 2, steps = 5, width = 0.2, seed = 3,
                                             title = "mine", from = -1, to = 12, samples = 8, block = "layers.0" })
                run:plot_spectrum("c.svg", { batch = { 1, 2 }, at = 2 * run.params })
                run:hessian():density():plot("d.svg", { width = 0.3, title = "a density" })
                local difference = run:ggn() - run:hessian()
                difference:density():plot("e.svg")
                """)
        #expect(failure == nil)
        for name in ["a.png", "a.pdf", "deep/a.txt", "b.svg", "c.svg", "d.svg", "e.svg"] {
            #expect(FileManager.default.fileExists(atPath: lab.output.appendingPathComponent(name).path), "\(name)")
        }
        let own = try String(contentsOf: lab.output.appendingPathComponent("b.svg"), encoding: .utf8)
        #expect(own.contains("mine") && own.contains("ggn[layers.0]") && !own.contains("2/lr"))
    }

    @Test func theFigureIsKeptInTheRunFile() throws {
        let lab = try Laboratory()
        try lab.run(smallRun + "run:track('loss'); run:train{ to = 1 }; run:plot_spectrum('s.svg')")
        let inspection = try RunFileReader(lab.output.appendingPathComponent("small.eoss"))
        #expect(try inspection.figureNames() == ["s.svg"])
    }
}
