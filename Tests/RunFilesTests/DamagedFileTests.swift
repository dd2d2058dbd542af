import Experiments
import Foundation
import RunFiles
import Testing

/// Pages of a run file that are something else: whatever looks at it comes to an end, by an error or with what is there.
@Suite struct DamagedFileTests {
    private static func sample(in folder: borrowing TemporaryFolder) throws -> Data {
        let file = try folder.run("sample", ["lr": 0.1, "hidden": [1, 2]], last: ["loss": 0.5]) { file in
            try file.addEvent(step: 0, kind: "start", message: "model: mlp; loss: mse", data: ["a": 1])
            for step in 0..<1500 {
                try file.record("plain", step: step, value: Double(step))
                try file.record("measured", step: step, value: .nan, standardError: 0.5)
            }
            try file.addScript(path: "m.lua", source: String(repeating: "print(1)\n", count: 500))
            try file.addCheckpoint(step: 5, bytes: Data(count: 5000))
            try file.addFigure(name: "x.svg", mime: "image/svg+xml", bytes: Data(count: 5000))
            try file.addNote("note")
        }
        return try Data(contentsOf: file)
    }

    /// - Returns: whether all of it could be read.
    private static func isReadable(_ file: URL) -> Bool {
        let listed = ListedRun(file)
        _ = try? JSONValue.array([listed.json]).text()
        _ = try? RunQuery("lr > 0 and loss < 1 or plain").matches(in: [listed])
        guard let reader = try? RunFile.open(file) else { return false }
        var isWhole = listed.run != nil
        do {
            _ = try RunDetails(reader, withValues: true).json.text()
            let comparison = try RunComparison([reader, reader])
            isWhole = isWhole && !comparison.lines(width: 80).isEmpty
            _ = try comparison.json.text()
            _ = try RunFollower(file).look()
        } catch { isWhole = false }
        return isWhole
    }

    @Test func noPageIsTrusted() throws {
        let folder = try TemporaryFolder()
        let good = try Self.sample(in: folder)
        let whole = try folder.write(good, "whole.eoss")
        #expect(Self.isReadable(whole))
        var generator = Generator(state: 7)
        let pages = good.count / 4096
        var unreadable = 0
        for page in 1..<pages {
            let other = (page + pages / 2) % pages * 4096
            let replacements = [
                Data(count: 4096), Data((0..<4096).map { _ in .random(in: 0...255, using: &generator) }),
                good[other..<other + 4096],
            ]
            for replacement in replacements {
                var bytes = good
                bytes.replaceSubrange(page * 4096..<(page + 1) * 4096, with: replacement)
                if !Self.isReadable(try folder.write(bytes, "damaged.eoss")) { unreadable += 1 }
            }
        }
        #expect(unreadable > pages / 2, "\(unreadable) of 3·\(pages)")
    }

    /// Values of the right kind that say what is odd, and can be shown.
    @Test(arguments: [
        "UPDATE run SET step = -9223372036854775808", "UPDATE run SET heartbeat = '9999-12-31T23:59:59.999Z'",
        "UPDATE run SET created = '0001-01-01T00:00:00.000Z'", "UPDATE checkpoint SET size = 9223372036854775807",
        "UPDATE checkpoint SET step = -1", "UPDATE measurement SET value = 9e999, standard_error = -9e999",
        "UPDATE measurement SET step = step - 9223372036854775807", "UPDATE event SET time = 'never'",
        "UPDATE event SET message = '; a: ; b: ; ' WHERE kind = 'start'", "DELETE FROM script",
        "UPDATE series SET name = '' WHERE id = 1", "UPDATE script SET source = x'ff00fe'",
    ])
    func oddValuesAreShown(sql: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(try Self.sample(in: folder), "changed.eoss")
        try change(file, sql)
        #expect(Self.isReadable(file))
    }

    /// Values that cannot be.
    @Test(arguments: [
        "UPDATE chunk SET count = 9223372036854775807", "UPDATE chunk SET last = 9223372036854775807",
        "UPDATE parameters SET json = '[1]'", #"UPDATE parameters SET json = '{"lr": 1e999}'"#, "DELETE FROM run",
    ])
    func impossibleValuesAreErrors(sql: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(try Self.sample(in: folder), "changed.eoss")
        try change(file, sql)
        let error = try #require(throws: RunFileError.self) { try ListedRun(file).summary.get() }
        #expect("\(error)".contains("is damaged"), "\(error)")
    }
}
