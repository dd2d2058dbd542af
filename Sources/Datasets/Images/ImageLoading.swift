import Foundation

/// What is wanted of a data set of images.
public struct ImageOptions: Sendable {
    public var selection: SampleSelection = .all
    /// Only these classes, renumbered from 0 in this order; `nil`: all.
    public var classes: [Int]?
    /// The share of the training samples that get a wrong label.
    public var labelNoise = 0.0
    /// Of the choice of samples and of the wrong labels.
    public var seed: UInt64 = 0
    public var standardize = Standardization.subset
    /// How many test samples, the first ones of the file; `nil`: all; 0: no test split.
    public var testCount: Int?
    /// Where the files are: a folder, or for CIFAR-10 the archive; `nil`: `EOSS_DATA` and the system's folders are searched.
    public var folder: String?

    public init() {}
}

extension Dataset {
    /// CIFAR-10 (Krizhevsky 2009): 50,000 training and 10,000 test images of 3×32×32 pixels in 10 classes, from its binary version.
    /// - Throws: as ``images(_:_:)``.
    public static func cifar10(_ options: ImageOptions = ImageOptions()) throws -> Dataset {
        try images(.cifar10, options)
    }

    /// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 training and 10,000 test images of 28×28 grey pixels in 10
    /// classes, from its IDX files, gzipped or not. Inputs have the shape [1, 28, 28].
    /// - Throws: as ``images(_:_:)``.
    public static func fashionMNIST(_ options: ImageOptions = ImageOptions()) throws -> Dataset {
        try images(.fashionMNIST, options)
    }

    /// MNIST (LeCun, Bottou, Bengio & Haffner 1998), laid out as Fashion-MNIST.
    /// - Throws: as ``images(_:_:)``.
    public static func mnist(_ options: ImageOptions = ImageOptions()) throws -> Dataset { try images(.mnist, options) }

    /// The cropped digits of SVHN (Netzer et al. 2011): 73,257 training and 26,032 test images of 3×32×32 pixels; the class is the
    /// digit.
    /// - Throws: as ``images(_:_:)``.
    public static func svhn(_ options: ImageOptions = ImageOptions()) throws -> Dataset { try images(.svhn, options) }

    /// A data set of the table ``ImageFacts/all``. Pixels stay bytes in memory until a view of them is asked for.
    /// - Throws: `DatasetError` when the files are not found (it says where they were looked for and how to get them), damaged, or
    ///   when the options do not fit them; the memory account's error.
    public static func images(_ facts: ImageFacts, _ options: ImageOptions = ImageOptions()) throws -> Dataset {
        try ImageLoader(facts, options).load()
    }
}

/// Takes what the options ask for out of the files of a data set.
struct ImageLoader {
    let facts: ImageFacts
    let options: ImageOptions
    let folders: DataFolders

    init(
        _ facts: ImageFacts, _ options: ImageOptions,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        (self.facts, self.options) = (facts, options)
        folders = DataFolders(facts, explicit: options.folder, environment: environment)
    }

    func load() throws -> Dataset {
        let classCount = facts.classNames.count
        let kept =
            try options.classes.map { try checkedClasses($0, of: classCount, in: facts.title) } ?? Array(0..<classCount)
        guard facts.possibleStandardizations.contains(options.standardize) else {
            let possible = facts.possibleStandardizations.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw DatasetError(
                "standardize = '\(options.standardize.rawValue)': there are no such constants for \(facts.title). It has \(possible)"
            )
        }
        let place = try folders.find()
        let training = try part(.train, at: place)
        let chosen = try options.selection.chosen(
            labels: training.labels, count: training.count, classes: kept, seed: options.seed, name: facts.title)
        let (pixels, sums) = try take(
            chosen, from: training, sumsOver: options.standardize, what: "the training images of \(facts.name)")

        let newLabel = Dictionary(uniqueKeysWithValues: kept.enumerated().map { (Int32($1), Int32($0)) })
        var labels = chosen.compactMap { newLabel[training.labels[$0]] }
        let changed = try addLabelNoise(options.labelNoise, to: &labels, classes: kept.count, seed: options.seed)

        let (mean, std) = moments(sums)
        let train = Split(
            inputs: ElementViews(
                PixelTable(pixels: pixels, mean: mean, std: std), for: "the training images of \(facts.name)"),
            labels: labels, classes: kept.count, name: facts.name)
        var notes = ["taken from \(training.count) (\(options.selection.phrase(seed: options.seed)))"]
        if options.classes != nil { notes.append("classes \(kept.map(String.init).joined(separator: " "))") }
        if options.labelNoise > 0 { notes.append("\(changed) labels changed") }
        notes.append(phrase(mean, std))
        return Dataset(
            name: facts.name, title: "\(facts.title) (\(facts.citation))", inputShape: facts.imageShape, train: train,
            test: try test(at: place, newLabel, mean, std), classNames: kept.map { facts.classNames[$0] },
            source: place,
            notes: notes)
    }

