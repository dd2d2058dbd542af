import CLua
import Glibc

/// The text of a module and what messages call it.
public struct LuaModule: Sendable, Equatable {
    public let source: String
    public let name: String

    public init(source: String, name: String) {
        self.source = source
        self.name = name
    }
}

/// Finds modules in the script's folder, then among those embedded in the program, and nowhere else.
public struct ModuleFinder: Sendable {
    private let folder: String?
    private let embedded: [String: String]

    /// `embedded` has the text for each name, as `require` is given it.
    public init(scriptFolder: String?, embedded: [String: String] = [:]) {
        folder = scriptFolder
        self.embedded = embedded
    }

    /// The module that `require(name)` means: `a.b` is `a/b.lua` or `a/b/init.lua` in the script's folder. Nil where there is none.
    /// Throws for a name that is none, a file outside of the folder, and one that cannot be read.
    public func find(_ name: String) throws -> LuaModule? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { isWordByte($0) }
        }
        guard isName else {
            throw PathError(description: "'\(name)' is not a module name: letters, digits, _ and - between dots")
        }
        if let folder, let root = resolved(folder) {
            let path = parts.joined(separator: "/")
            for candidate in ["\(path).lua", "\(path)/init.lua"] {
                guard let file = resolved("\(root)/\(candidate)") else { continue }
                guard isBelow(file, root) else {
                    throw PathError(description: "module '\(name)' leads out of the script's folder")
                }
                return LuaModule(source: try readText(file), name: candidate)
            }
        }
        return embedded[name].map { LuaModule(source: $0, name: "stdlib/\(name).lua") }
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// The text of a regular file of at most 16 MiB.
func readText(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
        throw PathError(description: "'\(path)' cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16 << 20 else {
        throw PathError(description: "'\(path)' is not a text file of at most 16 MiB")
    }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
        let count = bytes.withUnsafeMutableBytes {
            read(descriptor, $0.baseAddress.map { $0 + filled }, $0.count - filled)
        }
        guard count > 0 else { break }
        filled += count
    }
    return String(decoding: bytes[..<filled], as: UTF8.self)
}

extension LuaState {
    /// Defines `require`. `find` is asked once for each name; it may note what was required. In a trusted state what it does not find
    /// is left to Lua's own `require`.
    public func installModules(find: @escaping (String) throws -> LuaModule?) throws {
        let stack = self.stack
        let lua = stack.lua
        let top = stack.top
        defer { stack.setTop(top) }
        try stack.check(clua_push_globals(lua))
        // The loaded modules by name, and at [1] Lua's own `require`: a table that only our function holds.
        try stack.check(clua_new_table(lua, 1, 8))
        try stack.check(clua_get_field(lua, top + 1, "require", 7))
        try stack.check(clua_set_index(lua, top + 2, 1))
        let declaration = FunctionDeclaration(
            "require", "Loads a module from the script's folder or the standard library.",
            parameters: [Parameter("name", .string, "Its name.")],
            results: [Parameter("module", .any, "What it returned.")])
        var loading: [String] = []
        try push(declaration, to: stack, keeping: top + 2) { raw in
            let name: String = try raw.bound(first: 1).get("name")
            let state = raw.stack.state
            try raw.stack.check(clua_push_kept(raw.stack.lua))
            let loaded = raw.stack.top
            try raw.stack.pushField(loaded, name)
            if clua_type(raw.stack.lua, -1) != CLUA_NIL { return 1 }
            raw.stack.setTop(loaded)
            if loading.contains(name) {
                throw ArgumentError("modules require each other: " + (loading + [name]).joined(separator: " → "))
            }
            loading.append(name)
            defer { loading.removeLast() }
            try state.pushModule(name, find: find, loaded: loaded, raw.stack)
            return 1
        }
        try stack.setField(top + 1, "require")
        try installReload(globals: top + 1, loaded: top + 2, find: find)
    }

    /// Runs the module, pushes what it returned (true for nothing) and notes it in the table at `loaded`.
    func pushModule(
        _ name: String, find: (String) throws -> LuaModule?, loaded: Int32, _ stack: LuaStack
    ) throws {
        if let module = try find(name) {
            try load(module.source, name: module.name, to: stack.lua)
        } else {
            try stack.check(clua_get_index(stack.lua, loaded, 1))
            guard configuration.isTrusted, clua_type(stack.lua, -1) == CLUA_FUNCTION else {
                throw ArgumentError("no module '\(name)' in the script's folder or the standard library")
            }
        }
        try stack.push(name)
        try protectedCall(stack, arguments: 1, results: 1)
        if clua_type(stack.lua, -1) == CLUA_NIL {
            stack.setTop(stack.top - 1)
            try stack.check(clua_push_boolean(stack.lua, true))
        }
        try stack.check(clua_push_copy(stack.lua, -1))
        try stack.setField(loaded, name)
    }
}
