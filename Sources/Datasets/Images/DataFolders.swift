import Foundation

/// Where a data set's files are looked for: in a folder (or an archive) that is named, else in the folder that EOSS_DATA names and
/// in the system's data folders; in each case in the folder itself and in those of the set's own names below it. An archive of the
/// set may lie there instead.
struct DataFolders {
    static let system = ["/usr/share/datasets", "/usr/local/share/datasets"]

    let facts: ImageFacts
    let explicit: String?
    let environment: String?

    init(
        _ facts: ImageFacts, explicit: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.facts = facts
        self.explicit = explicit
        self.environment = environment["EOSS_DATA"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The folder that holds the data set's files, or the file that is an archive of it.
    func find() throws -> String {
        if let found = places.first(where: holdsTrainingFiles) { return found }
        if facts.layout == .cifar, let archive = try places.lazy.compactMap(archive).first { return archive }
        let looked = explicit.map { [$0] } ?? (environment.map { ["\($0) (EOSS_DATA)"] } ?? []) + systemPlaces
        throw DatasetError(
            "\(facts.title) was not found. Looked in \(looked.joined(separator: ", ")).\(hint) \(facts.remedy)")
    }

    private var systemPlaces: [String] { Self.system.map { "\($0)/\(facts.folders[0])" } }

    private var roots: [String] {
        explicit.map { [$0] } ?? (environment.map { [$0] } ?? [])
    }

    private var places: [String] {
        let below = roots.flatMap { root in [root] + facts.folders.map { "\(root)/\($0)" } }
        return below + (explicit == nil ? systemPlaces : [])
    }

    private func holdsTrainingFiles(_ folder: String) -> Bool {
        switch facts.layout {
        case .idx: Self.idxFile(.train, "images", "idx3", in: folder) != nil
        case .cifar: Self.exists("\(folder)/\(CIFARFiles.names(.train)[0])")
        case .svhn: Self.exists("\(folder)/\(Self.svhnName(.train))")
        }
    }

    /// The archive of CIFAR-10 that lies at a place, or is it.
    private func archive(_ place: String) throws -> String? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else { return nil }
        guard isFolder.boolValue else {
            return try Tar.isArchive(FileSource(path: place)) ? place : nil
        }
        return ["cifar-10-binary.tar.gz", "cifar-10-binary.tar"].map { "\(place)/\($0)" }.first(where: Self.exists)
    }

    /// What was found in the place of what is needed.
    private var hint: String {
        guard facts.layout == .cifar,
            let python = places.flatMap({ [$0, "\($0)/cifar-10-batches-py"] }).first(where: {
                Self.exists("\($0)/data_batch_1")
            })
        else { return "" }
        return " \(python) holds the Python version, pickled objects, which cannot be read."
    }

    // MARK: - Files of a folder

    /// A file of a data set in IDX files: `train-images-idx3-ubyte`, also with a dot before `idx3`, also with `.gz`.
    static func idxFile(_ part: ImageFacts.Part, _ what: String, _ kind: String, in folder: String) -> String? {
        let stem = (part == .train ? "train-" : "t10k-") + what
        return ["-", "."].flatMap { ["\(folder)/\(stem)\($0)\(kind)-ubyte", "\(folder)/\(stem)\($0)\(kind)-ubyte.gz"] }
            .first(where: exists)
    }

    static func svhnName(_ part: ImageFacts.Part) -> String { "\(part.rawValue)_32x32.mat" }

    private static func exists(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }
}
