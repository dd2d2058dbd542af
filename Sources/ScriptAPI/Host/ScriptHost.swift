import CStdlib
import Compute
import Experiments
import Foundation
import LuaBridge
import Objectives
import RunFiles

/// Runs scripts: a Lua state with the module `eoss`, the files that its runs live in, and the user at the other end.
///
/// It belongs to the thread that made it, which needs a stack of 8 MiB or more (`LuaThread`); `interrupt` alone may be used from
/// others. A *pause* is answered between two steps of training, by `ScriptOptions.pause`; a *stop* ends the script between two steps or
/// two Lua instructions, with everything measured saved.
public final class ScriptHost {
    public let options: ScriptOptions
    /// Requests to pause or to stop, from any thread.
    public let interrupt: Interrupt
    /// Ends long work, which a request of ``interrupt`` does not reach: both are made together.
    public let cancellation = Cancellation()
    let state: LuaState
    var parameters: ScriptParameters
    var meter = ProgressMeter()
    /// Those of runs that train side by side.
    var meters: [ObjectIdentifier: MeterOfBranch] = [:]
    /// Where `math.random` of the program itself stands, while runs that train side by side have streams of their own, and those.
    var randomOfProgram: [UInt64]?
    var randomOfBranches: [ObjectIdentifier: [UInt64]] = [:]
    /// Takes how far one of them is.
    var showProgress: ((Run, TrainingSnapshot) -> Void)?
    /// The experiment's script, then the modules it required.
    var scripts: [RunScript] = []
    var files: [WeakRun] = []
    /// The files that the script has read so far, and those that it has written, by their paths on the disk.
    var filesRead: [ScriptArchive.FileRead] = []
    var filesWritten: Set<String> = []
    /// The figures that this program has written, by their paths, and whose they are.
    var writtenFigures: [String: [WeakRun]] = [:]
    /// Where the script stands among its sweeps, and what has come of those that are over, outside of points.
    var place = SweepPlace()
    var sweepResults: [[PointResult]] = []
    /// The first run that was trained or measured, but for those made at points.
    var trained: String?
    private(set) var isScriptPlain = false
    private(set) var paths: PathPolicy
    /// Where the script lies.
    private(set) var scriptFolder = FileManager.default.currentDirectoryPath
    /// What scripts see: the module, the classes of their objects, and functions that are globals.
    private(set) var eoss = Namespace("eoss", "")
    private(set) var objectClasses: [AnyObjectClass] = []
    private(set) var globals: [DeclaredFunction] = []
    private(set) lazy var documentation = makeDocumentation()
    private var wantsParametersOnly = false
    private var knowsParameters = false
    private var collectsGarbage = false
    /// Trainings that stand paused, one inside the other.
    var pauseDepth = 0
    private var promptLines = 0
    /// How the script ended.
    private var end = RunStatus.State.done
    /// Called after each step of each run, before requests are answered: for tests.
    var afterStep: ((Run) -> Void)?
    /// Whether what runs was typed at the prompt.
    private(set) var isAtPrompt = false
    /// Names this execution, in the files of all its runs.
    let session: UUID

    public init(_ options: ScriptOptions = ScriptOptions()) throws {
        guard let interrupt = Interrupt() else { throw ScriptFailure.failed("no memory for a Lua state") }
        self.options = options
        self.interrupt = interrupt
        session = options.worker?.task.session ?? options.resumption?.session ?? UUID()
        parameters = ScriptParameters(
            settings: options.settings,
            recorded: options.resumption?.parameters ?? options.archive?.parameters ?? [:])
        paths = Self.paths(options, scriptFolder: FileManager.default.currentDirectoryPath)
        var configuration = LuaState.Configuration()
        configuration.memoryLimit = options.luaMemory
        configuration.patience = options.patience
        configuration.isTrusted = options.isTrusted
        configuration.print = options.print
        configuration.describe = words(for:)
        configuration.isStop = { $0 is Cancelled }
        configuration.hint = OtherNames.hint
        state = try LuaState(configuration, interrupt: interrupt)
        objectClasses = classes()
        for declaration in objectClasses { try state.install(declaration) }
        eoss = eossNamespace()
        try state.install(eoss)
        globals = globalFunctions()
        for function in globals { try state.install(function) }
        try installModules(folder: FileManager.default.currentDirectoryPath)
    }

    deinit { _ = closeFiles(end) }

    /// The output folder, for messages.
    public var outputFolder: URL { options.outputFolder }

    // MARK: - Scripts

