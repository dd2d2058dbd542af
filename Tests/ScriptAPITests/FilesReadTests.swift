import Datasets
import Experiments
import Foundation
import RunFiles
import Testing

@testable import ScriptAPI

/// Which files a script has read stands in the files of its runs.
@Suite struct FilesReadTests {
    private func reads(_ lab: Laboratory, _ name: String = "small") throws -> [String] {
        try RunFile.open(lab.output.appendingPathComponent("\(name).eoss")).events()
            .filter { $0.kind == ScriptArchive.FileRead.eventKind }
            .map { event in
                guard case .string(let path)? = event.data?["path"], case .string(let digest)? = event.data?["sha256"]
                else {
                    return "none"
                }
                return "\(path) \(digest.prefix(8)) at \(event.step)"
            }
    }

    private func digest(_ lab: Laboratory, _ name: String) throws -> String {
        let bytes = try Data(contentsOf: lab.folder.appendingPathComponent(name))
        return String(RunScript(path: "", source: bytes).sha256.prefix(8))
    }

    private func place(_ lab: Laboratory, _ name: String, _ arrays: [String: NDArray]) throws {
        let bytes = try ArrayFile.bytes(of: arrays, as: ArrayFormat(path: name), name: name)
        try bytes.write(to: lab.folder.appendingPathComponent(name))
    }

    @Test func arraysAndWeightsAreNotedOnceWithTheirDigests() throws {
        let lab = try Laboratory()
        try place(lab, "before.npz", ["x": NDArray([1.0, 2])])
        try place(lab, "later.safetensors", ["x": NDArray([3.0])])
        try lab.run(
            """
            eoss.arrays.load("before.npz"); eoss.arrays.load("before.npz")
            \(smallRun)
            run:track("loss"); run:train{ to = 2 }
            eoss.arrays.load("later.safetensors")
            eoss.arrays.save("own.npz", { x = { 1, 2 } }); eoss.arrays.load("own.npz")
            """)
        #expect(
            try reads(lab) == [
                "before.npz \(digest(lab, "before.npz")) at 0",
                "later.safetensors \(digest(lab, "later.safetensors")) at 2",
            ])
    }

    /// Its script is executed again, and reads again what the file knows.
    @Test func aResumedRunHasThemOnce() throws {
        let lab = try Laboratory()
        try place(lab, "x.npz", ["x": NDArray([1.0, 2])])
        let script = smallRun + "eoss.arrays.load('x.npz'); run:track('loss'); run:train{ to = 3 }\n"
        try lab.run(script)
        let resumption = try Resumption(lab.output.appendingPathComponent("small.eoss"), forced: true)
        try lab.run(script + "run:train{ to = 6 }") { $0.resumption = resumption }
        let file = try RunFile.open(lab.output.appendingPathComponent("small.eoss"))
        #expect(try file.series("loss").last?.step == 6)
        #expect(try reads(lab).count == 1)
    }
}
