import Foundation

/// What was typed at the prompt, one line each, in a file that several programs may add to at once.
struct PromptHistory {
    let file: URL
    /// Lines kept. The file is cut down to them when it holds twice as many.
    var limit = 1000

    /// `$XDG_STATE_HOME/eoss/history`, by default below `~/.local/state`; nil for a user without a home.
    static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> PromptHistory? {
        let state: URL
        // The XDG specification: a relative path is to be ignored.
        if let given = environment["XDG_STATE_HOME"], given.hasPrefix("/") {
            state = URL(fileURLWithPath: given)
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            state = URL(fileURLWithPath: home).appendingPathComponent(".local/state")
        } else {
            return nil
        }
        return PromptHistory(file: state.appendingPathComponent("eoss/history"))
    }

    /// The last lines, oldest first. A history that cannot be read is an empty one.
    func load() -> [String] {
        guard let data = try? Data(contentsOf: file) else { return [] }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        let kept = Array(lines.suffix(limit))
        if lines.count > 2 * limit {
            try? Data(kept.map { $0 + "\n" }.joined().utf8).write(to: file, options: .atomic)
        }
        return kept
    }

    /// Adds lines, in one write. A history that cannot be written is none: nobody's work depends on it.
    func append(_ lines: [String]) {
        let folder = file.deletingLastPathComponent()
        try? FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let text = lines.filter { !$0.isEmpty }.map { $0 + "\n" }.joined()
        _ = text.withCString { write(descriptor, $0, strlen($0)) }
        close(descriptor)
    }
}
