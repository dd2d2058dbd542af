import Foundation

/// What is wanted of an image data set.
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
    /// Where the files are; `nil`: `EOSS_DATA` and the system's folders are searched.
    public var folder: String?

    public init() {}
}

extension Dataset {
    /// Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 training and 10,000 test images of 28×28 grey pixels in 10
    /// classes, from its IDX files, gzipped or not. Inputs have the shape [1, 28, 28].
    /// - Throws: `DatasetError` when the files are not found (it says where they were looked for), damaged, or when the
    ///   options do not fit them; the memory account's error.
    public static func fashionMNIST(_ options: ImageOptions = ImageOptions()) throws -> Dataset {
        let source = IDXImages(
            name: "fashion_mnist", title: "Fashion-MNIST", classes: 10,
            folders: ["fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "FashionMNIST"],
            debianPackage: "dataset-fashion-mnist", mean: 0.2860, std: 0.3530)
        return try source.load(options)
    }
}

/// A data set in the four files of MNIST.
struct IDXImages {
    let name: String
    let title: String
    let classes: Int
    /// Names of folders below a data folder.
    let folders: [String]
    let debianPackage: String
    /// The constants of the EoSS code.
    let mean: Double
    let std: Double

    static let systemFolders = ["/usr/share/datasets", "/usr/local/share/datasets"]

    func load(_ options: ImageOptions, environment: [String: String] = ProcessInfo.processInfo.environment) throws
        -> Dataset
    {
        let kept = try keptClasses(options)
        let folder = try find(options.folder, environment)
        let training = try part("train", in: folder)
        let chosen = try options.selection.chosen(
            labels: training.labels, classes: kept, seed: options.seed, name: title)
        let pixelSums =
            options.standardize == .cohen ? [PixelSums](repeating: PixelSums(), count: training.images.rowSize) : nil
        let (pixels, sums) = try take(chosen, from: training.images, sums: pixelSums, what: "the training images")

        let newLabel = Dictionary(uniqueKeysWithValues: kept.enumerated().map { (Int32($1), Int32($0)) })
        var labels = chosen.compactMap { newLabel[training.labels[$0]] }
        let changed = try addLabelNoise(options.labelNoise, to: &labels, classes: kept.count, seed: options.seed)

        let (mean, std) = constants(options.standardize, subset: pixels, fullSet: sums)
        let train = Split(
            inputs: PixelTable(pixels: pixels, mean: mean, std: std).views(for: "the training images of \(name)"),
            labels: labels, classes: kept.count, name: name)
        var notes = ["taken from \(training.labels.count) (\(phrase(options.selection, seed: options.seed)))"]
        if options.classes != nil { notes.append("classes \(kept.map(String.init).joined(separator: " "))") }
        if options.labelNoise > 0 { notes.append("\(changed) labels changed") }
        notes.append(phrase(options.standardize, mean, std))
        return Dataset(
            name: name, inputShape: [1] + training.images.shape[1...], outputs: kept.count, train: train,
            test: try test(options, in: folder, newLabel, imageShape: training.images.shape[1...], mean, std),
            notes: notes)
    }

    private func test(
        _ options: ImageOptions, in folder: String, _ newLabel: [Int32: Int32], imageShape: ArraySlice<Int>,
        _ mean: [Double], _ std: [Double]
    ) throws -> Split? {
        if options.testCount == 0 { return nil }
        let testing = try part("t10k", in: folder)
        guard testing.images.shape[1...] == imageShape else {
            throw DatasetError("\(testing.images.name) has images of another size than the training images")
        }
        var eligible = testing.labels.indices.filter { newLabel[testing.labels[$0]] != nil }
        if let count = options.testCount {
            guard count > 0, count <= eligible.count else {
                throw DatasetError(
                    "test_n = \(count), but \(title) has \(eligible.count) test samples of these classes")
            }
            eligible = Array(eligible.prefix(count))
        }
        let (pixels, _) = try take(eligible, from: testing.images, sums: nil, what: "the test images")
        return Split(
            inputs: PixelTable(pixels: pixels, mean: mean, std: std).views(for: "the test images of \(name)"),
            labels: eligible.compactMap { newLabel[testing.labels[$0]] }, classes: newLabel.count, name: name)
    }

    private func keptClasses(_ options: ImageOptions) throws -> [Int] {
        guard let kept = options.classes else { return Array(0..<classes) }
        guard !kept.isEmpty, Set(kept).count == kept.count, kept.allSatisfy({ (0..<classes).contains($0) }) else {
            throw DatasetError(
                "classes = \(kept): \(title) has the classes 0 to \(classes - 1), each may be named once")
        }
        return kept
    }