    /// Runs a script to its end; that of ``ScriptOptions/archive`` where there is one. Its runs are committed whatever happens, and closed
    /// unless a prompt follows.
    public func run(file: URL) throws(ScriptFailure) {
        try perform(file) { source, name in
            try self.state.run(source, name: name, keepingLocals: self.options.pause != nil)
            try self.parameters.checkSettingsWereUsed()
        }
    }

    /// Runs a script up to its `eoss.params` and returns what it declares there, in the order of the script's text; nothing when
    /// it makes a run, or ends, before it gets there. The values are the defaults, those of a script in a run file what they were in its
    /// run.
    public func parameters(of file: URL) throws(ScriptFailure) -> [ScriptParameter] {
        wantsParametersOnly = true
        defer { wantsParametersOnly = false }
        do {
            try perform(file) { source, name in try self.state.run(source, name: name) }
        } catch {
            guard error == .stopped, knowsParameters else { throw error }
        }
        guard options.archive != nil else { return parameters.declared }
        return parameters.declared.map { parameter in
            ScriptParameter(name: parameter.name, value: (parameters.values[parameter.name] ?? .nil).literal)
        }
    }

    private func perform(
        _ file: URL, _ body: (_ source: LuaBytes, _ name: String) throws -> Void
    ) throws(ScriptFailure) {
        var failures: [String] = []
        do {
            let script = try options.archive.map(ScriptFile.init) ?? ScriptFile(file)
            paths = Self.paths(options, scriptFolder: script.folder)
            scriptFolder = script.folder
            isScriptPlain = script.isPlain
            try installModules(folder: script.folder)
            scripts = [RunScript(path: script.name, source: script.bytes)]
            try options.resumption?.check(scripts[0], isMain: true)
            try cancellable {
                try collectingGarbage { try state.scope { try body(Self.text(of: script.bytes), script.name) } }
            }
        } catch {
            let failure = failure(of: error)
            if case .failed(let message) = failure { note("error", message) }
            finish(options.worker?.end ?? (failure == .stopped ? .stopped : .failed))
            throw failure
        }
        failures = finish()
        if let failure = failures.first { throw .failed(failure) }
    }

    /// While a script runs, memory is not refused before what it has dropped has been collected.
    private func collectingGarbage<Result>(_ work: () throws -> Result) rethrows -> Result {
        if collectsGarbage { return try work() }
        collectsGarbage = true
        defer { collectsGarbage = false }
        let state = state
        return try MemoryAccount.shared.reclaiming(by: { state.collectGarbageIfCalled() }, during: work)
    }

    /// A file is not refused for too many others before those that the script has dropped have been collected.
    func collectingFiles<Result>(_ open: () throws -> Result) throws -> Result {
        do {
            return try open()
        } catch RunFileError.tooManyFiles {
            _ = state.collectGarbageIfCalled()
            return try open()
        }
    }

    /// Commits the run files; closes them unless a prompt may still write to them. Returns what went wrong.
    @discardableResult
    private func finish(_ state: RunStatus.State = .done) -> [String] {
        clearRequests()
        end = state
        if options.pause == nil { return closeFiles(state) }
        return RunFile.commitAll().map(\.description)
    }

    /// What a person reads of an error, with the Lua functions it came through where there are several.
    func failure(of error: any Error) -> ScriptFailure {
        switch error {
        case let failure as ScriptFailure: return failure
        case let error as LuaError:
            if error.kind == .stopped(.requested) { return .stopped }
            var error = error
            // What stands below a prompt is the training paused there.
            var frames = error.traceback.split(separator: "\n").filter { !$0.hasPrefix("[host]") }
            if let outermost = frames.firstIndex(where: { $0.hasSuffix("in main chunk") }) {
                frames.removeSubrange((outermost + 1)...)
            }
            error.traceback = frames.count > 1 ? frames.joined(separator: "\n") : ""
            if let match = error.message.firstMatch(of: /\((?:global|field) '(\w+)'\)$/),
                let hint = OtherNames.hint(for: String(match.1))
            {
                error.message += ": \(hint)"
            } else if let match = error.message.firstMatch(of: /(undefined global '(\w+)'): assign it first, .*$/),
                let hint = OtherNames.hint(for: String(match.2))
            {
                error.message.replaceSubrange(match.range, with: "\(match.1): \(hint)")
            }
            return .failed(error.fullDescription)
        default: return .failed(words(for: error))
        }
    }

    // MARK: - The prompt

