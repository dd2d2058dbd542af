import RunFiles
import Testing

@Suite struct LineDifferenceTests {
    /// The old text with the hunks applied, as `patch` does.
    private func patched(_ old: String, _ difference: LineDifference) throws -> String {
        var lines = old.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var shift = 0
        for hunk in difference.hunks {
            var place = hunk.first.old - 1 + shift
            #expect(place == hunk.first.new - 1)
            for change in hunk.lines {
                switch change {
                case .kept(let text):
                    #expect(lines[place] == text)
                    place += 1
                case .removed(let text):
                    #expect(lines.remove(at: place) == text)
                    shift -= 1
                case .added(let text):
                    lines.insert(text, at: place)
                    place += 1
                    shift += 1
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    @Test func theHunksMakeOneTextOfTheOther() throws {
        var generator = Generator(state: 1)
        for round in 0..<300 {
            let old = (0..<Int.random(in: 1...40, using: &generator)).map { "line \($0 % 7)" }
            var new = old
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let place = Int.random(in: 0...new.count, using: &generator)
                if Bool.random(using: &generator) || place == new.count || new.count == 1 {
                    new.insert("line \(Int.random(in: 0..<9, using: &generator))", at: place)
                } else {
                    new.remove(at: place)
                }
            }
            let (a, b) = (old.joined(separator: "\n"), new.joined(separator: "\n"))
            let difference = LineDifference(a, b, context: round % 4)
            #expect(try patched(a, difference) == b)
            #expect((a == b) == difference.hunks.isEmpty)
        }
    }

    @Test func aHunkHasAFewLinesAround() {
        let old = (1...30).map(String.init)
        var new = old
        new[4] = "five"
        new[9] = "ten"
        new.remove(at: 25)
        let difference = LineDifference(old.joined(separator: "\n"), new.joined(separator: "\n"), context: 2)
        #expect(difference.hunks.map(\.lines.count) == [12, 5], "two changes whose contexts touch are one")
        #expect(
            difference.hunks[1].lines == [.kept("24"), .kept("25"), .removed("26"), .kept("27"), .kept("28")])
        #expect(difference.hunks[0].first == (3, 3) && difference.hunks[1].first == (24, 24))
        #expect(LineDifference("a\n", "a").hunks.isEmpty, "a line that ends is the same as one that does not")
    }

    @Test func textsOfAnyLengthAreCompared() throws {
        let a = (0..<30_000).map { "a\($0)" }.joined(separator: "\n")
        let b = (0..<30_000).map { "b\($0)" }.joined(separator: "\n")
        let difference = LineDifference(a, b)
        #expect(difference.hunks.count == 1 && difference.hunks[0].lines.count == 60_000)
        #expect(LineDifference("", "").hunks.isEmpty && LineDifference("", "x").hunks[0].lines == [.added("x")])
    }
}
