import Experiments
import Foundation
import RunFiles
import Testing

@Suite struct RunComparisonTests {
    private static func comparison(_ files: [URL]) throws -> RunComparison {
        try RunComparison(files.map { try RunFile.open($0) })
    }

    @Test func whatWentInIsComparedNameByName() throws {
        let folder = try TemporaryFolder()
        let script = "local x = 1\nprint(x)\n"
        func start(_ rule: String) -> (RunFile) throws -> Void {
            { try $0.addEvent(step: 0, kind: "start", message: "model: mlp; optimizer: \(rule); seed: 1") }
        }
        let a = try folder.run("a", ["lr": 0.1, "n": 5, "only": true], script: script) { file in
            try start("sgd{ lr = 0.1 }")(file)
            try file.addScript(path: "m.lua", source: "return 1")
            try file.addScript(path: "same.lua", source: "return 0")
        }
        let b = try folder.run("b", ["lr": 0.2, "n": 5], script: "local x = 2\nprint(x)\n") { file in
            try start("adam{ lr = 0.1 }")(file)
            try file.addScript(path: "n.lua", source: "return 1")
            try file.addScript(path: "same.lua", source: "return 0")
        }
        let comparison = try Self.comparison([a, b, b])
        #expect(comparison.names == ["a", "b", "b"] && comparison.letters == ["A", "B", "C"])
        #expect(comparison.parameters.map(\.name) == ["lr", "only"])
        #expect(
            comparison.parameters[0].values == [0.1, 0.2, 0.2] && comparison.parameters[1].values == [true, nil, nil])
        #expect(comparison.settings.map(\.name) == ["optimizer"] && comparison.environment.isEmpty)
        #expect(
            comparison.scriptLines == [
                "script  'scripts/a.lua': A (-) and B (+) differ", "  @@ line 1, line 1 @@", "  -local x = 1",
                "  +local x = 2", "   print(x)", "script  'scripts/a.lua': C has that of B",
                "script  'm.lua': A has it, B does not", "script  'm.lua': A has it, C does not",
                "script  'n.lua': B has it, A does not", "script  'n.lua': C has it, A does not",
            ])
        #expect(!comparison.areTheSame)
        #expect(throws: Never.self) { try JSONValue(json: try comparison.json.text()) }
    }

    @Test func aRunIsTheSameAsItself() throws {
        let folder = try TemporaryFolder()
        let a = try folder.run("a", ["lr": 0.1], last: ["loss": .nan, "x": -0.0])
        let copy = try folder.write(try Data(contentsOf: a), "copy.eoss")
        let comparison = try Self.comparison([a, copy])
        #expect(comparison.areTheSame && comparison.names == ["a", "copy"])
        let text = comparison.lines(width: 80).joined(separator: "\n")
        #expect(text.contains("script  the same") && text.contains("curves  the same, to the bit"))
    }

    @Test func curvesAreComparedWhereBothHaveThem() throws {
        let folder = try TemporaryFolder()
        let values: [[Int: Double]] = [
            [0: 1, 10: 2, 20: 4, 30: 8, 40: .nan, 50: .infinity],
            [0: 1, 10: 2, 20: 5, 25: 9, 30: 8.5, 40: .nan, 50: .infinity],
        ]
        let files = try zip(["a", "b"], values).map { name, values in
            try folder.run(name) { file in
                for (step, value) in values.sorted(by: { $0.key < $1.key }) {
                    try file.record("loss", step: step, value: value)
                }
                if name == "b" { try file.record("other", step: 0, value: 1) }
            }
        }
        let comparison = try Self.comparison(files)
        #expect(comparison.curves.map(\.name) == ["loss", "other"])
        let deviation = try #require(comparison.curves[0].deviations[0])
        #expect(deviation.common == 6 && deviation.alone == 1 && deviation.first == 20)
        #expect(deviation.largest?.value == 1 && deviation.largest?.step == 20 && deviation.relative == 0.25)
        #expect(comparison.curves[1].deviations[0] == nil && comparison.curves[1].last[0] == nil)
        // Not a number on one side alone is as far away as can be.
        let c = try folder.run("c") { try $0.record("loss", step: 0, value: .nan) }
        let other = try #require(try Self.comparison([files[0], c]).curves[0].deviations[0])
        #expect(other.largest?.value == .infinity && other.first == 0)
    }

    @Test func aForkSaysWhereItLeftItsRun() throws {
        let folder = try TemporaryFolder()
        let a = try RunFile.open(try folder.run("a"))
        let parent = RunParent(uuid: a.uuid, name: "a", step: 3000)
        let fork = try RunFile.create(name: "b", in: folder.url, header: RunHeader(parent: parent))
        try fork.close()
        let text = try Self.comparison([fork.url, a.url]).lines(width: nil)
        #expect(text.contains("A is a fork of B at step 3,000"), "\(text)")
    }

    @Test func filesOfOneNameAreToldApartByTheirFolders() throws {
        let folder = try TemporaryFolder()
        let (x, y) = (folder.url.appendingPathComponent("x"), folder.url.appendingPathComponent("y"))
        let files = try [x, y].map { folder in
            let file = try RunFile.create(name: "run", in: folder)
            try file.close()
            return file.url
        }
        #expect(try Self.comparison(files).names == ["x/run", "y/run"])
    }

    /// Twenty runs have no room side by side, but one below the other.
    @Test func manyRunsFitIntoEightyColumns() throws {
        let folder = try TemporaryFolder()
        let files = try (0..<20).map {
            try folder.run("run-\($0)", ["lr": .number(Double($0) + 0.125)], last: ["loss": 1e-9 * Double($0)])
        }
        let comparison = try Self.comparison(files)
        let lines = comparison.lines(width: 80)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.contains { $0.contains("T") && $0.contains("19.125") })
    }
}
