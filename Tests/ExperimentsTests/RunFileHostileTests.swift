import Foundation
import GRDB
import Testing

@testable import Experiments

/// Files that were made to harm: each is read to its end, or is one error, in a time that goes with its size.
extension RunFileStrangerTests {
    /// Every page of a file in turn: random bytes, zeros, and copies of other pages, whose rows and overflow chains then are there twice.
    @Test func noPageTrapsTheReader() throws {
        let folder = try TemporaryFolder()
        let good = try Data(contentsOf: try sample(in: folder))
        let pages = good.count / 4096
        let whole = try readAll(try write(good, "whole", in: folder))
        var generator = SplitMix(state: 7)
        var refused = 0
        for page in 0..<pages {
            let place = page * 4096..<(page + 1) * 4096
            var replacements = [
                Data(count: 4096), Data((0..<4096).map { _ in .random(in: 0...255, using: &generator) }),
            ]
            // Of the first page what comes behind the header of the file.
            for other in [page + 1, page + pages / 3, page + pages / 2, Int.random(in: 0..<pages, using: &generator)] {
                let start = other % pages * 4096
                replacements.append(good[start..<start + 4096])
            }
            for (number, replacement) in replacements.enumerated() where good[place] != replacement {
                var bytes = good
                bytes.replaceSubrange(place, with: replacement)
                if page == 0, number % 2 == 1 { bytes.replaceSubrange(0..<100, with: good[0..<100]) }
                let url = try write(bytes, "page", in: folder)
                do throws(RunFileError) {
                    #expect(try readAll(url) <= 4 * whole)
                } catch {
                    refused += 1
                    #expect(error.description.contains(url.path))
                }
            }
        }
        #expect(refused > pages, "\(refused) of 6·\(pages)")
    }

    /// Twelve levels of pages, each with fifty times the same page below it: 50¹² rows, for who believes them.
    @Test(arguments: ["note", "measurement_by_step", "chunk_by_step", "series", "sqlite_schema"])
    func pagesThatNameOneAnotherEndInAnError(tree: String) throws {
        let folder = try TemporaryFolder()
        let url = try sample(in: folder)
        let queue = try DatabaseQueue(path: url.path)
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        let root = try queue.read { db in
            tree == "sqlite_schema" ? 1 : try #require(try Int.fetchOne(db, sql: sql, arguments: [tree]))
        }
        try queue.close()
        var bytes = try Data(contentsOf: url)
        let start = bytes.startIndex + (root - 1) * 4096
        let header = root == 1 ? 100 : 0
        let isTable = bytes[start + header] == 0x0D || bytes[start + header] == 0x05
        let isLeaf = bytes[start + header] == 0x0D || bytes[start + header] == 0x0A
        try #require(isTable || bytes[start + header] == 0x0A || bytes[start + header] == 0x02)
        func word(_ number: Int, _ count: Int) -> [UInt8] {
            (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        var pages = bytes.count / 4096
        // What the root had goes to a page of its own, below all levels.
        var leaf = [UInt8](bytes[start..<start + 4096])
        if root == 1 {
            // Cells of the first page lie as far from its beginning as anywhere; their places begin behind the file's header.
            let source = [UInt8](bytes[start..<start + 4096])
            let cells = Int(source[103]) << 8 | Int(source[104])
            let content = Int(source[105]) << 8 | Int(source[106])
            let head = isLeaf ? 8 : 12
            leaf = [UInt8](repeating: 0, count: 4096)
            leaf.replaceSubrange(0..<head + 2 * cells, with: source[100..<100 + head + 2 * cells])
            leaf.replaceSubrange(content..<4096, with: source[content..<4096])
        }
        // An index has an entry between two pages: the first one of the leaf.
        let cell = Int(leaf[8]) << 8 | Int(leaf[9])
        let entry: [UInt8] = isTable ? [1] : Array(leaf[cell..<cell + 1 + Int(leaf[cell])])
        func interior(_ child: Int, _ header: Int) -> [UInt8] {
            let content = word(child, 4) + entry
            let count = min(50, (4096 - header - 12) / (content.count + 2))
            var page = [UInt8](repeating: 0, count: 4096)
            page[header] = isTable ? 0x05 : 0x02
            page.replaceSubrange(header + 3..<header + 5, with: word(count, 2))
            page.replaceSubrange(header + 5..<header + 7, with: word(4096 - count * content.count, 2))
            page.replaceSubrange(header + 8..<header + 12, with: word(child, 4))
            for i in 0..<count {
                let place = 4096 - (i + 1) * content.count
                page.replaceSubrange(place..<place + content.count, with: content)
                page.replaceSubrange(header + 12 + 2 * i..<header + 14 + 2 * i, with: word(place, 2))
            }
            return page
        }
        bytes.append(contentsOf: leaf)
        pages += 1
        for _ in 0..<12 {
            bytes.append(contentsOf: interior(pages, 0))
            pages += 1
        }
        let top = interior(pages, header)
        bytes.replaceSubrange(start + header..<start + 4096, with: top[header...])
        bytes.replaceSubrange(28..<32, with: word(pages, 4))
        let hostile = try write(bytes, "hostile", in: folder)
        let watch = ContinuousClock()
        var message = ""
        let time = watch.measure {
            do throws(RunFileError) { try readAll(hostile) } catch { message = error.description }
        }
        // Who would go on with it is told the same, or walks no further.
        let going = watch.measure {
            do throws(RunFileError) {
                let file = try RunFile.reopen(hostile)
                do {
                    try file.cut(after: 1)
                    try file.close()
                } catch { #expect("\(error)".contains(hostile.path), "\(error)") }
            } catch { #expect(error.description.contains(hostile.path)) }
        }
        #expect(going < .seconds(60))
        // A walk along an index ends at the first key that nobody asked for.
        if !tree.hasSuffix("_by_step") { #expect(message.contains(hostile.path), "\(tree): \(message)") }
        #expect(time < .seconds(60))
        if ["note", "series"].contains(tree) { #expect(message.contains("in circles"), "\(message)") }
    }
}
