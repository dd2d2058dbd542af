import Foundation

/// A task of `peers.py`.
struct PeerTask {
    let network: String
    let name: String
    let size: Int
}

/// PyTorch and JAX in a process of their own (`Benchmarks/peers.py`), asked for one timing at a time so that the two sides
/// alternate.
final class Peers {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()
    private var pending = Data()

    /// The interpreter that PEERS_PYTHON names, or nil.
    init?(threads: Int) {
        let environment = ProcessInfo.processInfo.environment
        guard let python = environment["PEERS_PYTHON"], !python.isEmpty else { return nil }
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["Benchmarks/peers.py"]
        process.environment = environment.merging(["PEERS_THREADS": "\(threads)"]) { $1 }
        process.standardInput = requests
        process.standardOutput = answers
        do { try process.run() } catch {
            print("PEERS_PYTHON=\(python): \(error.localizedDescription); going on without peers")
            return nil
        }
    }

    deinit {
        try? requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Median seconds, or nil where the library is not there.
    func seconds(_ library: String, _ task: PeerTask, repetitions: Int) -> Double? {
        let line = "\(library) \(task.network) \(task.name) \(task.size) \(repetitions)\n"
        do { try requests.fileHandleForWriting.write(contentsOf: Data(line.utf8)) } catch { return nil }
        while !pending.contains(10) {
            let more = answers.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            pending += more
        }
        guard let end = pending.firstIndex(of: 10) else { return nil }
        let answer = String(decoding: pending[..<end], as: UTF8.self)
        pending = Data(pending[pending.index(after: end)...])
        return Double(answer)
    }
}
