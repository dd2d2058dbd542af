import Foundation
import LuaBridge
import Testing

@testable import ScriptAPI

/// What the declarations say is all there, and every example runs.
@Suite struct DocumentationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func everyFunctionHasAnExampleThatIsOfSomething() throws {
        let documentation = try ScriptHost().documentation
        var functions: [String] = []
        for case .function(let declaration) in documentation.entries { functions.append(declaration.name) }
        let shown = Examples.sections.map(\.name).filter { $0 != "setting" }
        let missing = functions.filter { !shown.contains($0) }
        #expect(missing.isEmpty)
        #expect(Set(shown).count == shown.count)
        let unknown = shown.filter { documentation.entry(named: $0)?.name != $0 }
        #expect(unknown.isEmpty)
        let calls = Examples.sections.filter { section in
            let name = section.name.split { ".:".contains($0) }.last.map(String.init) ?? ""
            return section.name != "setting" && !section.text.contains(name)
        }
        #expect(calls.map(\.name).isEmpty)
    }

    @Test func everyExampleRuns() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("eoss-test-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(Examples.sections.count > 250)
        for section in Examples.sections where section.name != "setting" {
            var options = ScriptOptions()
            options.outputFolder = folder.appendingPathComponent(section.name.replacing(":", with: "-"))
            options.print = { _ in }
            let host = try ScriptHost(options)
            let script = folder.appendingPathComponent("example.lua")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try (Examples.setting + "\n" + section.text).write(to: script, atomically: true, encoding: .utf8)
            do { try host.run(file: script) } catch {
                // A data set that is not there is named, with where it could be put.
                let isExpected = section.needsData && "\(error)".contains(/EOSS_DATA|no such file/)
                #expect(isExpected, "\(section.name): \(error)")
            }
        }
    }

    @Test func everyDeclarationIsComplete() throws {
        let documentation = try ScriptHost().documentation
        func check(_ parameter: Parameter, of name: String, isResult: Bool = false) {
            #expect(parameter.summary.hasSuffix(".") || parameter.summary.hasSuffix("?"), "\(name): \(parameter.name)")
            if case .table = parameter.type.shape {
                #expect(
                    ["state", "points", "parameters"].contains(parameter.name),
                    "\(name): '\(parameter.name)' is any table")
            }
        }
        for entry in documentation.entries {
            #expect(!entry.summary.isEmpty, "\(entry.name)")
            switch entry {
            case .function(let declaration):
                let given =
                    declaration.parameters + declaration.options
                    + [declaration.items, declaration.rest].compactMap { $0 }
                for parameter in given { check(parameter, of: declaration.name) }
                for result in declaration.results { check(result, of: declaration.name, isResult: true) }
            case .property(let owner, let property): check(property, of: owner.name, isResult: true)
            case .objectClass(let declaration):
                for declared in [
                    declaration.elementDeclaration, declaration.entryDeclaration, declaration.lengthDeclaration,
                ] {
                    if let declared { check(declared, of: declaration.name) }
                }
            default: break
            }
        }
    }

    /// `eoss doc --reference docs/reference` writes it.
    @Test func theReferenceIsThatOfTheDeclarations() throws {
        let folder = Self.root.appendingPathComponent("docs/reference")
        let pages = try ScriptHost().referencePages
        let stored = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(stored == pages.keys.sorted())
        for (name, text) in pages {
            let page = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            let isSame = page == text
            #expect(isSame, "docs/reference/\(name) is stale: eoss doc --reference docs/reference")
        }
    }

    @Test func theExamplesInTheProgramAreThoseOfTheFolder() throws {
        let folder = Self.root.appendingPathComponent("docs/examples")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".lua") }
        #expect(Set(Examples.sections.map { $0.file + ".lua" }) == Set(files))
    }

    @Test func stubsAreLua() throws {
        let host = try ScriptHost()
        let stubs = host.stubs
        #expect(stubs.hasPrefix("---@meta") && stubs.contains("function run:track(names, options) end"))
        // A chunk of declarations that does nothing but define them.
        let state = try LuaState()
        let text = stubs.replacing("---@meta", with: "")
        #expect(throws: Never.self) { _ = try state.run(text, name: "stubs") }
    }
}
