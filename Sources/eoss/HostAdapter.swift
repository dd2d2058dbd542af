import Foundation
import LuaBridge

/// Makes what runs the scripts. The one place of the command line that knows who that is.
func makeHost(_ options: HostOptions) throws -> any ScriptHosting {
    try LuaHost(options)
}

/// Scripts on LuaBridge alone.
final class LuaHost: ScriptHosting {
    private let state: LuaState
    let request: @Sendable (Interruption) -> Void

    init(_ options: HostOptions) throws {
        var configuration = LuaState.Configuration()
        configuration.isTrusted = options.trust
        configuration.print = { options.print($0 + "\n") }
        state = try LuaState(configuration)
        let interrupt = state.interrupt
        // Nothing trains here, so there is nothing to pause.
        request = { _ in interrupt.requestStop() }
    }

    func run(file: URL) throws(ScriptFailure) {
        do {
            try state.run(String(contentsOf: file, encoding: .utf8), name: file.lastPathComponent)
        } catch let error as LuaError {
            if case .stopped(.requested) = error.kind {
                state.interrupt.clearStop()
                throw .interrupted
            }
            throw .failed(error.fullDescription)
        } catch {
            throw .failed("cannot read '\(file.path)': \((error as NSError).localizedDescription)")
        }
    }

    func parameters(of file: URL) throws(ScriptFailure) -> [DeclaredParameter] { [] }

    func evaluate(_ source: String) -> Evaluation {
        do {
            let values = try state.scope {
                do {
                    return try state.run("return \(source)", name: "prompt")
                } catch let error as LuaError where error.kind == .syntax {
                    return try state.run(source, name: "prompt")
                }
            }
            return .done(values.isEmpty ? nil : values.map { "\($0)" }.joined(separator: "\t"))
        } catch let error as LuaError {
            switch error.kind {
            case .syntax where error.message.hasSuffix("<eof>"): return .incomplete
            case .stopped(.requested):
                state.interrupt.clearStop()
                return .interrupted
            default: return .failed(error.fullDescription)
            }
        } catch {
            return .failed("\(error)")
        }
    }
}
