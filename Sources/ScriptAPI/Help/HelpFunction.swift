import Foundation
import LuaBridge

/// `help`: what the declarations say, printed.
extension ScriptHost {
    static let helpDeclaration = FunctionDeclaration(
        "help",
        "Prints what there is to know: of a function, a method, an object, a namespace, or what a name stands for. Without an argument: what can be asked for.",
        parameters: [
            .optional(
                "about", .any,
                "A function (eoss.run, run.track), an object (run), a namespace (eoss.nn), or a name (\"batch_sharpness\", \"run:track\")."
            )
        ],
        options: [.optional("find", .string, "Lists instead what mentions this.")])

    func helpFunction() -> DeclaredFunction {
        DeclaredFunction(Self.helpDeclaration) { [unowned self] call -> LuaResults in
            let text: String
            if let find = try call.get("find", as: String?.self) ?? Self.search(call.value("about")) {
                text = found(find)
            } else if let subject = try call.subject("about") {
                text = help(on: subject)
            } else if let name = String.read(try call.value("about")) {
                text = try help(named: name)
            } else if try call.has("about") {
                let value = try call.value("about")
                throw ArgumentError(
                    "help knows functions, objects and namespaces of eoss, and names as strings; this is a \(value.typeName)"
                )
            } else {
                text = overview
            }
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                try options.print(LuaBytes(String(line)))
            }
            return LuaResults()
        }
    }

    /// `help{ find = "trace" }`, whose table might be a value to be told about.
    private static func search(_ value: LuaValue) -> String? {
        guard case .table(let table) = value, table.fields.count == 1 else { return nil }
        return String.read(table["find"])
    }

    /// What `help` and `eoss doc` say of a name.
    /// - Throws: `ArgumentError` for a name that means nothing, with what is near.
    public func help(named name: String) throws -> String {
        let name = name.trimmingCharacters(in: .whitespaces)
        if name.isEmpty { return overview }
        if let entry = documentation.entry(named: name) { return helpText.text(for: entry) }
        let several = documentation.entries(ending: name)
        if !several.isEmpty { return "'\(name)' is the name of several things:\n\n" + helpText.list(several) }
        if let other = OtherNames.hint(for: name) { return other }
        let names = documentation.entries.flatMap {
            [$0.name, $0.name.split { ".:".contains($0) }.last.map(String.init) ?? ""]
        }
        let near = nearestNameQuestion(to: name, among: Set(names).sorted())
        let mentions = documentation.search(name)
        if near.isEmpty, !mentions.isEmpty {
            return "Nothing is called '\(name)'. It is mentioned by\n\n" + helpText.list(mentions)
        }
        throw ArgumentError(
            "nothing is called '\(name)'" + (near.isEmpty ? "; help{ find = \"…\" } searches all texts" : near))
    }

    /// Lists what mentions a text.
    public func found(_ text: String) -> String {
        let entries = documentation.search(text)
        return entries.isEmpty ? "nothing mentions '\(text)'" : helpText.list(entries)
    }

    private func help(on subject: LuaCall.Subject) -> String {
        switch subject {
        case .function(let declaration):
            helpText.text(for: documentation.entry(named: declaration.name) ?? .function(declaration))
        case .objectClass(let declaration): helpText.text(for: .objectClass(declaration))
        case .namespace(let name): (try? help(named: name)) ?? name
        }
    }

    private var helpText: HelpText { HelpText(documentation, width: options.width()) }

    var overview: String {
        """
        help(eoss)             all that there is; help(eoss.nn), help(eoss.run), … of one thing
        help(run)              what can be done with an object; help(run.track) with a method of it
        help("lambda_max")     what a name means: a quantity, a loss, an activation
        help{ find = "trace" } what mentions a word

        In examples data, net and run are there, made by

        """ + Examples.setting.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n")
            + (isAtPrompt ? promptKeys : "")
    }
}
