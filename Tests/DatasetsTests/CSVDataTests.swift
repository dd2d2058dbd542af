import Foundation
import Testing

@testable import Datasets

@Suite struct CSVData {
    private func load(_ text: String, _ change: (inout CSVOptions) -> Void = { _ in }) throws -> Dataset {
        try load(Data(text.utf8), change)
    }

    private func load(_ bytes: Data, _ change: (inout CSVOptions) -> Void = { _ in }) throws -> Dataset {
        var options = CSVOptions()
        options.standardizes = false
        change(&options)
        return try Dataset.csv(bytes, name: "t.csv", options)
    }

    private func failure(_ text: String, _ change: (inout CSVOptions) -> Void = { _ in }) -> String {
        do {
            _ = try load(text, change)
            return ""
        } catch { return "\(error)" }
    }

    @Test func theLastColumnIsTheClass() throws {
        let data = try load("1,2.5,0\n-3e1,4,2\n\n.5,+6,1")
        #expect(data.inputShape == [2] && data.outputs == 3 && data.train.labels == [0, 2, 1])
        #expect(try values(data.train.inputs(as: .f64)) == [[1, 2.5], [-30, 4], [0.5, 6]])
        #expect(data.source == "t.csv" && data.test == nil)
    }

    /// Written by another program: a byte-order mark, a header, Windows' line ends, quotes, another separator, compressed.
    @Test func tablesOfOtherProgramsAreRead() throws {
        let text = "\u{FEFF}\"kind; of\";\"a\";b\r\n\"x;y\"; 1 ;2\r\nz;3;4\r\n\"x;y\";5;6\r\n"
        for bytes in [Data(text.utf8), Written.gzip(Data(text.utf8))] {
            for answers in [(1, nil), (-3, nil), (nil, "kind; of")] as [(Int?, String?)] {
                let data = try load(bytes) {
                    $0.answers = answers
                    $0.separator = UInt8(ascii: ";")
                }
                #expect(data.train.labels == [0, 1, 0] && data.classNames == ["x;y", "z"])
                #expect(try values(data.train.inputs(as: .f32)) == [[1, 2], [3, 4], [5, 6]])
            }
        }
    }

    @Test func aTargetIsARealNumber() throws {
        let data = try load("price,size\n1.5,10\n2.5,20\n") {
            $0.answers = (nil, "price")
            $0.areClasses = false
        }
        #expect(data.train.labels == nil && data.outputs == 1)
        #expect(try values(data.train.targets(as: .f64)) == [[1.5], [2.5]])
    }

    /// Rows longer than a block, as images have them; each channel is standardised over the training samples by itself.
    @Test func imagesAreScaledShapedAndStandardised() throws {
        let rows = (0..<40).map { row in
            (0..<2 * 100 * 100).map { place in place < 10_000 ? "\((row + place) % 256)" : "7" }.joined(separator: ",")
                + ",\(row % 2)"
        }
        let text = Written.gzip(Data(rows.joined(separator: "\n").utf8))
        let plain = try load(text) {
            $0.shape = [2, 100, 100]
            $0.scale = 1 / 255.0
        }
        #expect(plain.inputShape == [2, 100, 100])
        #expect(try values(plain.train.inputs(as: .f64))[3][5] == 8 / 255.0)
        let data = try load(text) {
            ($0.shape, $0.standardizes, $0.testCount, $0.selection) = ([2, 100, 100], true, 10, .random(20))
        }
        #expect(data.train.count == 20 && data.test?.count == 10)
        let inputs = try values(data.train.inputs(as: .f64))
        let first = inputs.flatMap { $0[..<10_000] }
        let mean = first.reduce(0, +) / Double(first.count)
        let variance = first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(first.count)
        #expect(abs(mean) < 1e-12 && abs(variance - 1) < 1e-12)
        // A constant channel becomes 0, in the test samples too.
        #expect(inputs.allSatisfy { $0[10_000...].allSatisfy { $0 == 0 } })
        let test = try values(#require(data.test).inputs(as: .f64))
        #expect(test.allSatisfy { $0[10_000...].allSatisfy { $0 == 0 } })
    }

    @Test func columnsOfTablesAreStandardisedOneByOne() throws {
        let data = try load("1,100,0\n2,200,1\n3,300,0\n") { $0.standardizes = true }
        let inputs = try values(data.train.inputs(as: .f64))
        let far = (1.5).squareRoot()
        for row in zip(inputs, [-far, 0, far]) {
            for value in row.0 { #expect(abs(value - row.1) < 1e-15) }
        }
    }

    @Test func whatIsNoTableIsSaid() {
        #expect(failure("1,2,0\n1,0\n") == "t.csv, line 2 has 2 fields, the first line has 3")
        #expect(failure("1,2,0\n1,x,0\n") == "t.csv, line 2, field 2: 'x' is not a finite number")
        #expect(failure("1,nan,0\n1,2,0", { $0.hasHeader = false }).contains("'nan' is not a finite number"))
        #expect(failure("a,b\n") == "t.csv holds no rows of numbers")
        #expect(failure("1,\"2,0\n").contains("line 1, field 2: a quote is not closed"))
        #expect(failure("1\n2\n").contains("has one column"))
        #expect(
            failure("1,2,0\n") { $0.answers = (4, nil) }.contains("the columns 1 to 3, or -1 for the last one: not 4"))
        #expect(failure("1,2,0\n") { $0.answers = (nil, "kind") }.contains("no column 'kind'"))
        #expect(
            failure("1,2,0\n") { $0.shape = [3] }.contains("has 2 numbers for an input, which are none of shape [3]"))
        #expect(failure("1,2,0.5\n1,2,0.25\n").contains("are they real numbers (target)?"))
        #expect(failure("1,2,x\n1,2,y\n", { $0.areClasses = false }).contains("the target 'x' is not a finite number"))
        let gzipped = Written.gzip(Data("1,2,0\n3,4,1\n".utf8))
        for length in stride(from: 11, to: gzipped.count - 1, by: 3) {
            #expect(throws: DatasetError.self) { try load(gzipped.prefix(length)) }
        }
    }
}
