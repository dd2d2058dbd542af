/// The order in which a person looks for names: numbers by their value, so that run-9 comes before run-10 and lr=0.05 before lr=0.1, and
/// letters whether they are large or small. Names that differ in nothing else are in the order of their bytes.
enum NameOrder {
    static func precedes(_ a: String, _ b: String) -> Bool {
        var (first, second) = (a[...], b[...])
        while !first.isEmpty, !second.isEmpty {
            if let x = number(first), let y = number(second) {
                if let left = Double(x), let right = Double(y), left != right { return left < right }
                (first, second) = (first[x.endIndex...], second[y.endIndex...])
            } else {
                let (x, y) = (first.removeFirst().lowercased(), second.removeFirst().lowercased())
                if x != y { return x < y }
            }
        }
        if first.isEmpty != second.isEmpty { return first.isEmpty }
        return a.utf8.lexicographicallyPrecedes(b.utf8)
    }

    /// The decimal number that a text begins with.
    private static func number(_ text: Substring) -> Substring? {
        let bytes = text.utf8
        func digits(from start: Substring.Index) -> Substring.Index {
            bytes[start...].firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? bytes.endIndex
        }
        func starts(at index: Substring.Index, with marks: String) -> Bool {
            index < bytes.endIndex && marks.utf8.contains(bytes[index])
        }
        var end = digits(from: bytes.startIndex)
        if end == bytes.startIndex { return nil }
        if starts(at: end, with: ".") {
            let start = bytes.index(after: end)
            if digits(from: start) > start { end = digits(from: start) }
        }
        if starts(at: end, with: "eE") {
            var start = bytes.index(after: end)
            if starts(at: start, with: "+-") { start = bytes.index(after: start) }
            if digits(from: start) > start { end = digits(from: start) }
        }
        return text[..<end]
    }
}