    private func test(
        at place: String, _ newLabel: [Int32: Int32], _ mean: [Double], _ std: [Double]
    ) throws -> Split? {
        if options.testCount == 0 { return nil }
        let testing = try part(.test, at: place)
        var eligible = testing.labels.indices.filter { newLabel[testing.labels[$0]] != nil }
        if let count = options.testCount {
            guard count > 0, count <= eligible.count else {
                throw DatasetError(
                    "test_n = \(count), but \(facts.title) has \(eligible.count) test samples of these classes")
            }
            eligible = Array(eligible.prefix(count))
        }
        guard !eligible.isEmpty else { return nil }
        let (pixels, _) = try take(eligible, from: testing, sumsOver: .none, what: "the test images of \(facts.name)")
        return Split(
            inputs: ElementViews(
                PixelTable(pixels: pixels, mean: mean, std: std), for: "the test images of \(facts.name)"),
            labels: eligible.compactMap { newLabel[testing.labels[$0]] }, classes: newLabel.count, name: facts.name)
    }

    /// The images and labels of one part.
    private func part(_ part: ImageFacts.Part, at place: String) throws -> ImagePart {
        switch facts.layout {
        case .idx:
            func file(_ what: String, _ kind: String, _ sampleShape: [Int]) throws -> IDXFile {
                guard let path = DataFolders.idxFile(part, what, kind, in: place) else {
                    let stem = "\(part == .train ? "train" : "t10k")-\(what)-\(kind)-ubyte"
                    throw DatasetError("\(place) holds no \(stem) or \(stem).gz")
                }
                return try IDXFile(FileSource(path: path), sampleShape: sampleShape)
            }
            return try Self.part(
                images: file("images", "idx3", Array(facts.imageShape.dropFirst())), labels: file("labels", "idx1", []),
                facts)
        case .cifar:
            let source = try? FileSource(path: place)
            if let source { return try CIFARFiles.part(archive: source, part, facts) }
            return try CIFARFiles.part(CIFARFiles.names(part).map { try FileSource(path: "\(place)/\($0)") }, facts)
        case .svhn:
            return try SVHNFiles.part(FileSource(path: "\(place)/\(DataFolders.svhnName(part))"), facts)
        }
    }

    static func part(images: IDXFile, labels: IDXFile, _ facts: ImageFacts) throws -> ImagePart {
        guard images.count == labels.count else {
            throw DatasetError(
                "\(images.name) has \(images.count) images, and \(labels.name) has \(labels.count) labels")
        }
        return try ImagePart(labels: try labels.values().map(Int32.init), of: facts, in: labels.name) { last, body in
            try images.forEachRow(through: last, body)
        }
    }

    /// The images with these numbers, in this order, and the sums over the pixels that the standardisation needs.
    private func take(
        _ chosen: [Int], from part: ImagePart, sumsOver standardize: Standardization, what: String
    ) throws -> (NDArray, PixelSums) {
        let size = facts.imageShape.reduce(1, *)
        var place = [Int](repeating: -1, count: part.count)
        for (row, index) in chosen.enumerated() { place[index] = row }
        var sums = PixelSums(imageSize: size)
        let last = standardize == .cohen ? part.count - 1 : chosen.max() ?? -1
        let pixels = try NDArray(shape: [chosen.count, size], element: .u8, for: what) { target in
            try part.forEachImage(last) { index, image in
                if place[index] >= 0 {
                    UnsafeMutableRawBufferPointer(rebasing: target[(place[index] * size)...]).copyMemory(from: image)
                }
                if standardize == .cohen || standardize == .subset && place[index] >= 0 { sums.add(image) }
            }
        }
        return (pixels, sums)
    }

    private func moments(_ sums: PixelSums) -> (mean: [Double], std: [Double]) {
        switch options.standardize {
        case .none: return ([0], [1])
        case .cohen: return sums.moments(groupsOf: 1)
        case .subset: return sums.moments(groupsOf: facts.imageShape[1] * facts.imageShape[2])
        case .eoss, .centralFlows:
            let moments = facts.constants[options.standardize]
            return (moments?.mean ?? [0], moments?.std ?? [1])
        }
    }

    private func phrase(_ mean: [Double], _ std: [Double]) -> String {
        func digits(_ values: [Double]) -> String { values.map { String(format: "%.4f", $0) }.joined(separator: " ") }
        switch options.standardize {
        case .none: return "pixels in [0, 1]"
        case .cohen: return "pixels standardised one by one over the full training set"
        case .eoss, .centralFlows, .subset:
            return "standardised by mean \(digits(mean)) and deviation \(digits(std))"
                + (options.standardize == .subset ? " of the subset" : "")
        }
    }
}