    /// The images and labels of one part, `train` or `t10k`.
    private func part(_ name: String, in folder: String) throws -> (images: IDXFile, labels: [Int32]) {
        let images = try IDXFile(path: try file("\(name)-images", "idx3", in: folder), rank: 3)
        let labelFile = try IDXFile(path: try file("\(name)-labels", "idx1", in: folder), rank: 1)
        guard images.count == labelFile.count else {
            throw DatasetError(
                "\(images.name) has \(images.count) images, and \(labelFile.name) has \(labelFile.count) labels")
        }
        let labels = try labelFile.values()
        if let wrong = labels.first(where: { $0 >= classes }) {
            throw DatasetError(
                "\(labelFile.name) holds the label \(wrong); \(title) has the classes 0 to \(classes - 1)")
        }
        return (images, labels.map(Int32.init))
    }

    /// The images with these numbers, in this order, and with `sums` those of every pixel over all images.
    private func take(
        _ chosen: [Int], from images: IDXFile, sums: [PixelSums]?, what: String
    ) throws -> (NDArray, [PixelSums]?) {
        var place = [Int](repeating: -1, count: images.count)
        for (row, index) in chosen.enumerated() { place[index] = row }
        let rowSize = images.rowSize
        var sums = sums
        let last = sums == nil ? chosen.max() ?? -1 : images.count - 1
        let pixels = try NDArray(shape: [chosen.count, rowSize], element: .u8, for: "\(what) of \(name)") { target in
            try images.forEachRow(through: last) { index, row in
                if place[index] >= 0 {
                    UnsafeMutableRawBufferPointer(rebasing: target[(place[index] * rowSize)...]).copyMemory(from: row)
                }
                if sums != nil {
                    for j in 0..<rowSize { sums?[j].add(row[j]) }
                }
            }
        }
        return (pixels, sums)
    }

    private func constants(
        _ standardize: Standardization, subset: NDArray, fullSet: [PixelSums]?
    ) -> (mean: [Double], std: [Double]) {
        switch standardize {
        case .none: return ([0], [1])
        case .eoss: return ([mean], [std])
        case .cohen:
            let moments = (fullSet ?? []).map(\.moments)
            return (moments.map(\.mean), moments.map(\.std))
        case .subset:
            var sums = PixelSums()
            subset.withUnsafeBytes { for pixel in $0 { sums.add(pixel) } }
            return ([sums.moments.mean], [sums.moments.std])
        }
    }

    // MARK: - Where the files are

    /// The file's path: `train-images-idx3-ubyte`, also with a dot before `idx3`, also with `.gz`.
    private func file(_ stem: String, _ kind: String, in folder: String) throws -> String {
        guard let path = existingFile(stem, kind, in: folder) else {
            throw DatasetError("\(folder) holds no \(stem)-\(kind)-ubyte or \(stem)-\(kind)-ubyte.gz")
        }
        return path
    }

    private func existingFile(_ stem: String, _ kind: String, in folder: String) -> String? {
        ["-", "."].flatMap { ["\(folder)/\(stem)\($0)\(kind)-ubyte", "\(folder)/\(stem)\($0)\(kind)-ubyte.gz"] }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    private func find(_ folder: String?, _ environment: [String: String]) throws -> String {
        func below(_ root: String) -> [String] { [root] + folders.map { "\(root)/\($0)" } }
        var candidates: [String] = []
        if let folder {
            candidates = below(folder)
        } else {
            if let root = environment["EOSS_DATA"], !root.isEmpty { candidates += below(root) }
            candidates += Self.systemFolders.map { "\($0)/\(folders[0])" }
        }
        if let found = candidates.first(where: { existingFile("train-images", "idx3", in: $0) != nil }) { return found }
        var places = Self.systemFolders.map { "\($0)/\(folders[0])" }
        if let folder {
            places = [folder]
        } else if let root = environment["EOSS_DATA"], !root.isEmpty {
            places.insert("\(root) (EOSS_DATA)", at: 0)
        }
        throw DatasetError(
            "\(title) was not found. Looked in \(places.joined(separator: ", ")). On Debian: apt install \(debianPackage). "
                + "Elsewhere: put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz and the two t10k files into a folder "
                + "and set EOSS_DATA to it")
    }

    // MARK: - In words

    private func phrase(_ selection: SampleSelection, seed: UInt64) -> String {
        switch selection {
        case .all: "all"
        case .random: "by seed \(seed)"
        case .first: "the first"
        case .perClass(let n): "\(n) of each class by seed \(seed)"
        case .indices: "by their numbers"
        }
    }

    private func phrase(_ standardize: Standardization, _ mean: [Double], _ std: [Double]) -> String {
        switch standardize {
        case .none: "pixels in [0, 1]"
        case .cohen: "pixels standardised one by one over the full training set"
        case .eoss, .subset:
            "standardised by mean \(fourDigits(mean[0])) and deviation \(fourDigits(std[0]))"
                + (standardize == .subset ? " of the subset" : "")
        }
    }

    private func fourDigits(_ value: Double) -> String { String(format: "%.4f", value) }
}
