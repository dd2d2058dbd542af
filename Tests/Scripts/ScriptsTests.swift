import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// The scripts of `scripts/`, shortened, as whole experiments.
@Suite struct ScriptsTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("scripts")

    private func run(_ name: String, _ settings: [String: String]) throws -> (printed: [String], files: Set<String>) {
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        var printed: [String] = []
        var options = ScriptOptions()
        options.settings = settings.map { ScriptOptions.Setting($0.key, $0.value) }
        options.outputFolder = output
        options.print = { printed.append($0.description) }
        try LuaThread.run {
            try ScriptHost(options).run(file: Self.folder.appendingPathComponent(name))
        }
        return (printed, Set(try FileManager.default.contentsOfDirectory(atPath: output.path)))
    }

    @Test func theQuickstartPrintsItsTableAndLeavesAFigureAndARunFile() throws {
        let result = try run("quickstart.lua", ["steps": "300", "switch": "150", "batch": "4"])
        #expect(result.files == ["edge.svg", "quickstart.eoss"])
        #expect(result.printed.count == 3)
        #expect(result.printed.last?.hasPrefix("second     0.08") == true, "\(result.printed)")
    }

    @Test func theStepsOwnSharpnessStandsBesideThatOfFreshBatches() throws {
        let result = try run("step_sharpness.lua", ["steps": "300", "average": "100", "batch": "4"])
        #expect(result.files == ["step_sharpness.svg", "step_sharpness.eoss"])
        #expect(result.printed.last?.hasPrefix("step_sharpness_mean") == true, "\(result.printed)")
    }

    /// With fewer samples the edge is reached sooner: the phenomenon itself, for both learning rates, with every value of the
    /// last third within 5 % of 2/lr.
    @Test func gradientDescentHoldsTheLargestEigenvalueAtTheEdge() throws {
        let result = try run("gd_edge.lua", ["steps": "1500", "n": "100"])
        #expect(
            result.files == ["gd-edge-0.05.svg", "gd-edge-0.1.svg", "gd-edge-0.05.eoss", "gd-edge-0.1.eoss"])
        let rows = result.printed.suffix(2).map { $0.split(separator: " ").compactMap { Double($0) } }
        for row in rows {
            try #require(row.count == 5, "\(result.printed)")
            for level in row[2...] { #expect(abs(level - 1) < 0.05, "\(row)") }
        }
    }

    /// From one state each branch goes to its own edge: down to 2/lr where the rate stays or grows, up where it falls.
    @Test func branchesOfOneRunGoToTheEdgesOfTheirRates() throws {
        let result = try run("forks.lua", ["fork": "800", "steps": "700", "n": "100"])
        #expect(
            result.files == ["forks.svg", "forks.eoss", "forks-0.04.eoss", "forks-0.05.eoss", "forks-0.1.eoss"])
        let rows = result.printed.suffix(3).map { $0.split(separator: " ").compactMap { Double($0) } }
        for row in rows { try #require(row.count == 4, "\(result.printed)") }
        for row in rows[1...] { #expect(abs(row[3] - 1) < 0.05, "\(row)") }
        #expect(rows[0][2] > rows[1][2] && rows[0][3] < 1.05, "\(rows[0])")
    }

    /// The numbers of a table's rows, and how many figures and run files there are.
    private func rows(_ name: String, _ settings: [String: String], last count: Int) throws -> [[Double]] {
        let result = try run(name, settings)
        #expect(
            result.files.contains(name.replacing(".lua", with: ".svg")) || name == "gradient_flow.lua",
            "\(result.files)")
        let rows = result.printed.suffix(count).map {
            $0.split { " |".contains($0) }.compactMap { Double($0) }
        }
        return rows
    }

    @Test func switchesOfRateAndBatch() throws {
        for (name, values) in [("lr_switch", [0.05, 0.08, 0.05]), ("batch_switch", [16, 8, 16])] {
            let result = try run(name + ".lua", ["steps": "{300, 300, 300}", "n": "256"])
            #expect(result.files == ["\(name).svg", "\(name).eoss"])
            let lines = try #require(result.printed.last).split(separator: "\n")
            let found = lines.map { line in line.split(separator: " ").compactMap { Double($0.filter { $0 != "," }) } }
            #expect(
                found.map { $0[0] } == values && found.allSatisfy { $0.suffix(3).allSatisfy { $0 > 0 } }, "\(lines)")
        }
    }

    /// Above the edge the quadratic diverges, and the network does not.
    @Test func switchesOnTheQuadratic() throws {
        let result = try run(
            "quadratic_switch.lua", ["n": "256", "before": "2500", "after": "300", "factors": "{0.5, 1.6}"])
        let rows = try #require(result.printed.last).split(separator: "\n").map { $0.split(separator: " ") }
        try #require(rows.count == 2 && rows.allSatisfy { $0.count >= 5 }, "\(result.printed)")
        #expect(rows[0][2] == "stays" && Double(rows[0][3]) != nil && Double(rows[0][4]) != nil, "\(rows)")
        #expect(rows[1][2] == "diverges" && rows[1][3] == "diverges" && Double(rows[1][4]) != nil, "\(rows)")
    }

    /// Each rule at its edge, with fewer samples.
    @Test func theEdgesOfRules() throws {
        let momentum = try rows("momentum_edge.lua", ["steps": "1200", "n": "100"], last: 3)
        for row in momentum {
            try #require(row.count == 4)
            #expect(row[3] > 0.4 && row[3] < 1.1, "\(row)")
        }
        #expect(momentum.map { $0[1] } == [40, 80, 40] && momentum[1][2] > momentum[0][2], "\(momentum)")
        for row in try rows("sam_edge.lua", ["steps": "1000", "n": "100", "rhos": "{0, 0.03}"], last: 2) {
            try #require(row.count == 5)
            // λ_max is at SAM's edge, and where ρ > 0 far from 2/η.
            #expect(abs(row[3] - 1) < 0.15 && (row[0] == 0) == (row[4] > 0.9), "\(row)")
        }
        for row in try rows("adam_edge.lua", ["steps": "600", "n": "100"], last: 2) {
            #expect(row.count == 4 && row[3] > 0.5, "\(row)")
        }
    }

    @Test func noisesAndFlows() throws {
        let noises = try rows("noisy_gd.lua", ["warm": "60", "steps": "30", "n": "64"], last: 6)
        #expect(noises.allSatisfy { $0.count >= 2 && $0.suffix(2).allSatisfy { $0 > 0 } }, "\(noises)")
        // Predicted loss over real, and the central flow nearer than the stable one.
        let central = try rows("central_flow.lua", ["n": "60", "warm": "300", "steps": "200"], last: 4)
        let last = try #require(central.last)
        try #require(last.count == 9, "\(central)")
        let ratio = central.reduce(0) { $0 + $1[3] / 4 }
        #expect(abs(ratio - 1) < 0.2 && last[7] < last[8] / 2, "\(central)")
        // The flow holds what descent holds on average, and gradient flow does not.
        #expect(abs(last[5] - 1) < 0.01 && last[6] > 1.1, "\(central)")
        let flow = try rows("gradient_flow.lua", ["n": "60", "time": "8"], last: 8)
        #expect(flow.allSatisfy { $0.count == 6 } && flow[0][5] < 0.1, "\(flow)")
    }

    /// With and without momentum the trace is where the flow of L + λR has it, and lower where there is more noise.
    @Test func labelNoiseFollowsItsRegularisedFlow() throws {
        let noise = try rows("label_noise.lua", ["warm": "2000", "steps": "4000"], last: 4)
        try #require(noise.count == 4 && noise[0..<3].allSatisfy { $0.count == 5 }, "\(noise)")
        for row in noise[0..<3] { #expect(abs(row[3] / row[4] - 1) < 0.15, "\(row)") }
        #expect(noise[2][3] < noise[0][3] && noise[0][3] < noise[3][2], "\(noise)")
    }

    @Test func theConvolutionalEdgePrintsItsLevelsAndLeavesAFigure() throws {
        let result = try run("cnn_edge.lua", ["steps": "100", "n": "32", "batch": "4"])
        #expect(result.files == ["cnn_edge.svg", "cnn_edge.eoss"])
        #expect(result.printed.last?.hasPrefix("over the last quarter") == true, "\(result.printed)")
    }

    @Test func theSpectrumLeavesItsFiguresAndSaysWhatItCost() throws {
        let result = try run("spectrum.lua", ["steps": "60", "n": "32", "k": "2"])
        #expect(result.files == ["eigenvalues.svg", "spectrum.svg", "spectrum.eoss"])
        #expect(result.printed.first?.hasPrefix("lambda_max ") == true, "\(result.printed)")
        #expect(result.printed.last?.contains("self_stabilization") == true, "\(result.printed)")
    }

    /// The sharpness falls by what its gradient, a third derivative through a recurrence written in Lua, says.
    @Test func aNetworkWrittenInLuaHasTheGradientOfItsSharpness() throws {
        let result = try run("own_network.lua", ["steps": "30", "n": "32", "hidden": "6"])
        #expect(result.files == ["own_network.svg", "own_network.eoss"])
        let numbers = try #require(result.printed.last).split { !"0123456789.".contains($0) }.compactMap { Double($0) }
        // sharpness, its share of 2/lr, the 2 and the decrease measured and predicted: a step of a thousandth, in f32.
        let (measured, predicted) = (numbers[numbers.count - 2], numbers[numbers.count - 1])
        #expect(predicted > 0 && abs(measured / predicted - 1) < 0.1, "\(result.printed)")
    }
}
