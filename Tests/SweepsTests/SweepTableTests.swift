import Testing

@testable import Sweeps

@Suite struct SweepTableTests {
    private static func entry(_ lr: String, _ seed: Int, _ loss: Double, diverged: Bool = false) -> SweepTable.Entry {
        .init(settings: [.init("lr", lr), .init("seed", "\(seed)")], isDiverged: diverged, values: ["loss": loss])
    }

    @Test func theStandardErrorIsThatOfTheMean() {
        // Of 1, 2, 3, 6 the deviations from 3 are −2, −1, 0, 3: the variance is 14/3, that of the mean 14/12.
        let statistics = SweepTable.Statistics([1, 2, 3, 6])
        #expect(statistics.mean == 3 && statistics.median == 2.5 && statistics.count == 4)
        #expect(abs(statistics.standardError - (14.0 / 12).squareRoot()) < 1e-15)
        #expect(SweepTable.Statistics([7]).mean == 7 && SweepTable.Statistics([7]).standardError.isNaN)
        #expect(SweepTable.Statistics([]).mean.isNaN && SweepTable.Statistics([]).count == 0)
    }

    @Test func seedsAreOneLineAndWhatDivergedIsCountedApart() {
        let table = SweepTable(
            [
                Self.entry("0.1", 1, 2), Self.entry("0.1", 2, 4), Self.entry("9", 1, .infinity, diverged: true),
                Self.entry("9", 2, 8),
            ], columns: ["loss"])
        #expect(table.rows.map(\.count) == [2, 2] && table.rows.map(\.diverged) == [0, 1])
        #expect(table.rows.map { $0.statistics[0].mean } == [3, 8])
        #expect(
            table.text == """
                lr   n  diverged   loss  median
                0.1  2         0  3 ± 1       3
                9    2         1      8       8
                """)
    }

    @Test func withoutRepetitionsTheTableHasPlainValues() {
        let table = SweepTable([Self.entry("0.1", 1, 2), Self.entry("0.2", 1, 0.123456)], columns: ["loss", "none"])
        #expect(
            table.text == """
                lr     loss  none
                0.1       2     –
                0.2  0.1235     –
                """)
    }

    @Test func controlCharactersOfNamesAreSpelledOut() {
        let entry = SweepTable.Entry(settings: [.init("a", "\u{1B}[31m")], values: ["l\u{7}": 1])
        #expect(
            !SweepTable([entry], columns: ["l\u{7}"]).text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{7}" })
    }
}
