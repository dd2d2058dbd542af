import Compute
import Foundation
import LuaBridge

/// What is made of the declarations beside help.
extension ScriptHost {
    /// The reference: each page's text by the name of its file.
    public var referencePages: [String: String] { ReferencePages(documentation, title: "Reference").pages }

    /// Writes the reference into a folder; pages of things that are gone are removed.
    public func writeReference(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let pages = referencePages
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasSuffix(".md") && pages[name] == nil {
            try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
        for (name, text) in pages {
            try OutputFile.write(Data(text.utf8), to: folder.appendingPathComponent(name).path)
        }
    }

    /// Declarations for editors: `eoss init` writes them beside a script.
    public var stubs: String { LuaStubs(documentation).text }

    /// The names of all functions, methods and properties.
    public var names: [String] { documentation.entries.map(\.name) }
}
