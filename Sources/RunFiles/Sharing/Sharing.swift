import Compute
import Experiments
import Foundation

/// Makes of a run file one for other people: what they need to look at the run and to run it again, and nothing that is private.
public struct Sharing {
    public var checkpoints = RunFileChanges.Checkpoints.last
    /// Whether the files that the script read travel inside.
    public var withData = false
    /// Bytes of those files together.
    public var dataLimit = 64 << 20
    /// Where those files are looked for, beside the folders of the run file and of the script.
    public var dataFolders: [String] = []
    /// Whether a file that is there already may be replaced.
    public var isReplacing = false

    /// What came of it, for people.
    public struct Report {
        /// What was taken out.
        public var stripped: [String] = []
        /// The files that travel inside.
        public var data: [RunData] = []
        /// What the reader of the file should know: data that are not inside, and what stays although it may be private.
        public var notes: [String] = []
    }

    public init() {}

    /// Writes the file to share.
    /// - Throws: `RunFileError` where the run file cannot be read, `ExportError` where the other one cannot be made.
    public func share(_ reader: RunFileReader, to path: String) throws -> Report {
        let archive = try ScriptArchive(reader)
        try check(path, source: reader.url.path)
        var report = Report()
        var changes = RunFileChanges()
        changes.checkpoints = checkpoints
        let hosts = try reader.status().map { [$0.process.host] } ?? []
        let text = PrivateText(hosts)
        // A user may be called as an optimizer is: in what the run says of itself such a name stays.
        let environment = PrivateText(hosts + PrivateText.userNames)
        changes.text = { text.cleaned($0) }
        changes.environment = { environment.cleaned($0) }
        let original = try reader.scripts()[0].path
        if original != archive.script.path {
            changes.scriptNames[original] = Self.name(archive.script.path, besides: archive.modules.map(\.path))
            report.stripped.append("the folder of the script")
        }
        changes.data = try data(archive, reader, original, &report)
        report.data = changes.data

        guard let (descriptor, temporary) = OutputFile.makeFile(beside: path) else { throw cannotWrite(path) }
        close(descriptor)
        defer {
            unlink(temporary)
            unlink(temporary + "-journal")
        }
        try reader.copy(to: temporary, changes)
        chmod(temporary, OutputFile.sharedMode)
        try ExportFile.place(temporary, at: path, replacing: isReplacing)

        report.stripped.append("the machine and the process that wrote it")
        let (paths, names) = (text.paths + environment.paths, text.names + environment.names)
        if paths > 0 { report.stripped.append("\(paths) absolute path\(paths == 1 ? "" : "s")") }
        if names > 0 { report.stripped.append("names of the machine or the user, \(names) times") }
        try noteWhatStays(archive, reader, &report)
        return report
    }

    // MARK: - Where it goes

    private func check(_ path: String, source: String) throws {
        guard (path as NSString).pathExtension == "eoss" else {
            throw ExportError("'\(path)': the name of a run file ends in .eoss")
        }
        var (there, own) = (stat(), stat())
        guard stat(path, &there) == 0 else { return }
        if stat(source, &own) == 0, there.st_dev == own.st_dev, there.st_ino == own.st_ino {
            throw ExportError("'\(path)' is the run file itself: -o chooses another name")
        }
        guard isReplacing else { throw ExportFile.exists(path) }
        guard there.st_mode & S_IFMT == S_IFREG else { throw ExportError("'\(path)' is no file") }
        if let status = try? RunFile.open(URL(fileURLWithPath: path)).status(), status.isAlive {
            throw ExportError("'\(path)' is a run that still goes on: -o chooses another name")
        }
    }

    private func cannotWrite(_ path: String) -> ExportError {
        ExportError("cannot write '\(path)': \(String(cString: strerror(errno)))")
    }

    /// The script's name, another one where a module has it.
    private static func name(_ name: String, besides others: [String]) -> String {
        var free = name
        while others.contains(free) { free = "main-" + free }
        return free
    }

    // MARK: - Data

    private func data(
        _ archive: ScriptArchive, _ reader: RunFileReader, _ script: String, _ report: inout Report
    ) throws -> [RunData] {
        var found: [RunData] = []
        var left = dataLimit
        let folders =
            dataFolders + [
                reader.url.deletingLastPathComponent().path, (script as NSString).deletingLastPathComponent, ".",
            ]
        for file in archive.files
        where archive.data[file.path] == nil && !found.contains(where: { $0.path == file.path }) {
            guard withData else {
                report.notes.append("the script reads \(file.words), which is not inside: --with-data takes it along")
                continue
            }
            guard ScriptArchive.isPlainPath(file.path) else {
                report.notes.append("\(file.words) is not inside: only files below the script's folder can be")
                continue
            }
            guard file.bytes <= left else {
                report.notes.append(
                    "\(file.words) is not inside: all data together may have \(dataLimit) bytes; --data-limit raises that"
                )
                continue
            }
            let candidates = folders.map { $0.isEmpty ? file.path : "\($0)/\(file.path)" }
            let bytes = candidates.lazy.compactMap { Self.contents($0, of: file) }.first
            guard let bytes else {
                report.notes.append(
                    "\(file.words) is not inside: no such file, or another one by now, below "
                        + folders.map { "'\($0.isEmpty ? "." : $0)'" }.joined(separator: ", ")
                        + "; --data DIR looks elsewhere")
                continue
            }
            left -= bytes.count
            found.append(RunData(path: file.path, bytes: bytes))
        }
        return found
    }

    /// The bytes of the file, if it still is the one that was read.
    private static func contents(_ path: String, of file: ScriptArchive.FileRead) -> Data? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size == file.bytes,
            let bytes = FileManager.default.contents(atPath: path), bytes.sha256 == file.sha256
        else { return nil }
        return bytes
    }

    private func noteWhatStays(_ archive: ScriptArchive, _ reader: RunFileReader, _ report: inout Report) throws {
        if let reason = reader.spillLeft { report.notes.append(reason) }
        for (name, value) in archive.parameters.sorted(by: { $0.key < $1.key }) {
            guard case .string(let text) = value, text.hasPrefix("/") else { continue }
            report.notes.append("the parameter '\(name.printable)' is the path '\(text.printable)', and stays so")
        }
        if let images = archive.images {
            report.notes.append(
                "the data are \(images.title), digest \(archive.digest?.printable ?? "unknown"), and are never inside: who runs it needs "
                    + "them, too. \(images.remedy)")
        }
        let home = Data((NSHomeDirectory() + "/").utf8)
        for script in [archive.script] + archive.modules where home.count > 2 && script.source.range(of: home) != nil {
            report.notes.append("'\(script.path)' names your home folder; scripts are shared word for word")
        }
    }
}
