/// The cropped digits of SVHN: MATLAB files with the images `X` [32, 32, 3, n] (rows, columns, channels; unsigned bytes) and the
/// labels `y`, where 10 stands for the digit 0.
///
/// Netzer, Wang, Coates, Bissacco, Wu & Ng, "Reading digits in natural images with unsupervised feature learning", 2011.
enum SVHNFiles {
    static func part(_ source: any ByteSource, _ facts: ImageFacts) throws -> ImagePart {
        let file = try MATFile(source)
        func variable(_ name: String) throws -> MATFile.Variable {
            guard let found = file.variables.first(where: { $0.name == name }) else {
                let names = file.variables.map { "'\($0.name)'" }.joined(separator: ", ")
                throw DatasetError("\(source.name) has no variable '\(name)'; it has \(names.isEmpty ? "none" : names)")
            }
            return found
        }
        let images = try variable("X")
        let answers = try variable("y")
        let (channels, rows, columns) = (facts.imageShape[0], facts.imageShape[1], facts.imageShape[2])
        guard images.shape.count == 4, Array(images.shape[..<3]) == [rows, columns, channels],
            images.stored == .memory(.u8)
        else {
            throw DatasetError(
                "\(source.name): X of shape \(images.shape) is not images [\(rows), \(columns), \(channels), n] of unsigned bytes"
            )
        }
        guard images.shape[3] > 0, images.shape[3] <= ImagePart.mostSamples, answers.count == images.shape[3] else {
            throw DatasetError("\(source.name) has \(images.shape[3]) images in X, and \(answers.count) labels in y")
        }
        let digits = try file.array(answers)
        let labels = try (0..<digits.count).map { i in
            guard let digit = Int32(exactly: digits[flat: i]), (0...10).contains(digit) else {
                throw DatasetError(
                    "\(source.name): y holds \(digits[flat: i]) for sample \(i + 1); digits are 1 to 10, "
                        + "10 for 0")
            }
            return digit % 10
        }
        return try ImagePart(labels: labels, of: facts, in: source.name) { last, body in
            let reader = try file.reader(images)
            let size = channels * rows * columns
            var image = [UInt8](repeating: 0, count: size)
            let count = min(labels.count, last + 1)
            try reader.forEachRow(count, of: size) { number, bytes in
                // The rows run fastest in the file, the columns here.
                var place = 0
                for channel in 0..<channels {
                    for row in 0..<rows {
                        for column in 0..<columns {
                            image[place] = bytes[(channel * columns + column) * rows + row]
                            place += 1
                        }
                    }
                }
                image.withUnsafeBytes { body(number, $0) }
            }
            if count == labels.count { try reader.finish(leaving: MATFile.mostFilling) }
        }
    }
}
