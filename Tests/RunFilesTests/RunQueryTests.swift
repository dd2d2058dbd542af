import Experiments
import Foundation
import RunFiles
import Testing

/// Conditions on runs, as `eoss ls --where` takes them.
@Suite struct RunQueryTests {
    /// Three runs: `a` and `b` of one experiment, `c`, which has diverged, of another.
    private static func runs(in folder: borrowing TemporaryFolder) throws -> [ListedRun] {
        try folder.run(
            "a", ["lr": 0.05, "steps": 100, "hidden": [200, 200], "act": "relu"], last: ["loss": 0.5, "lambda_max": 39])
        try folder.run(
            "b", ["lr": 0.2, "steps": 50, "hidden": [10], "act": "tanh", "bn": true],
            last: ["loss": 0.25, "lambda_max": 12, "my series/2": 3], step: 40)
        try folder.run("c", ["batch": 16], last: ["loss": .nan]) { $0.note(step: 7, state: .failed, alert: "too late") }
        return try RunFolder(folder.url).runs()
    }

    @Test func aConditionHoldsWhereItIsTrue() throws {
        let folder = try TemporaryFolder()
        let runs = try Self.runs(in: folder)
        let cases: [(condition: String, names: String)] = [
            ("lr > 0.1", "b"), ("lr < 0.1", "a"), ("lr >= 0.05 and lr <= 0.2", "a b"), ("lr == .2", "b"),
            ("lr != 0.2", "a"), ("lr ~= 2e-1", "a"), ("lr = 5E-2", "a"), ("-lr < -0.1", "b"),
            ("lambda_max * lr > 2", "b"), ("lambda_max > 2 / lr", "b"), ("2 + 3 * 2 == 8 and lr > 0", "a b"),
            ("(2 + 3) * 2 == 10 and lr", "a b"), ("8 - 2 - 1 == 5 and lr", "a b"),
            ("loss > 0.3 or state == failed", "a c"), ("lr > 1 or lr > 0.1 and lr < 1", "b"),
            ("not lr > 0.1", "a c"), ("!(lr > 0.1)", "a c"), ("not not alert", "c"),
            ("not alert && bn || alert", "b c"),
            ("state == done", "a b"), ("state == 'done'", "a b"), ("state != done", "c"),
            ("step > 9", "a b"), ("steps > 9", "a b"), ("parameters.steps > 60", "a"), ("last.loss == 0.25", "b"),
            ("last.\"my series/2\" == 3", "b"),
            ("batch == nil", "a b"), ("batch != nil", "c"), ("nil == batch", "a b"), ("bn == true", "b"), ("bn", "b"),
            ("loss == nan", "c"), ("loss < inf", "a b"), ("loss != 0.5", "b c"),
            ("act == 'relu'", "a"), ("act > \"relu\"", "b"), ("hidden == '[200,200]'", "a"), ("name == 'b'", "b"),
            ("script == 'scripts/a.lua'", "a b c"), ("age < 3600", "a b c"), ("created > '2000'", "a b c"),
            // A number and a text are different, and neither is the less.
            ("act == 1", ""), ("act != 1", "a b"), ("act < 1", ""), ("act + 1 > 0", ""),
        ]
        for (condition, names) in cases {
            let found = try RunQuery(condition).matches(in: runs).map(\.name).joined(separator: " ")
            #expect(found == names, "\(condition)")
        }
    }

    @Test(arguments: [
        ("", 0, "a condition is needed"), ("lr >", 4, "missing before the end"), ("lr > > 2", 5, "missing before '>'"),
        ("lr 0.1", 3, "'0.1' was not expected"), ("(lr > 1", 7, "a ')' is missing"),
        ("lr > 1)", 6, "')' was not expected"),
        ("lr > 0.1.2", 5, "'0.1.2' is no number"), ("lr > 2x", 5, "'2x' is no number"),
        ("lr ? 2", 3, "'?' means nothing"),
        ("name == 'a", 8, "has no closing '"), ("and lr", 0, "missing before 'and'"),
        ("lr > 1 and", 10, "before the end"),
        ("last. > 1", 6, "a name is missing after 'last.'"),
        ("state == dnoe", 9, "'dnoe' is no state; there are running"),
        ("lr > \u{1B}[31m", 5, #"'\u{1B}' means nothing"#), ("ä", 1, ""),
    ])
    func whatIsNoConditionIsToldWithItsPlace(text: String, place: Int, words: String) throws {
        guard !words.isEmpty else {
            // Letters of any language may be in a name.
            #expect(throws: Never.self) { try RunQuery(text) }
            return
        }
        let error = try #require(throws: RunQueryError.self) { try RunQuery(text) }
        #expect(error.place == place && error.reason.contains(words), "\(error)")
        let lines = error.description.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines[2].hasSuffix("^") && !error.description.contains("\u{1B}"))
        #expect(lines[0].contains("at character \(place + 1)"))
        // The mark stands under the place.
        #expect(lines[2].count - 3 >= place && lines[1].hasPrefix("  "))
    }

    @Test func aNameThatNoRunHasIsMisspelt() throws {
        let folder = try TemporaryFolder()
        let runs = try Self.runs(in: folder)
        let error = try #require(throws: RunQueryError.self) {
            try RunQuery("loss < 1 and lmabda_max > 1").matches(in: runs)
        }
        #expect(error.place == 13 && error.reason.contains("did you mean 'lambda_max'?"), "\(error)")
        let scoped = try #require(throws: RunQueryError.self) { try RunQuery("parameters.loss > 1").matches(in: runs) }
        #expect(scoped.reason.contains("no run here has 'parameters.loss'; there are act"))
        // Where there is no run there is nothing to tell a name by.
        #expect(try RunQuery("lrr > 1").matches(in: []).isEmpty)
    }

    @Test func conditionsBeyondAllReasonAreRefused() throws {
        for text in [
            String(repeating: "(", count: 101) + "1" + String(repeating: ")", count: 101),
            String(repeating: "1+", count: 1_000_000) + "1", String(repeating: "not ", count: 50_000) + "lr",
        ] { #expect(throws: RunQueryError.self) { try RunQuery(text) } }
        let folder = try TemporaryFolder()
        let runs = try Self.runs(in: folder)
        let long = String(repeating: "1+", count: 990) + "1 == 991"
        #expect(try RunQuery(long).matches(in: runs).count == 3)
        #expect(throws: Never.self) {
            try RunQuery(String(repeating: "(", count: 50) + "lr" + String(repeating: ")", count: 50))
        }
    }

    @Test func runsAreSortedByAnyFieldAndThoseWithoutItComeLast() throws {
        let folder = try TemporaryFolder()
        _ = try Self.runs(in: folder)
        _ = try folder.write(Data("x".utf8), "broken.eoss")
        let runs = try RunFolder(folder.url).runs()
        func order(_ key: String, reversed: Bool = false) throws -> String {
            runs.sorted(by: try RunQuery.field(key), reversed: reversed).map(\.name).joined(separator: " ")
        }
        #expect(try order("lr") == "a b broken c" && order("lr", reversed: true) == "b a broken c")
        #expect(try order("loss") == "b a c broken", "NaN is behind all numbers")
        #expect(try order("name", reversed: true) == "c b a broken" && order("parameters.steps") == "b a broken c")
        #expect(try order("state") == "a b c broken")
        #expect(throws: RunQueryError.self) { try RunQuery.field("lr > 1") }
        #expect(throws: RunQueryError.self) { try RunQuery.field("") }
    }
}
