/// The images of one part of a data set, training or test, as they lie in its files: read again for each walk over them, so that
/// no more of them is in memory than is asked for.
struct ImagePart {
    /// More samples than any set of this kind has: what claims more is damaged.
    static let mostSamples = 1 << 24

    /// The label of every image.
    let labels: [Int32]
    /// Gives the body each image (unsigned bytes in the order channels, rows, columns) with its number, in the order of the files;
    /// those after image `last` may be left out.
    let forEachImage: (_ last: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) throws -> Void

    var count: Int { labels.count }

    /// - Parameter files: what holds the labels, for errors.
    init(
        labels: [Int32], of facts: ImageFacts, in files: String,
        forEachImage: @escaping (_ last: Int, _ body: (Int, UnsafeRawBufferPointer) -> Void) throws -> Void
    ) throws {
        if let place = labels.firstIndex(where: { $0 < 0 || $0 >= facts.classNames.count }) {
            throw DatasetError(
                "\(files) holds the label \(labels[place]) (sample \(place + 1)); \(facts.title) has the classes "
                    + "0 to \(facts.classNames.count - 1)")
        }
        (self.labels, self.forEachImage) = (labels, forEachImage)
    }
}
