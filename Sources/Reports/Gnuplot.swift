import Foundation

/// gnuplot as a program: it reads a script from standard input and writes the figure to standard output.
///
/// All three streams are files without a name, not pipes: whatever the sizes nothing waits for a reader, and a gnuplot that ends
/// early sends no SIGPIPE.
public enum Gnuplot {
    /// Where it is among these folders, by default those where programs are; nil where it is not.
    public static func program(
        in path: String = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    ) -> String? {
        path.split(separator: ":").map { "\($0)/gnuplot" }.first {
            $0.hasPrefix("/") && FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// - Throws: `ReportError` when gnuplot is not there, does not succeed within the time, or gives nothing.
    static func run(
        _ script: String, timeout: Double, path: String = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    ) throws(ReportError) -> Data {
        guard let program = program(in: path) else {
            throw ReportError("gnuplot, which draws the figures, was not found. On Debian: apt install gnuplot-nox")
        }
        let input = try UnnamedFile()
        try input.write(script)
        let (output, messages) = (try UnnamedFile(), try UnnamedFile())
        let child = ChildProgram(
            // No ~/.gnuplot; a file ends at its first error.
            path: program, arguments: ["--default-settings", "/dev/stdin"],
            // Numbers are written with a point, text in UTF-8, whatever the user's locale.
            environment: ["LC_ALL=C.UTF-8", "PATH=\(path)", "HOME=/nonexistent"],
            streams: [input, output, messages].map(\.descriptor))
        let status: Int32
        do { status = try child.run(timeout: timeout) } catch {
            switch error {
            case .notStarted(let code):
                throw ReportError("\(program) could not be started: \(String(cString: strerror(code)))")
            case .tooSlow: throw ReportError("gnuplot did not finish the figure within \(timeout) seconds")
            }
        }
        guard status == 0 else {
            let said = String(decoding: try messages.contents().prefix(2000), as: UTF8.self)
            let lines = said.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            throw ReportError(
                "gnuplot failed (status \(status)): " + lines.filter { !$0.isEmpty }.joined(separator: " | "))
        }
        let figure = try output.contents()
        guard !figure.isEmpty else { throw ReportError("gnuplot drew nothing") }
        return figure
    }
}

/// A temporary file that no one else can open and that is gone when it is closed.
private final class UnnamedFile {
    private let handle: FileHandle
    let descriptor: Int32

    init() throws(ReportError) {
        let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(folder)/eoss-figure.XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw ReportError("cannot make a temporary file in \(folder): \(String(cString: strerror(errno)))")
        }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Writes the text and goes back to its beginning.
    func write(_ text: String) throws(ReportError) {
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.seek(toOffset: 0)
        } catch { throw ReportError("cannot write a temporary file for gnuplot: is the disk full?") }
    }

    func contents() throws(ReportError) -> Data {
        do {
            try handle.seek(toOffset: 0)
            return try handle.readToEnd() ?? Data()
        } catch { throw ReportError("cannot read what gnuplot wrote: \(error.localizedDescription)") }
    }
}
