import Foundation
import LuaBridge

/// What the prompt itself understands, whatever the script has made of these names.
enum PromptWords {
    /// Whether a line calls `continue` and does nothing else.
    static func isContinue(_ line: String) -> Bool { line.wholeMatch(of: /\s*continue\s*\(\s*\)\s*;?\s*/) != nil }
}

extension ScriptHost {
    /// What to say to `help` and `run`, typed alone where no variable has that name; nil for all else.
    func promptWord(_ line: String) -> String? {
        let word = line.trimmingCharacters(in: .whitespacesAndNewlines)
        guard word == "help" || word == "run" else { return nil }
        // Reading a name does nothing. One that is not defined is nil, or an error.
        let value = try? state.evaluate(word, name: "prompt")
        if word == "help", value == .values(["function " + Self.helpDeclaration.signature]) { return overview }
        guard value == nil || value == .values(["nil"]) else { return nil }
        return word == "help" ? overview : runText
    }

    /// What there is at a prompt beside the functions of scripts.
    var promptKeys: String {
        """


        Here
          expression             shows its value, which is in _ from then on; names mean the script's variables
          time(f)                calls f, and says how long that took
          reload("module")       reads a module that was required again, after you have edited it
        \(pauseDepth > 0 ? "  continue()             goes on with the script, or the paused training\n" : "")\
          Tab                    completes names, options and what strings may be
          Ctrl-C                 ends what runs, and comes back here
          Ctrl-D                 leaves
        """
    }

    private var runText: String {
        let known = files.compactMap(\.run).map { "'\($0.name)' at step \($0.step)" }
        let made = known.isEmpty ? "no run has been made yet" : "the script's runs are \(known.joined(separator: ", "))"
        return "no variable is called 'run'; \(made). One is made by run = eoss.run{ model = …, data = …, loss = …, "
            + "optimizer = … }, and goes on by run:train{ steps = 100 }"
    }
}
