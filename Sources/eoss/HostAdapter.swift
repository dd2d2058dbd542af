import Compute
import Foundation
import LuaBridge
import ScriptAPI

/// Makes what runs the scripts. The one place of the command line that knows who that is.
func makeHost(_ options: HostOptions) throws -> any ScriptHosting {
    if let threads = options.threads { Engine.shared.threads = threads }
    if let memory = options.memory { MemoryAccount.shared.limit = memory }
    return try LaboratoryHost(options)
}

/// Scripts on the laboratory, in the words of the command line.
final class LaboratoryHost: ScriptHosting {
    private let host: ScriptHost
    let request: @Sendable (Interruption) -> Void

    init(_ options: HostOptions) throws {
        var host = ScriptAPI.ScriptOptions()
        host.settings = options.settings.map { ScriptAPI.ScriptOptions.Setting($0.name, $0.text) }
        host.isTrusted = options.trust
        host.outputFolder = options.outputFolder
        host.readFolders = options.readFolders
        host.print = { options.print($0 + "\n") }
        host.message = options.message
        host.progress = { options.progress(TrainingProgress($0)) }
        // The prompt is given this adapter, which it can only be once it is made.
        weak var adapter: LaboratoryHost?
        if let pause = options.pause {
            host.pause = { _ in
                guard let adapter else { return .stop }
                return pause(adapter) == .goOn ? .goOn : .stop
            }
        }
        self.host = try ScriptHost(host)
        let interrupt = self.host.interrupt
        request = { interruption in
            switch interruption {
            case .pause: interrupt.requestPause()
            case .stop: interrupt.requestStop()
            }
        }
        adapter = self
    }

    func run(file: URL) throws(ScriptFailure) {
        do { try host.run(file: file) } catch { throw ScriptFailure(error) }
    }

    func parameters(of file: URL) throws(ScriptFailure) -> [DeclaredParameter] {
        do {
            return try host.parameters(of: file).map { DeclaredParameter(name: $0.name, value: $0.value) }
        } catch { throw ScriptFailure(error) }
    }

    func evaluate(_ source: String) -> Evaluation {
        switch host.evaluate(source) {
        case .incomplete: .incomplete
        case .done(let text): .done(text)
        case .failed(let message): .failed(message)
        case .stopped: .interrupted
        case .goOn: .goOn
        }
    }
}

extension ScriptFailure {
    fileprivate init(_ failure: ScriptAPI.ScriptFailure) {
        switch failure {
        case .failed(let message): self = .failed(message)
        case .stopped: self = .interrupted
        }
    }
}

extension TrainingProgress {
    fileprivate init(_ snapshot: TrainingSnapshot) {
        self.init(
            run: snapshot.run, step: snapshot.step, lastStep: snapshot.lastStep, loss: snapshot.loss,
            tracked: snapshot.tracked.map { Tracked(name: $0.name, value: $0.value, edge: $0.edge) },
            stepsPerSecond: snapshot.stepsPerSecond, secondsLeft: snapshot.secondsLeft)
    }
}
