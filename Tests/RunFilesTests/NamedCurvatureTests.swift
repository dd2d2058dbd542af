import Experiments
import Foundation
import Reports
import Testing

@testable import RunFiles

/// Curvatures that a program gave names of its own, in plots of files.
@Suite final class NamedCurvatures {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Under momentum with η = 0.02 and β = 0.9 the edge of λ_max is (2 + 2β)/η = 190, that of batch sharpness at least 2(1 − β)/η = 10.
    /// - Parameter names: what the file says of its series.
    private func plot(_ names: JSONValue) throws -> RunPlot {
        let file = try RunFile.create(name: "x", in: folder)
        let regime: JSONValue = [
            "step": 0, "batch": 4, "count": 20, "rule": "momentum", "settings": ["lr": 0.02, "beta": 0.9],
            "schedules": [],
        ]
        try file.addEvent(
            step: 0, kind: "start", message: "", data: ["settings": .array([regime]), "series": names])
        for name in ["sharp", "fish", "block_sharpness"] { try file.record(name, Measurement(step: 0, value: 19)) }
        try file.close()
        let run = try PlottedRun(RunFile.open(file.url))
        var plot = RunPlot(
            [.item(.name("sharp")), .item(.name("fish")), .item(.name("block_sharpness"))], of: [PlottedGroup(run)])
        plot.isOverEdge = true
        return plot
    }

    @Test func aCurvatureOverTheEdgeIsOverThatOfItsProbe() throws {
        let plot = try plot(["sharp": "lambda_max", "fish": "fisher_max", "block_sharpness": "lambda_max_2"])
        let panels = try plot.figure().panels
        #expect(panels.count == 1, "curvatures stand together")
        let values = try #require(panels.first).series.map { $0.y[0] }
        #expect(abs(values[0] - 0.1) < 1e-12 && values[1].isNaN && abs(values[2] - 0.1) < 1e-12)
    }

    /// A file that does not tell is read by names: `sharp` is a quantity of the program's own, `block_sharpness` looks like a curvature.
    @Test func withoutNamesTheSeriesNamesCount() throws {
        let values = try plot([:]).figure().panels.flatMap(\.series).map { $0.y[0] }
        #expect(values.sorted().map { $0.rounded() } == [2, 19, 19])
    }
}
