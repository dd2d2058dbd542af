import Foundation
import RunFiles
import Testing

/// Numbers, tables and curves as text.
@Suite struct TextTests {
    @Test func numbersTakeFewCharacters() {
        let whole = [0, 12, 1234, -1_234_567, .min].map(\.grouped)
        #expect(whole == ["0", "12", "1,234", "-1,234,567", "-9,223,372,036,854,775,808"])
        let sizes = [0, 999, 1000, 1250, 99_949, 999_600, 5_000_000_000].map(\.byteSize)
        #expect(sizes == ["0 B", "999 B", "1.0 kB", "1.2 kB", "100 kB", "1.0 MB", "5.0 GB"])
        let real: [Double] = [0, 1.0 / 3, 39.44, 123_456, 1e-9, -2.5, .nan, .infinity, -.infinity]
        #expect(
            real.map(\.short) == ["0", "0.333", "39.4", "1.23e+05", "1.00e-09", "-2.50", "nan", "inf", "-inf"])
        let ages: [Double] = [-3, 59.9, 61, 3 * 3600, 47 * 3600, 49 * 3600, .infinity]
        #expect(ages.map(\.age) == ["0 s", "59 s", "1 min", "3 h", "47 h", "2 d", "11574074 d"])
        #expect("abcdef".cut(to: 4) == "abc…" && "abc".cut(to: 3) == "abc" && "abc".cut(to: 0) == "")
        #expect("a\u{1B}b\nc".label() == #"a\u{1B}b\nc"#)
        #expect(String(repeating: "x", count: 10_000_000).label(10).count == 10)
    }

    private static let table: TextTable = {
        var table = TextTable([
            .init("NAME", .left, least: 6), .init("N"), .init("one", isOptional: true), .init("two", isOptional: true),
        ])
        table.add(["a-long-name", "1", "0.5", "12345"])
        table.add(["b", "1,000", "", "1"])
        table.add(["c", "what is wrong with it, at length"])
        return table
    }()

    @Test func columnsAreAligned() {
        #expect(
            Self.table.lines() == [
                "NAME             N  one    two", "a-long-name      1  0.5  12345", "b            1,000           1",
                "c            what is wrong with it, at length",
            ])
    }

    @Test(arguments: 15...60) func aTableFitsItsWidth(width: Int) {
        let lines = Self.table.lines(width: width)
        #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
        #expect(lines[0].contains("two") == (width >= 25) && lines[0].contains("one") == (width >= 18), "\(lines)")
    }

    @Test func aSpikeAmongAMillionValuesIsSeen() {
        var values = [Double](repeating: 1, count: 1_000_000)
        values[654_321] = 2
        let line = Sparkline.text(values, width: 24)
        #expect(
            line.count == 24 && line.filter { $0 == "█" }.count == 1 && Array(line)[654_321 * 24 / 1_000_000] == "█")
    }

    @Test func curvesOfAnyValuesAreDrawn() {
        #expect(Sparkline.text([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.text([1, 10, 100, 1000]) == "▁▃▆█", "by the logarithm")
        #expect(Sparkline.text([.nan, 1, .infinity, 2]) == "·▁·█")
        #expect(Sparkline.text([.nan, -.infinity]) == "··" && Sparkline.text([]) == "" && Sparkline.text([3]) == "▁")
        #expect(Sparkline.text([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == "▁█")
    }
}