    /// Runs what was typed at a prompt, on the state that the script left or is paused in.
    public func evaluate(_ source: String) -> PromptResult {
        promptLines += 1
        // What a script has made of the name `continue` shall not lock the user in.
        if pauseDepth > 0, PromptWords.isContinue(source) { return .goOn }
        // A request is for this chunk: the next one, or the training paused below, shall not see it.
        defer { clearRequests() }
        let outer = isAtPrompt
        isAtPrompt = true
        defer { isAtPrompt = outer }
        do {
            if let text = promptWord(source) { return .done(text) }
            switch try cancellable({ try collectingGarbage({ try state.evaluate(source, name: "prompt") }) }) {
            case .incomplete: return .incomplete
            case .values(let values):
                note("prompt", source)
                return .done(values.isEmpty ? nil : values.joined(separator: "\t"))
            }
        } catch {
            if let error = error as? LuaError, error.underlying is ContinueRequest { return .goOn }
            let failure = failure(of: error)
            _ = RunFile.commitAll()
            guard case .failed(let message) = failure else { return .stopped }
            return .failed(message)
        }
    }

    /// `continue()`, which leaves the prompt of a paused training.
    func continueFunction() -> DeclaredFunction {
        DeclaredFunction(
            FunctionDeclaration("continue", "Goes on with the training that was paused.")
        ) { [unowned self] _ -> LuaResults in
            guard pauseDepth > 0 else { throw ArgumentError("continue(): no training is paused") }
            throw ContinueRequest()
        }
    }

    // MARK: - Parameters

    /// What `eoss.params` does.
    func declareParameters(
        _ defaults: [String: LuaValue], scales: [String: [String: LuaValue]] = [:]
    ) throws -> [String: LuaValue] {
        if parameters.areDeclared, promptLines == 0 {
            throw ArgumentError("eoss.params was called already: declare all parameters in one table")
        }
        let source = scripts.first.map { String(decoding: $0.source, as: UTF8.self) } ?? ""
        try parameters.declare(defaults, scales: scales, source: source)
        try stopWhereParametersAreWanted()
        return parameters.values
    }

    /// Ends a script that is executed for its parameters alone: it has declared them, or begins with its work.
    func stopWhereParametersAreWanted() throws {
        guard wantsParametersOnly else { return }
        knowsParameters = true
        interrupt.requestStop()
        throw LuaError(.stopped(.requested), "stopped")
    }

    // MARK: - Files

    private func installModules(folder: String) throws {
        let archive = options.archive
        // What a run file has not is not taken from a folder in which it happens to lie.
        let finder = ModuleFinder(scriptFolder: archive == nil ? folder : nil, embedded: Stdlib.modules)
        try state.installModules { [unowned self] name in
            let kept = archive?.module(name).map { LuaModule(source: LuaBytes($0.source), name: $0.path) }
            let module = try kept ?? finder.find(name)
            if let module {
                let script = RunScript(path: module.name, source: Data(module.source.bytes))
                try options.resumption?.check(script, isMain: false)
                scripts.append(script)
                for file in openFiles { try file.addScript(script) }
            }
            return module
        }
    }

    private static func paths(_ options: ScriptOptions, scriptFolder: String) -> PathPolicy {
        PathPolicy(
            outputFolder: options.outputFolder.path, scriptFolder: scriptFolder,
            readFolders: options.readFolders.map(\.path), isTrusted: options.isTrusted,
            remedies: PathPolicy.Remedies(reading: "see --allow-read", absolutePaths: "--trust lifts this"))
    }

    /// The text, without the byte order mark that some editors put before it.
    private static func text(of script: Data) -> LuaBytes {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return LuaBytes(script.starts(with: mark) ? script.dropFirst(mark.count) : script)
    }

    /// Relative where the file lies below the current folder.
    static func shortPath(_ file: URL) -> String {
        let path = file.standardizedFileURL.path
        let here = FileManager.default.currentDirectoryPath
        return path.hasPrefix(here + "/") ? String(path.dropFirst(here.count + 1)) : path
    }
}

/// What `continue()` throws through the script to the prompt.
private struct ContinueRequest: Error, CustomStringConvertible {
    let description = "continue() leaves a prompt"
}

/// The part of the module that is written in Lua, embedded in the program.
enum Stdlib {
    static let modules: [String: LuaModule] = {
        var modules: [String: LuaModule] = [:]
        guard var next = eoss_stdlib_modules() else { return modules }
        while let name = next.pointee.name {
            let source = UnsafeBufferPointer(start: next.pointee.source, count: next.pointee.length)
            let name = String(cString: name)
            modules[name] = LuaModule(source: LuaBytes(source), name: "stdlib/\(name).lua")
            next += 1
        }
        return modules
    }()
}
