import CLua
import Glibc

/// The text of a module and what messages call it.
public struct LuaModule: Sendable, Equatable {
    public let source: LuaBytes
    public let name: String

    public init(source: LuaBytes, name: String) {
        self.source = source
        self.name = name
    }
}

/// Finds modules in the script's folder, then among those embedded in the program, and nowhere else.
public struct ModuleFinder: Sendable {
    private let folder: String?
    private let embedded: [String: LuaModule]

    /// `embedded` has the module for each name, as `require` is given it.
    public init(scriptFolder: String?, embedded: [String: LuaModule] = [:]) {
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
        return embedded[name]
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// The bytes of a regular file of at most 16 MiB.
private func readText(_ path: String) throws -> LuaBytes {
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
    return LuaBytes(bytes[..<filled])
}

/// The names of Lua's standard libraries, which never mean a file.
private let standardLibraries = [
    "_G", "coroutine", "debug", "io", "math", "os", "package", "string", "table", "utf8",
]

extension LuaState {
    /// Lets scripts require what `find` finds: it is asked once for each name, and may note what was required. The name of a standard
    /// library means that library. A trusted state keeps Lua's own `require`, whose searchers ask `find` after `package.preload`.
    public func installModules(find: @escaping (String) throws -> LuaModule?) throws {
        let stack = self.stack
        let top = stack.top
        defer { stack.setTop(top) }
        if configuration.isTrusted {
            try installSearcher(find, stack)
            try installReloadOfPackages(find, stack)
        } else {
            try installRequire(find, stack)
        }
    }

    private func installRequire(_ find: @escaping (String) throws -> LuaModule?, _ stack: LuaStack) throws {
        let lua = stack.lua
        try stack.check(clua_push_globals(lua))
        let globals = stack.top
        // The loaded modules by name: a table that only our function holds.
        try stack.check(clua_new_table(lua, 0, 16))
        let loaded = stack.top
        for name in standardLibraries {
            if name == "_G" { try stack.check(clua_push_globals(lua)) } else { try stack.pushField(globals, name) }
            try stack.setField(loaded, name)
        }
        let declaration = FunctionDeclaration(
            "require", "Loads a module from the script's folder or the standard library.",
            parameters: [Parameter("name", .string, "Its name.")],
            results: [
                Parameter("module", .any, "What it returned."), Parameter("file", .string, "Where it was found."),
            ])
        var loading: [String] = []
        try push(declaration, to: stack, keeping: loaded) { raw in
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
            return try state.pushModule(name, find: find, loaded: loaded, raw.stack)
        }
        try stack.setField(globals, "require")
        try installReload(globals: globals, loaded: loaded, find: find)
    }

    /// Runs the module, pushes what it returned (true for nothing) and where it was found, and notes it in the table at `loaded`.
    func pushModule(
        _ name: String, find: (String) throws -> LuaModule?, loaded: Int32, _ stack: LuaStack
    ) throws -> Int32 {
        guard !standardLibraries.contains(name) else {
            throw ArgumentError("the library '\(name)' is not part of the sandbox")
        }
        guard let module = try find(name) else {
            throw ArgumentError("no module '\(name)' in the script's folder or the standard library")
        }
        try load(module.source, name: module.name, to: stack.lua)
        try stack.push(name)
        try stack.push(module.name)
        try protectedCall(stack, arguments: 2, results: 1)
        if clua_type(stack.lua, -1) == CLUA_NIL {
            stack.setTop(stack.top - 1)
            try stack.check(clua_push_boolean(stack.lua, true))
        }
        try stack.check(clua_push_copy(stack.lua, -1))
        try stack.setField(loaded, name)
        try stack.push(module.name)
        return 2
    }

    /// `reload` for modules that Lua's own `require` has loaded.
    private func installReloadOfPackages(_ find: @escaping (String) throws -> LuaModule?, _ stack: LuaStack) throws {
        try stack.check(clua_push_globals(stack.lua))
        let globals = stack.top
        try stack.pushField(globals, "package")
        guard clua_type(stack.lua, -1) == CLUA_TABLE else { return }
        try stack.pushField(stack.top, "loaded")
        guard clua_type(stack.lua, -1) == CLUA_TABLE else { return }
        try installReload(globals: globals, loaded: stack.top, find: find)
    }

    /// Puts a searcher in the second place of `package.searchers`, where one of ours stands already if this is not the first call.
    private func installSearcher(_ find: @escaping (String) throws -> LuaModule?, _ stack: LuaStack) throws {
        let lua = stack.lua
        try stack.check(clua_push_globals(lua))
        try stack.pushField(stack.top, "package")
        guard clua_type(lua, -1) == CLUA_TABLE else { return }
        try stack.pushField(stack.top, "searchers")
        guard clua_type(lua, -1) == CLUA_TABLE else { return }
        let searchers = stack.top
        try stack.pushField(searchers - 1, "path")
        let ownPath = stack.string(at: -1)
        stack.setTop(searchers)
        let ours: Int64 = 2
        if !hasSearcher {
            for i in stride(from: Int64(clua_raw_length(lua, searchers)), through: ours, by: -1) {
                try stack.check(clua_get_index(lua, searchers, i))
                try stack.check(clua_set_index(lua, searchers, i + 1))
            }
            hasSearcher = true
        }
        let declaration = FunctionDeclaration(
            "searcher", "Finds a module for require.", parameters: [Parameter("name", .string, "Its name.")])
        try push(declaration, to: stack) { raw in
            let name: String = try raw.bound(first: 1).get("name")
            do {
                guard let module = try find(name) else {
                    // A script that says itself where modules are to be looked for gets Lua's message, which lists these places.
                    if try raw.stack.packagePath() != ownPath { return 0 }
                    throw PathError(description: "no module '\(name)' in the script's folder or the standard library")
                }
                try raw.stack.state.load(module.source, name: module.name, to: raw.stack.lua)
                try raw.stack.push(module.name)
                return 2
            } catch let error as PathError {
                try raw.stack.push(error.description)
                return 1
            }
        }
        try stack.check(clua_set_index(lua, searchers, ours))
    }
}

extension LuaStack {
    /// `package.path`, nil where a script has made something else of it.
    fileprivate func packagePath() throws -> String? {
        let top = self.top
        defer { setTop(top) }
        try check(clua_push_globals(lua))
        try pushField(self.top, "package")
        guard clua_type(lua, -1) == CLUA_TABLE else { return nil }
        try pushField(self.top, "path")
        return string(at: -1)
    }
}
