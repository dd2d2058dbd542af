import Datasets
import Experiments
import Foundation
import Testing

@testable import RunFiles

@Suite struct ExportTests {
    private func text(_ reader: RunFileReader, _ format: ExportFormat, long: Bool = false, series: [String]? = nil)
        throws -> String
    {
        let bytes = Bytes()
        try Export(reader, series: series).write(format, isLong: long, to: bytes)
        return bytes.text
    }

    @Test func aTableHasARowAStepAndNothingWhereNothingWasMeasured() throws {
        let place = try Workplace()
        let reader = try place.runFile()
        #expect(
            try text(reader, .csv) == """
                step,loss,sharpness
                0,1.0,
                1,0.5,
                2,0.3333333333333333,40.0
                3,0.25,
                4,0.2,nan

                """)
        #expect(try text(reader, .csv, series: ["sharpness"]) == "step,sharpness\n2,40.0\n4,nan\n")
        #expect(
            try text(reader, .csv, long: true, series: ["sharpness"]) == """
                series,step,value,stderr,samples,products,residual,seconds,operations,low,high
                sharpness,2,40.0,0.5,64,,,,,,
                sharpness,4,nan,,,,,,,,

                """)
    }

    @Test func linesOfJSONSayWhatJSONCannotSpellAsStrings() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            try file.record("a\"\\\u{1B}[2J λ", step: 1, value: -.infinity)
            try file.record("list", Measurement(step: 1, value: 0.5, arrays: ["nodes": [1, .nan]], interval: 0...1))
        }
        let lines = try text(reader, .jsonl).split(separator: "\n").map { try JSONValue(json: String($0)) }
        #expect(lines.count == 9)
        #expect(lines.contains(["series": "sharpness", "step": 4, "value": "NaN"]))
        #expect(lines.contains(["series": "a\"\\\u{1B}[2J λ", "step": 1, "value": "-Infinity"]))
        #expect(
            lines.contains([
                "series": "list", "step": 1, "value": 0.5, "low": 0, "high": 1, "arrays": ["nodes": [1, "NaN"]],
            ]))
    }

    /// Names are a stranger's: on a terminal an escape sequence would act.
    @Test func namesStandAsTheyAreButForControlCharactersAndEachOnce() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for name in ["step", "a,b \"c\"", "x\u{1B}[31m", "x\\u{1B}[31m", "../up"] {
                try file.record(name, step: 0, value: 2)
            }
        }
        let head = try text(reader, .csv).split(separator: "\n")[0]
        #expect(
            head
                == "step,loss,sharpness,step-2,\"a,b \"\"c\"\"\",x\\u{1B}[31m,x\\u{1B}[31m-2,../up")
    }

    @Test func aSeriesThatIsNotThereIsNamedWithThoseThatAre() throws {
        let place = try Workplace()
        let reader = try place.runFile()
        do {
            _ = try Export(reader, series: ["los"])
            Issue.record("it was found")
        } catch { #expect("\(error)".contains("los") && "\(error)".contains("loss"), "\(error)") }
    }

    @Test func arraysHaveStepsValuesAndErrorBars() throws {
        let place = try Workplace()
        let reader = try place.runFile()
        for format in [ExportFormat.npz, .safetensors] {
            let bytes = Bytes()
            try Export(reader).write(format, to: bytes)
            let arrays = try ArrayFile.contents(of: Data(bytes.bytes), name: "exported").arrays
            #expect(
                Set(arrays.keys) == [
                    "loss/steps", "loss/values", "sharpness/steps", "sharpness/values", "sharpness/stderrs",
                ])
            #expect(arrays["loss/steps"]?.values == [0, 1, 2, 3, 4] && arrays["loss/steps"]?.element == .i64)
            #expect(arrays["loss/values"]?.values == [1, 0.5, 1.0 / 3, 0.25, 0.2])
            let errors = try #require(arrays["sharpness/stderrs"]?.values)
            #expect(errors[0] == 0.5 && errors[1].isNaN)
        }
    }

    @Test func aCheckpointGivesItsParametersAlone() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for step in [2, 4] {
                let state = try ArrayFile.safetensors(
                    .init(
                        arrays: ["w": NDArray([Float(step)]), "@momentum": NDArray([0.5])], metadata: ["eoss": "{}"]))
                try file.addCheckpoint(step: step, bytes: state)
            }
        }
        for (asked, found) in [(nil, 4), (2, 2)] as [(Int?, Int)] {
            let bytes = Bytes()
            try Export(reader).writeCheckpoint(step: asked, to: bytes)
            let contents = try ArrayFile.contents(of: Data(bytes.bytes), name: "exported")
            #expect(contents.arrays.mapValues(\.values) == ["w": [Double(found)]])
            #expect(contents.metadata == ["run": "edge", "step": "\(found)"])
        }
        do {
            try Export(reader).writeCheckpoint(step: 3, to: Bytes())
            Issue.record("it was found")
        } catch { #expect("\(error)".contains("no checkpoint of step 3: it has those of 2, 4"), "\(error)") }
    }

    /// Chunks, rows between them, gaps: piece by piece the same as in one go, however small the pieces.
    @Test func aLongSeriesIsReadInPieces() throws {
        let place = try Workplace()
        let reader = try place.runFile { file in
            for step in 0..<4000 where step % 7 != 3 {
                try file.record(
                    "long", step: step * step, value: Double(step), standardError: step % 1000 < 300 ? 1 : nil)
                if step % 1000 == 999 { try file.commit() }
            }
        }
        let cursor = try SeriesCursor(reader, "long", pageSize: 100)
        var walked: [Experiments.Measurement] = []
        while let measurement = cursor.current {
            walked.append(measurement)
            try cursor.advance()
        }
        #expect(try walked == reader.series("long"))
        var (start, pages) = (Int.min, 0)
        while let end = try reader.lastStep(ofPageOf: "long", from: start, count: 100) {
            #expect(try (1...1400).contains(reader.series("long", from: start, to: end).count))
            (start, pages) = (end + 1, pages + 1)
        }
        #expect(pages >= 6)
    }

    @Test func aFileThatIsThereIsReplacedOnlyWhereThatIsAskedFor() throws {
        let place = try Workplace()
        let path = place.path("a.csv")
        let first = try ExportFile(path)
        try first.write(Array("one".utf8))
        try first.finish()
        do {
            _ = try ExportFile(path)
            Issue.record("it was replaced")
        } catch { #expect("\(error)".contains("is there already: --force replaces it"), "\(error)") }
        let second = try ExportFile(path, replacing: true)
        try second.write(Array("two".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "one")
        try second.finish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
        // What came there meanwhile stays, and nothing is left beside it.
        do {
            let third = try ExportFile(place.path("b.csv"))
            try Data("other".utf8).write(to: URL(fileURLWithPath: place.path("b.csv")))
            try third.finish()
            Issue.record("it was replaced")
        } catch { #expect("\(error)".contains("is there already"), "\(error)") }
        #expect(try place.names == ["a.csv", "b.csv"])
        let reader = try place.runFile()
        #expect(throws: (any Error).self) { try ExportFile(reader.url.path, replacing: true) }
    }

    /// RFC 3720, B.4.
    @Test func checksumsAreCastagnolis() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
    }
}
