import CEditLine
import Foundation
import LuaBridge
import ScriptAPI

/// Where the lines of a prompt come from.
protocol LineSource: AnyObject {
    /// - Parameter complete: what could stand at the end of what is typed of the line.
    func next(prompt: String, complete: @escaping (String) -> Completion) -> Line
    /// A chunk is complete: the arrow keys shall find its lines again.
    func remember(_ lines: [String])
    /// What is left of a paste is not to be read: its line before was stopped.
    func forgetPasted()
}

enum Line: Equatable {
    case text(String)
    /// Ctrl-C: what was typed so far is thrown away.
    case interrupted
    case end
}

/// Reads Lua, runs it, shows what came of it, until the user leaves or lets a paused script go on.
final class Prompt {
    static let first = "> "
    static let more = ">> "

    let lines: any LineSource
    let console: Console
    /// A chunk failed.
    private(set) var hasFailed = false
    /// The user left it for good.
    private(set) var wasLeft = false

    init(lines: any LineSource, console: Console) {
        self.lines = lines
        self.console = console
    }

    /// - Parameters:
    ///   - evaluate: runs a chunk on the state that the script left, or is paused in.
    ///   - complete: what could stand at the end of a text.
    func run(
        _ evaluate: (String) -> PromptResult, complete: @escaping (String) -> Completion = { _ in .none }
    ) -> PauseEnd {
        console.clear()
        Interrupts.shared.running(false)
        var chunk: [String] = []
        while true {
            if Interrupts.shared.ends {
                wasLeft = true
                return .stop
            }
            let before = chunk.map { $0 + "\n" }.joined()
            let line = lines.next(prompt: chunk.isEmpty ? Self.first : Self.more) { complete(before + $0) }
            switch line {
            case .interrupted:
                chunk = []
            case .end:
                if !chunk.isEmpty { fail("the last line is not complete: \(chunk[chunk.count - 1])") }
                wasLeft = true
                return .stop
            case .text(let line):
                if chunk.isEmpty && line.allSatisfy(\.isWhitespace) { continue }
                chunk.append(line)
                Interrupts.shared.running(true)
                let result = evaluate(chunk.joined(separator: "\n"))
                Interrupts.shared.running(result == .goOn)
                if result == .incomplete { continue }
                console.clear()
                lines.remember(chunk)
                chunk = []
                if show(result) { return .goOn }
            }
        }
    }

    /// Returns whether the prompt is over.
    private func show(_ result: PromptResult) -> Bool {
        switch result {
        case .incomplete, .done(nil): break
        case .done(let text?): console.output(text + "\n")
        case .failed(let message): fail(message)
        case .stopped:
            lines.forgetPasted()
            console.message("stopped")
        case .goOn: return true
        }
        return false
    }

    private func fail(_ message: String) {
        hasFailed = true
        console.message(message)
    }
}

/// Lines from a file or a pipe: no prompt, no editing, no history.
final class PlainLines: LineSource {
    func next(prompt: String, complete: @escaping (String) -> Completion) -> Line {
        readLine().map(Line.text) ?? .end
    }

    func remember(_ lines: [String]) {}
    func forgetPasted() {}
}

/// Lines typed at a terminal, with libedit's keys and a history that outlives the program.
final class TerminalLines: LineSource {
    private let editor: OpaquePointer
    private let history: PromptHistory?
    /// While a line is read.
    private var complete: ((String) -> Completion)?

    /// Nil where standard input is no terminal.
    init?(history: PromptHistory?) {
        guard let editor = eoss_line_editor_open("eoss") else { return nil }
        self.editor = editor
        self.history = history
        for line in history?.load() ?? [] { eoss_line_editor_remember(editor, line) }
        eoss_line_editor_complete_with(
            editor,
            { context, text, begun in
                guard let context, let text, let begun else { return nil }
                let lines = Unmanaged<TerminalLines>.fromOpaque(context).takeUnretainedValue()
                guard let completion = lines.complete?(String(cString: text)), !completion.candidates.isEmpty else {
                    return nil
                }
                begun.pointee = Int32(completion.begun.utf8.count)
                return strdup(completion.candidates.joined(separator: "\n"))
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { eoss_line_editor_close(editor) }

    func next(prompt: String, complete: @escaping (String) -> Completion) -> Line {
        self.complete = complete
        defer { self.complete = nil }
        var bytes: UnsafePointer<CChar>?
        let count = eoss_line_editor_read(editor, prompt, &bytes)
        if count == EOSS_LINE_INTERRUPTED { return .interrupted }
        guard count >= 0, let bytes else {
            // The terminal still stands behind the prompt.
            Console.write("\n", to: STDOUT_FILENO)
            return .end
        }
        let text = UnsafeRawBufferPointer(start: bytes, count: Int(count))
        return .text(String(decoding: text, as: UTF8.self))
    }

    func remember(_ lines: [String]) {
        for line in lines { eoss_line_editor_remember(editor, line) }
        history?.append(lines)
    }

    func forgetPasted() { eoss_line_editor_forget_pasted(editor) }
}
