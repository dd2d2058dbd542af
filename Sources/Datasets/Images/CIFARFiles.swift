import Foundation

/// The binary version of CIFAR-10: records of one byte for the class and 3,072 for the image (red, green, blue, each by rows), in
/// `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, in a folder or in the tar archive that is distributed, gzipped or
/// not.
///
/// Krizhevsky, "Learning multiple layers of features from tiny images", 2009; <https://www.cs.toronto.edu/~kriz/cifar.html>.
enum CIFARFiles {
    /// The names of a part's files in the order of its samples.
    static func names(_ part: ImageFacts.Part) -> [String] {
        part == .train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
    }

    /// - Parameter sources: the part's files in order.
    static func part(_ sources: [any ByteSource], _ facts: ImageFacts) throws -> ImagePart {
        try part(facts, in: sources.map(\.name).joined(separator: ", "), names: sources.map(\.name)) { last, body in
            for (number, source) in sources.enumerated() where number <= last {
                try body(number, SliceReader(source, range: 0..<source.count))
            }
        }
    }

    static func part(archive source: any ByteSource, _ part: ImageFacts.Part, _ facts: ImageFacts) throws -> ImagePart {
        let names = names(part)
        return try self.part(facts, in: source.name, names: names.map { "\(source.name): \($0)" }) { _, body in
            // The files stand in the archive in any order.
            var missing = Set(names.indices)
            try Tar.forEachFile(in: source) { path, reader in
                let file = path.split(separator: "/").last.map(String.init) ?? ""
                guard let number = names.firstIndex(of: file) else { return }
                guard missing.remove(number) != nil else { throw DatasetError("\(source.name) holds \(file) twice") }
                try body(number, reader)
            }
            if let absent = missing.min() { throw DatasetError("\(source.name) holds no \(names[absent])") }
        }
    }

    /// - Parameter walk: opens the part's files, in any order, those after number `last` or not, and hands on each one's place in `names`
    ///   and its bytes.
    private static func part(
        _ facts: ImageFacts, in files: String, names: [String],
        walk: @escaping (_ last: Int, _ body: (Int, any ByteReader) throws -> Void) throws -> Void
    ) throws -> ImagePart {
        let recordSize = facts.imageShape.reduce(1, *) + 1
        var labels = [[Int32]](repeating: [], count: names.count)
        try walk(names.count - 1) { number, reader in
            let count = reader.remaining / recordSize
            guard count > 0, reader.remaining % recordSize == 0, count <= ImagePart.mostSamples else {
                throw DatasetError(
                    "\(names[number]) has \(reader.remaining) bytes, which is not a whole number of images with their "
                        + "labels (\(recordSize) bytes each): is it truncated, or not the binary version of \(facts.title)?"
                )
            }
            try reader.forEachRow(count, of: recordSize) { labels[number].append(Int32($1[0])) }
        }
        let counts = labels.map(\.count)
        let starts = counts.indices.map { counts[..<$0].reduce(0, +) }
        return try ImagePart(labels: labels.flatMap { $0 }, of: facts, in: files) { last, body in
            try walk(starts.lastIndex { $0 <= last } ?? 0) { number, reader in
                guard reader.remaining == counts[number] * recordSize else {
                    throw DatasetError("\(names[number]) changed while it was read")
                }
                try reader.forEachRow(counts[number], of: recordSize) { row, record in
                    body(starts[number] + row, UnsafeRawBufferPointer(rebasing: record[1...]))
                }
            }
        }
    }
}
